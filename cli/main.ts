import { readFileSync } from 'node:fs';
import { explainError } from '../host/explain-error.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { JobFailedError, LeftToNextError } from '../lib/epoch/coordinator/context.ts';
import { readArguments } from './arguments.ts';
import type { CommandResult } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { commandHelp, helpText } from './help.ts';
import { openTools } from './tools.ts';

/** Of the package: two folders up in it, where this is JavaScript. */
const MANIFEST = new URL(import.meta.url.endsWith('.js') ? '../../package.json' : '../package.json', import.meta.url);

/** Where lines go: what was asked for to `log`, all else to `error`. */
type Output = Pick<Console, 'log' | 'error'>;

/** Runs one command and prints what came of it. Answers the exit code. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv, output: Output = console): Promise<ExitCode> {
  try {
    return await runCommand(argv, env, output);
  } catch (error) {
    const { code, message } = explain(error);
    output.error(`onceflow: ${message}`);
    return code;
  }
}

async function runCommand(argv: readonly string[], env: NodeJS.ProcessEnv, output: Output): Promise<ExitCode> {
  const { command, help, version, given, job, json, values } = readArguments(COMMANDS, argv);
  if (version) return print(versionResult(), json, output);
  if (command === undefined || help) {
    output.log(command === undefined ? helpText(COMMANDS) : commandHelp(command));
    return help ? EXIT.ok : EXIT.usage;
  }
  const say = (line: string) => output.error(line);
  const show = (line: string) => output.log(line);
  const options = values();
  if (command.on === 'nothing') return print(await command.run({ env, commands: COMMANDS, say, show, json }, options, given), json, output);
  const tools = await openTools(env, job, { say, show, json });
  try {
    return print(await command.run(tools, options, given), json, output);
  } finally {
    await tools.close();
  }
}

function versionResult(): CommandResult {
  const { version } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string };
  return { code: EXIT.ok, json: { version }, text: version };
}

function print({ code, json, text }: CommandResult, isJson: boolean, output: Output): ExitCode {
  if (isJson && json !== undefined) output.log(JSON.stringify(json, null, 2));
  if (!isJson && text !== '') output.log(text);
  return code;
}

function explain(error: unknown): { readonly code: ExitCode; readonly message: string } {
  if (error instanceof UsageError) return { code: EXIT.usage, message: `${error.message} ("onceflow --help" shows how)` };
  if (error instanceof JobFailedError) return { code: EXIT.jobFailed, message: error.message };
  if (error instanceof LeftToNextError)
    return { code: EXIT.timedOut, message: `not finished within --timeout; run it again to finish it: ${error.message}` };
  const { is, message } = explainError(error);
  return { code: is === 'setting' ? EXIT.usage : EXIT.failed, message };
}
