import { parseArgs } from 'node:util';
import { misspelt, nearest } from '../lib/config/nearest.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import type { Command, Options, Values } from './command.ts';

/** What every command takes. */
const COMMON = {
  job: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

export interface Call {
  /** Undefined: none was named. */
  readonly command: Command | undefined;
  readonly help: boolean;
  /** The version of the package was asked for. */
  readonly version: boolean;
  /** What stands behind the command's name. */
  readonly given: readonly string[];
  readonly job: string | undefined;
  readonly json: boolean;
  /** Of the command's own options. @throws UsageError: one is wrong */
  values(): Values<Options>;
}

/** What was asked for of these commands. @throws UsageError */
export function readArguments(commands: readonly Command[], argv: readonly string[]): Call {
  const { values, positionals } = parse(commands, argv);
  const { job, json = false, help = false, version = false, ...own } = values;
  const [name, ...given] = positionals;
  const command = commands.find((each) => each.name === name);
  if (name !== undefined && command === undefined && !help)
    throw new UsageError(
      `there is no command ${name}; the nearest is ${nearest(name, namesOf(commands))}; commands are ${namesOf(commands).join(', ')}`,
    );
  const unexpected = given.slice(command?.arguments?.most ?? 0);
  if (unexpected.length > 0) throw new UsageError(`unexpected ${unexpected.join(' ')}: ${expectedText(command)}`);
  const foreign = command === undefined ? undefined : Object.keys(own).find((option) => !Object.hasOwn(command.options, option));
  if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}`);
  if (command?.on === 'nothing' && job !== undefined) throw new UsageError(`${name} takes no --job`);
  return { command, help, version, given, job, json, values: () => valuesOf(command?.options ?? {}, own) };
}

function expectedText(command: Command | undefined): string {
  if (command?.arguments === undefined) return 'one command at a time';
  return `onceflow ${command.name} ${command.arguments.takes}`;
}

function valuesOf(options: Options, given: Readonly<Record<string, unknown>>): Values<Options> {
  // A flag that is given has no value.
  const textOf = (name: string) => (given[name] === true ? '' : (given[name] as string | undefined));
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.read(name, textOf(name))]));
}

function parse(commands: readonly Command[], argv: readonly string[]) {
  const own = Object.fromEntries(
    commands.flatMap(({ options }) =>
      Object.entries(options).map(([name, { takes }]) => [name, { type: takes === undefined ? 'boolean' : 'string' }] as const),
    ),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { ...own, ...COMMON } });
    return { values, positionals };
  } catch (error) {
    // Its further sentences tell how an argument is made of what looks like an option.
    if (error instanceof TypeError)
      throw new UsageError(`${error.message.split(/\.\s/)[0]}${mendOf(error, Object.keys({ ...own, ...COMMON }))}`);
    throw error;
  }
}

function mendOf({ code, message }: NodeJS.ErrnoException, known: readonly string[]): string {
  const [, name] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
  const meant = code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || name === undefined ? undefined : misspelt(name, known);
  return meant === undefined ? '' : `; the nearest is --${meant}`;
}

function namesOf(commands: readonly Command[]): string[] {
  return commands.map(({ name }) => name);
}
