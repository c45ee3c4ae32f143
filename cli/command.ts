import type { ExitCode } from './exit-codes.ts';
import type { Option } from './options.ts';
import type { Tools } from './tools.ts';

export type Options = Readonly<Record<string, Option<unknown>>>;

/** What was given for each option, or what that one makes of nothing. */
export type Values<Of extends Options> = { readonly [Name in keyof Of]: Of[Name] extends Option<infer T> ? T : never };

/** A command of `npx onceflow`. Its file is in `commands/`, and the table in `commands.ts` lists it: that is all it needs. */
export type Command = JobCommand | PlainCommand;

/** A command on a job. */
export interface JobCommand<Of extends Options = Options> {
  readonly name: string;
  /** What `--help` says of it, in one line. */
  readonly usage: string;
  /** Besides those that every command takes. */
  readonly options: Of;
  /** @throws what main.ts knows an exit code for */
  run(tools: Tools, values: Values<Of>): Promise<CommandResult>;
}

/** A command that needs no job. */
export interface PlainCommand {
  readonly name: string;
  /** What `--help` says of it, in one line. */
  readonly usage: string;
  /** What `--help` calls its one argument. */
  readonly argument: string;
  /** @throws what main.ts knows an exit code for */
  run(argument: string | undefined): Promise<CommandResult>;
}

/** What a command has found or done: one of the two forms is printed. */
export interface CommandResult {
  readonly code: ExitCode;
  readonly json: object;
  readonly text: string;
}

/** A command whose `run` gets the values of its options in their types. */
export function command<const Of extends Options>(of: JobCommand<Of>): JobCommand {
  return of;
}

export function plainCommand(of: PlainCommand): PlainCommand {
  return of;
}

/** Of a command on a job. */
export function optionsOf(of: Command | undefined): Options {
  return of !== undefined && 'options' in of ? of.options : {};
}
