import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../../cli/commands.ts';
import { completionScript, SHELLS } from '../../../cli/completion.ts';
import { main } from '../../../cli/main.ts';

/** What bash would offer for the last of these words. */
function offered(...words: string[]): string[] {
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _onceflow; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = `${completionScript('bash', COMMANDS)}\n${ask}`;
  return execFileSync('bash', ['--norc', '--noprofile'], { input: script, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

it('bash offers every command', () => {
  expect(offered('onceflow', '')).toEqual([...COMMANDS.map(({ name }) => name), '--help']);
  expect(offered('onceflow', 'st')).toEqual(['start', 'status', 'stop']);
});

it('bash offers the options of the command, and the words of an option or an argument', () => {
  expect(offered('onceflow', 'cancel', '--')).toEqual(['--timeout', '--retention', '--job', '--json', '--help']);
  expect(offered('onceflow', 'cancel', '--retention', '')).toEqual(['retain', 'delete']);
  expect(offered('onceflow', '--job', 'init', 'dead-letters', 're')).toEqual(['retry']);
  expect(offered('onceflow', 'status', '--job', '')).toEqual([]);
});

it.each(SHELLS)('the script for %s names every command and every option', (shell) => {
  const script = completionScript(shell, COMMANDS);
  for (const { name, options } of COMMANDS) {
    expect(script).toContain(name);
    for (const option of Object.keys(options)) expect(script).toContain(shell === 'fish' ? `-l ${option} ` : `--${option}`);
  }
});

it('words that shells would take for their own are one word for them', () => {
  const tricky = { ...COMMANDS[0], name: 'x', usage: "it's [a] $HOME", options: {} } as (typeof COMMANDS)[number];
  expect(completionScript('zsh', [tricky])).toContain(`'x:it'\\''s [a] $HOME'`);
  expect(completionScript('fish', [tricky])).toContain(`-d 'it'\\''s [a] $HOME'`);
});

it.each([
  [['completion'], 'which shell? completion takes bash, zsh, fish'],
  [['completion', 'tcsh'], 'not tcsh'],
])('%j is refused with what it takes: exit code 2', async (args, message) => {
  const said: string[] = [];
  const output = { log: () => {}, error: (line: string) => said.push(line) };
  expect(await main(args, {}, output)).toBe(2);
  expect(said.join()).toContain(message);
});
