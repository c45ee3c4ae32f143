import { parameters } from '../lib/config/parameters.ts';
import type { Command } from './command.ts';
import { EXIT, EXIT_WORDS } from './exit-codes.ts';

const WIDTH = 110;

/** What `onceflow --help` prints. */
export function helpText(commands: readonly Command[]): string {
  return `usage: onceflow <command> [options]

${listOf(commands.map(({ name, usage }) => [name, usage]))}

onceflow --version prints the version. Every command takes --help, which shows its options and examples, and --json, which prints JSON in place of text.

Configured like the job, by ${parameters.table.variable}, ${parameters.brokers.variable}, ${parameters.blobs.variable} and the variables of the AWS SDK; a
command asks only for those that it needs.

${exitCodesText()}`;
}

/** What `onceflow <command> --help` prints. */
export function commandHelp(command: Command): string {
  const { usage, more, examples } = command;
  const blocks = [`usage: onceflow ${callOf(command)}`, `${usage}${more === undefined ? '' : `\n\n${more}`}`];
  blocks.push(`options:\n${listOf(optionsOf(command))}`);
  blocks.push(`examples:\n${examples.map(({ call, does }) => `  onceflow ${call}\n      ${does}`).join('\n')}`);
  return blocks.join('\n\n');
}

/** The command with all that may stand behind it. */
export function callOf({ name, arguments: args, options }: Command): string {
  const behind = args === undefined ? [] : [args.takes];
  return [name, ...behind, ...Object.entries(options).map(([option, { takes }]) => `[${optionText(option, takes)}]`)].join(' ');
}

/** What `--json` puts on standard output. */
export function jsonHelp({ json = 'one JSON object' }: Command): string {
  return `${json} on standard output`;
}

function optionsOf(command: Command): [string, string][] {
  const { on, options } = command;
  const own = Object.entries(options).map(([name, { takes, help }]): [string, string] => [optionText(name, takes), help]);
  const job: [string, string][] =
    on === 'job'
      ? [
          [
            '--job NAME',
            `the job, or its module as ./PATH; otherwise ${parameters.jobName.variable}, or the job in ${parameters.job.variable}`,
          ],
        ]
      : [];
  return [...own, ...job, ['--json', jsonHelp(command)], ['--help', 'this text']];
}

function optionText(name: string, takes: string | undefined): string {
  return takes === undefined ? `--${name}` : `--${name} ${takes}`;
}

/** Names with words beside them. */
function listOf(rows: readonly (readonly [name: string, words: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, words]) => `  ${name.padEnd(width)}  ${words}`).join('\n');
}

function exitCodesText(): string {
  const title = 'exit codes: ';
  const each = Object.entries(EXIT_WORDS).map(([name, words]) => `${EXIT[name as keyof typeof EXIT]} ${words}`);
  return `${title}${flowed(each, '   ', title.length)}`;
}

/** The pieces in lines that begin at `at`, as many in each as have room. */
function flowed(pieces: readonly string[], between: string, at: number): string {
  const lines: string[] = [];
  for (const piece of pieces) {
    const longer = lines.length === 0 ? undefined : `${lines.at(-1)}${between}${piece}`;
    if (longer !== undefined && at + longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(piece);
  }
  return lines.join(`\n${' '.repeat(at)}`);
}
