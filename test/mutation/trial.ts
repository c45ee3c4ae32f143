import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Tests to be run in a process of their own, in this order, up to the first that fails. */
export interface Trial {
  /** Test files, from the root of the repository. */
  readonly files: readonly string[];
  /** Seeds of the simulation, after the files. */
  readonly seeds: readonly number[];
  /** A source file that is other than on disk. */
  readonly changed?: { readonly file: string; readonly source: string };
  /** Source files that tell which of their places the tests reach. */
  readonly probed?: readonly string[];
  /** Processor time for one test; also for the load of one file. */
  readonly limitMs: number;
}

export interface RanTest {
  readonly file: string;
  readonly name: string;
  readonly usedMs: number;
  /** Probes met by this test, and those met since the one before while files were loaded. */
  readonly reached: readonly number[];
  readonly loaded: readonly number[];
}

/** With the processor time that it took. */
export type TrialResult = TrialOutcome & { readonly usedMs: number };

export type TrialOutcome =
  | { readonly outcome: 'passed'; readonly ran: readonly RanTest[] }
  | { readonly outcome: 'failed'; readonly file: string; readonly name: string; readonly message: string }
  /** After what is named, nothing ended within the limit. */
  | { readonly outcome: 'hung'; readonly name: string }
  /** The process or the thread of the tests ended by itself: it was out of memory. */
  | { readonly outcome: 'died'; readonly message: string };

const CHILD = join(import.meta.dirname, 'child.ts');
/** A mutant that gathers without end is stopped here. */
const MOST_MEGABYTES = 2_048;

/** Vitest of a test in which a trial runs must not be taken for its own. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST|NODE_ENV|NODE_OPTIONS)/.test(name)));

/** Runs them. Throws when the tool itself fails. */
export async function runTrial(trial: Trial): Promise<TrialResult> {
  const child = fork(CHILD, {
    execArgv: [`--max-old-space-size=${MOST_MEGABYTES}`, '--disable-warning=TimeoutNegativeWarning'],
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let result: TrialResult | undefined;
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  child.on('message', (message) => {
    result = message as TrialResult;
  });
  child.send(trial);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (result !== undefined) return result;
  if (signal === null)
    throw new Error(`the process of a trial ended with code ${code} and without a result, which no mutant can do:\n${errors}`);
  return { outcome: 'died', message: `the process ended with ${signal}`, usedMs: 0 };
}
