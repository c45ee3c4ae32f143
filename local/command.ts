import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { explainError } from '../host/explain-error.ts';
import { readToolConfig } from '../lib/config/read-config.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { reasonOf } from '../lib/ports/reason.ts';
import { StartError } from './stack/service.ts';

/** A command of package.json. */
export interface Command<Options extends ParseArgsOptionsConfig> {
  /** As it is called: `npm run local`. */
  readonly name: string;
  /** What `--help` shows. */
  readonly usage: string;
  readonly options: Options;
  /** Whether it takes arguments that are no options. @default false */
  readonly positionals?: boolean;
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ readonly options: Options; readonly allowPositionals: boolean }>
>;

const EXIT = { failed: 1, wrongSetting: 2 } as const;

/**
 * Runs a command. `--help` shows how it is called. A wrong argument, and an ONCEFLOW_… variable that is wrong or that nobody knows,
 * end it before anything is done, with one line and exit code 2; so does an error of the settings later on. Other errors end it with
 * exit code 1: with one line when a service failed, with their stack when nobody expected them. Whatever it has started and
 * not ended yet has to end with this process.
 *
 * @param run answers the exit code
 */
export function runCommand<const Options extends ParseArgsOptionsConfig>(
  command: Command<Options>,
  run: (values: Parsed<Options>['values'], positionals: readonly string[]) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2);
  return passThrough(command, args, async () => {
    const { values, positionals } = parse(args, command);
    readToolConfig(process.env);
    return run(values, positionals);
  });
}

/** What a command was asked for, where all else that it does is at the top level of its module. Ends the process as `runCommand` does. */
export function argumentsOf<const Options extends ParseArgsOptionsConfig, T>(
  command: Command<Options>,
  read: (values: Parsed<Options>['values']) => T,
): T {
  const args = process.argv.slice(2);
  if (isForHelp(args)) {
    console.log(command.usage);
    process.exit(0);
  }
  try {
    readToolConfig(process.env);
    return read(parse(args, command).values);
  } catch (error) {
    return end(command.name, error);
  }
}

/** The same as `runCommand` for a command that hands its arguments on to a program. */
export async function passThrough(
  { name, usage }: Pick<Command<Record<never, never>>, 'name' | 'usage'>,
  args: readonly string[],
  run: () => Promise<number>,
): Promise<void> {
  if (isForHelp(args)) return console.log(usage);
  try {
    process.exitCode = await run();
  } catch (error) {
    end(name, error);
  }
}

function isForHelp(args: readonly string[]): boolean {
  return args.some((arg) => arg === '--help' || arg === '-h');
}

function end(name: string, error: unknown): never {
  const { is, message } = error instanceof StartError ? { is: 'trouble', message: error.message } : explainError(error);
  console.error(`${name}: ${message}${error instanceof ArgumentsError ? ` ("${name} -- --help" shows how it is called)` : ''}`);
  process.exit(is === 'setting' ? EXIT.wrongSetting : EXIT.failed);
}

/** A folder that can be written to; it is made if it is missing. @throws UsageError */
export function folderIn(option: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    makeFolder(resolve(path));
    accessSync(path, constants.W_OK);
    return path;
  } catch (error) {
    throw new ArgumentsError(`--${option} is ${JSON.stringify(path)}: it must be a folder that can be written to (${reasonOf(error)})`);
  }
}

/** Not `recursive`: Node does not come back from a file system that has no folder and takes none, such as /proc. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path);
}

/** A file that can be written, in a folder that is there. @throws UsageError */
export function fileIn(option: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    accessSync(dirname(resolve(path)), constants.W_OK);
    return path;
  } catch (error) {
    throw new ArgumentsError(
      `--${option} is ${JSON.stringify(path)}: it must be a file in a folder that can be written to (${reasonOf(error)})`,
    );
  }
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= least) return value;
  throw new ArgumentsError(`--${option} is ${JSON.stringify(text)}: it must be a whole number, at least ${least}`);
}

class ArgumentsError extends UsageError {}

function parse<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { options, positionals: allowPositionals = false }: Command<Options>,
): Parsed<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    // Its further sentences tell how an argument is made of what looks like an option.
    throw new ArgumentsError((error as Error).message.split(/\.\s/)[0]);
  }
}
