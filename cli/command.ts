import type { ExitCode } from './exit-codes.ts';
import type { Option } from './options.ts';
import type { CommandTools } from './tools.ts';

export type Options = Readonly<Record<string, Option<unknown>>>;

/** What was given for each option, or what that one makes of nothing. */
export type Values<Of extends Options> = { readonly [Name in keyof Of]: Of[Name] extends Option<infer T> ? T : never };

/** What may stand behind a command's name. */
export interface Arguments {
  /** What `--help` calls them. */
  readonly takes: string;
  /** How many there may be. */
  readonly most: number;
  /** What the first of them may be, where it is one of these words. */
  readonly words?: readonly string[];
}

/** A call, and what it is good for. */
export interface Example {
  /** Behind `onceflow`. */
  readonly call: string;
  readonly does: string;
}

interface Described<Of extends Options> {
  readonly name: string;
  /** What `--help` says of it, in one line. */
  readonly usage: string;
  /** What `--help` of the command alone says besides. */
  readonly more?: string;
  /** @default nothing stands behind the name */
  readonly arguments?: Arguments;
  /** Besides those that every command takes. */
  readonly options: Of;
  /** What `--json` puts on standard output. @default one JSON object */
  readonly json?: string;
  /** One at least. */
  readonly examples: readonly Example[];
}

/** A command of `npx onceflow`. Its file is in `commands/`, and the table in `commands.ts` lists it: that is all it needs. */
export type Command = JobCommand | PlainCommand;

/** A command on a job. */
export interface JobCommand<Of extends Options = Options> extends Described<Of> {
  readonly on: 'job';
  /** @throws what main.ts knows an exit code for */
  run(tools: CommandTools, values: Values<Of>, given: readonly string[]): Promise<CommandResult>;
}

/** A command that needs no job of the table. */
export interface PlainCommand<Of extends Options = Options> extends Described<Of> {
  readonly on: 'nothing';
  /** @throws what main.ts knows an exit code for */
  run(around: Around, values: Values<Of>, given: readonly string[]): Promise<CommandResult>;
}

/** What a command that needs no job has around it. */
export interface Around {
  readonly env: NodeJS.ProcessEnv;
  /** Every command. */
  readonly commands: readonly Command[];
  /** Progress, for people: on standard error. */
  readonly say: (line: string) => void;
  /** One line of what was asked for, as it comes: on standard output. */
  readonly show: (line: string) => void;
  /** JSON was asked for. */
  readonly json: boolean;
}

/** What a command has found or done: one of the two forms is printed. */
export interface CommandResult {
  readonly code: ExitCode;
  /** Undefined: all was shown as it came. */
  readonly json: object | undefined;
  /** Empty: nothing more is to be said. */
  readonly text: string;
}

/** A command whose `run` gets the values of its options in their types. */
export function command<const Of extends Options>(of: Omit<JobCommand<Of>, 'on'>): JobCommand {
  return { on: 'job', ...of };
}

export function plainCommand<const Of extends Options>(of: Omit<PlainCommand<Of>, 'on'>): PlainCommand {
  return { on: 'nothing', ...of };
}
