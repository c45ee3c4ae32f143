import { parameters } from '../lib/config/parameters.ts';
import { type Command, optionsOf } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, EXIT_WORDS } from './exit-codes.ts';
import { TIMEOUT_S } from './options.ts';

const WIDTH = 110;
/** Where words begin behind the commands. */
const WORDS_AT = 28;

/** What `--help` prints. */
export function helpText(): string {
  return `usage: onceflow <command> [options]

${COMMANDS.map(commandText).join('\n')}

  --job NAME                the job; otherwise ${parameters.jobName.variable}, or the name of the job in ${parameters.job.variable}
  --json                    one JSON object on standard output
  --help                    this text

${namesWith('timeout').join(' and ')} wait at most S seconds (default ${TIMEOUT_S}). They also work when the job is dead: then they do themselves what is
left to do. What was decided is always committed, also by cancel: a decision cannot be taken back.

Configured like the job, by ${parameters.table.variable}, ${parameters.brokers.variable}, ${parameters.blobs.variable} and the variables of the AWS SDK; a
command asks only for those that it needs.

${exitCodesText()}`;
}

function commandText(command: Command): string {
  const { name, usage } = command;
  const entries = Object.entries(optionsOf(command));
  const argument = 'argument' in command ? [command.argument] : [];
  const call = `  ${[name, ...argument, ...entries.map(([option, { takes }]) => `[--${option} ${takes}]`)].join(' ')}`;
  const words = [usage, ...entries.flatMap(([, { help }]) => (help === undefined ? [] : [`(${help})`]))];
  const lines = flowed(words, ' ', WORDS_AT);
  const first = call.length < WORDS_AT ? call.padEnd(WORDS_AT) : `${call}\n${' '.repeat(WORDS_AT)}`;
  return `${first}${lines}`;
}

function namesWith(option: string): string[] {
  return COMMANDS.filter((command) => option in optionsOf(command)).map(({ name }) => name);
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
