import { parseArgs } from 'node:util';
import { UsageError } from '../lib/config/usage-error.ts';
import { type Command, type JobCommand, type Options, optionsOf, type Values } from './command.ts';
import { COMMANDS } from './commands.ts';

/** What every command takes. */
const COMMON = { job: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

export interface Call {
  /** Undefined: none was named. */
  readonly command: Command | undefined;
  readonly help: boolean;
  /** Of a command that takes one. */
  readonly argument: string | undefined;
  readonly job: string | undefined;
  readonly json: boolean;
  /** Of the command's own options. @throws UsageError: one is wrong */
  values(): Values<JobCommand['options']>;
}

/** What was asked for. @throws UsageError */
export function readArguments(argv: readonly string[]): Call {
  const { values, positionals } = parse(argv);
  const { job, json = false, help = false, ...own } = values;
  const [name, ...rest] = positionals;
  const command = COMMANDS.find((each) => each.name === name);
  const takesArgument = command !== undefined && 'argument' in command;
  const unexpected = rest.slice(takesArgument ? 1 : 0);
  if (unexpected.length > 0) throw new UsageError(`unexpected ${unexpected.join(' ')}: one command at a time`);
  if (name !== undefined && command === undefined && !help)
    throw new UsageError(`there is no command ${name}; commands are ${COMMANDS.map((each) => each.name).join(', ')}`);
  const foreign = command === undefined ? undefined : Object.keys(own).find((option) => !(option in optionsOf(command)));
  if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}`);
  if (takesArgument && job !== undefined) throw new UsageError(`${name} takes no --job`);
  const argument = takesArgument ? rest[0] : undefined;
  return { command, help, argument, job, json, values: () => valuesOf(optionsOf(command), own) };
}

function valuesOf(options: Options, given: Readonly<Record<string, unknown>>): Values<JobCommand['options']> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.read(name, given[name] as string | undefined)]));
}

function parse(argv: readonly string[]) {
  const own = Object.fromEntries(
    COMMANDS.flatMap((command) => Object.keys(optionsOf(command))).map((name) => [name, { type: 'string' }] as const),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { ...own, ...COMMON } });
    return { values, positionals };
  } catch (error) {
    // Its further sentences tell how an argument is made of what looks like an option.
    if (error instanceof TypeError) throw new UsageError(error.message.split(/\.\s/)[0]);
    throw error;
  }
}
