import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { logGroupName } from '../../lib/config/function-names.ts';
import { type CommandResult, command } from '../command.ts';
import { mustBeDeployed } from '../deployed.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, oneOf, text } from '../options.ts';
import type { CommandTools } from '../tools.ts';

const ROLES = ['coordinator', 'source', 'operator', 'sink'] as const;
const SINCE = '10m';

export default command({
  name: 'logs',
  usage: "what a deployment's functions log, by the AWS command line",
  more: `Runs "aws logs tail" for the log groups of the job's functions, with the credentials and the region of this process. With --json it runs
nothing, and answers the log groups and the commands.`,
  options: {
    role: oneOf({ words: ROLES, help: 'of these functions alone' }),
    since: text({
      takes: 'TIME',
      help: `from then on: 30s, 10m, 2h, 1d (default ${SINCE})`,
      rule: 'a number with s, m, h, d or w, e.g. 10m',
      isRight: (given) => /^[1-9]\d{0,4}[smhdw]$/.test(given),
    }),
    follow: flag('go on until Ctrl-C'),
  },
  examples: [
    { call: 'logs --job word-count --since 1h', does: 'the last hour of all functions' },
    { call: 'logs --job word-count --role coordinator --follow', does: 'what the coordinator logs, as it comes' },
  ],
  run: (tools, { role, since = SINCE, follow }) => logs(tools, tailsOf(tools, role === undefined ? ROLES : [role], since, follow)),
});

interface Tail {
  readonly role: (typeof ROLES)[number];
  readonly group: string;
  /** Behind `aws`. */
  readonly args: readonly string[];
}

function tailsOf({ job, config }: CommandTools, roles: readonly Tail['role'][], since: string, follow: boolean): Tail[] {
  return roles.map((role) => {
    const group = logGroupName(config.functionPrefix ?? job, role);
    return { role, group, args: ['logs', 'tail', group, '--since', since, '--format', 'short', ...(follow ? ['--follow'] : [])] };
  });
}

/** Runs all of them beside each other. */
async function logs(tools: CommandTools, tails: readonly Tail[]): Promise<CommandResult> {
  mustBeDeployed(tools);
  const json = { job: tools.job, groups: tails.map(({ role, group, args }) => ({ role, group, command: ['aws', ...args].join(' ') })) };
  if (tools.json) return { code: EXIT.ok, json, text: '' };
  const unfit = await whyUnfit();
  if (unfit !== undefined) {
    const commands = json.groups.map(({ command: each }) => `  ${each}`).join('\n');
    return { code: EXIT.failed, json, text: `${unfit}: install version 2, or look at these log groups in CloudWatch:\n${commands}` };
  }
  const ended = await Promise.all(tails.map((tail) => run(tools, tail, tails.length > 1)));
  return { code: ended.every((isWell) => isWell) ? EXIT.ok : EXIT.failed, json, text: '' };
}

/** Why the AWS command line of this machine cannot tail logs. Undefined: it can. */
function whyUnfit(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('aws', ['--version'], (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve('the AWS command line is not here ("aws")');
      else if (`${stdout}${stderr}`.startsWith('aws-cli/1.')) resolve('the AWS command line here is version 1, which has no "logs tail"');
      else resolve(undefined);
    });
  });
}

/** Did it end well? */
async function run({ show }: CommandTools, { role, args }: Tail, areMany: boolean): Promise<boolean> {
  const child = spawn('aws', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => show(areMany ? `${role.padEnd(11)}  ${line}` : line));
  const [code] = await once(child, 'close');
  return code === 0;
}
