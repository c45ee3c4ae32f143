import { UsageError } from '../../lib/config/usage-error.ts';
import { plainCommand } from '../command.ts';
import { completionScript, SHELLS } from '../completion.ts';
import { EXIT } from '../exit-codes.ts';

export default plainCommand({
  name: 'completion',
  usage: 'what makes a shell complete commands and options: bash, zsh or fish',
  more: `It completes "onceflow". In a project, where it is "npx onceflow": alias onceflow='npx onceflow'.`,
  arguments: { takes: SHELLS.join('|'), most: 1, words: SHELLS },
  options: {},
  examples: [
    { call: 'completion bash', does: 'in ~/.bashrc: source <(onceflow completion bash)' },
    { call: 'completion zsh', does: 'in ~/.zshrc, behind compinit: source <(onceflow completion zsh)' },
    { call: 'completion fish', does: 'in ~/.config/fish/config.fish: onceflow completion fish | source' },
  ],
  async run({ commands }, _values, [given]) {
    const shell = SHELLS.find((each) => each === given);
    if (shell === undefined)
      throw new UsageError(`which shell? completion takes ${SHELLS.join(', ')}${given === undefined ? '' : `, not ${given}`}`);
    const script = completionScript(shell, commands);
    return { code: EXIT.ok, json: { shell, script }, text: script.trimEnd() };
  },
});
