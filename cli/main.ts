import { parseArgs } from 'node:util';
import { explainError } from '../host/explain-error.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { JobFailedError, LeftToNextError, SupersededError } from '../lib/epoch/coordinator/context.ts';
import { cancel, type Retention } from './cancel.ts';
import { epochs } from './epochs.ts';
import { type CommandResult, EXIT, type ExitCode } from './exit-codes.ts';
import { resume } from './resume.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { openTools, type Tools } from './tools.ts';
import { transactions } from './transactions.ts';
import { USAGE } from './usage.ts';

const DEFAULT_LIMIT = 20;
const DEFAULT_TIMEOUT_S = 120;

interface Options {
  readonly job?: string | undefined;
  readonly json?: boolean | undefined;
  readonly help?: boolean | undefined;
  readonly limit?: string | undefined;
  readonly timeout?: string | undefined;
  readonly retention?: string | undefined;
}

type Command = (tools: Tools, options: Options) => Promise<CommandResult>;

const COMMANDS = new Map<string, { readonly takes: readonly (keyof Options)[]; readonly run: Command }>(
  Object.entries({
    status: { takes: [], run: status },
    epochs: { takes: ['limit'], run: (tools, { limit }) => epochs(tools, wholeNumber('--limit', limit, DEFAULT_LIMIT)) },
    transactions: { takes: [], run: transactions },
    stop: { takes: ['timeout'], run: (tools, options) => stop(tools, timeoutIn(options)) },
    cancel: {
      takes: ['timeout', 'retention'],
      run: (tools, options) => cancel(tools, retentionIn(tools, options), timeoutIn(options)),
    },
    resume: { takes: [], run: resume },
  }),
);

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
  const { name, options } = parse(argv);
  if (name === undefined || options.help === true) {
    output.log(USAGE);
    return options.help === true ? EXIT.ok : EXIT.usage;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) throw new UsageError(`there is no command ${name}; commands are ${[...COMMANDS.keys()].join(', ')}`);
  const tools = await openTools(env, options.job, (line) => output.error(line));
  try {
    const result = await command.run(tools, options);
    output.log(options.json === true ? JSON.stringify(result.json, null, 2) : result.text);
    return result.code;
  } finally {
    await tools.close();
  }
}

function parse(argv: readonly string[]): { readonly name: string | undefined; readonly options: Options } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        job: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        limit: { type: 'string' },
        timeout: { type: 'string' },
        retention: { type: 'string' },
      },
    });
    const [name, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError(`unexpected ${rest.join(' ')}: one command at a time`);
    const command = name === undefined ? undefined : COMMANDS.get(name);
    const foreign = Object.keys(values).find(
      (option) => !['job', 'json', 'help'].includes(option) && command?.takes.every((own) => own !== option),
    );
    if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}`);
    return { name, options: values };
  } catch (error) {
    // Its further sentences tell how an argument is made of what looks like an option.
    if (error instanceof TypeError) throw new UsageError(error.message.split(/\.\s/)[0]);
    throw error;
  }
}

function wholeNumber(option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(given))
    throw new UsageError(`${option} is ${JSON.stringify(given)}: it must be a whole number from 1 to 999999`);
  return Number(given);
}

function timeoutIn({ timeout }: Options): AbortSignal {
  return AbortSignal.timeout(wholeNumber('--timeout', timeout, DEFAULT_TIMEOUT_S) * 1_000);
}

function retentionIn({ config }: Tools, { retention = config.cancelRetention }: Options): Retention {
  if (retention === 'retain' || retention === 'delete') return retention;
  throw new UsageError(`--retention is ${JSON.stringify(retention)}: it must be retain or delete`);
}

function explain(error: unknown): { readonly code: ExitCode; readonly message: string } {
  if (error instanceof UsageError) return { code: EXIT.usage, message: `${error.message} ("onceflow --help" shows how)` };
  if (error instanceof JobFailedError) return { code: EXIT.jobFailed, message: error.message };
  if (error instanceof SupersededError)
    return { code: EXIT.startedAgain, message: `the job was started again meanwhile: ${error.message}` };
  if (error instanceof LeftToNextError)
    return { code: EXIT.timedOut, message: `not finished within --timeout; run it again to finish it: ${error.message}` };
  const { is, message } = explainError(error);
  return { code: is === 'setting' ? EXIT.usage : EXIT.failed, message };
}
