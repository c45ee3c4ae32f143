import type { ExitCode } from './exit-codes.ts';
import type { Option } from './options.ts';
import type { Tools } from './tools.ts';

export type Options = Readonly<Record<string, Option<unknown>>>;

/** What was given for each option, or what that one makes of nothing. */
export type Values<Of extends Options> = { readonly [Name in keyof Of]: Of[Name] extends Option<infer T> ? T : never };

/** A command of `npx onceflow`. Its file is in `commands/`, and the table in `commands.ts` lists it: that is all it needs. */
export interface Command<Of extends Options = Options> {
  readonly name: string;
  /** What `--help` says of it, in one line. */
  readonly usage: string;
  /** Besides those that every command takes. */
  readonly options: Of;
  /** @throws what main.ts knows an exit code for */
  run(tools: Tools, values: Values<Of>): Promise<CommandResult>;
}

/** What a command has found or done: one of the two forms is printed. */
export interface CommandResult {
  readonly code: ExitCode;
  readonly json: object;
  readonly text: string;
}

/** A command whose `run` gets the values of its options in their types. */
export function command<const Of extends Options>(of: Command<Of>): Command {
  return of;
}
