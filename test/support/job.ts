import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import type { CoordinatorEvent } from '../../lib/epoch/events.ts';
import { COMPILE_CACHE } from '../../local/functions/processes.ts';
import type { JobEnd } from '../../local/functions/run-job.ts';
import { createTestTable, TEST_TABLE } from './epochs.ts';
import { brokers } from './kafka-wire.ts';
import { uniqueName } from './topics.ts';
import { PATIENCE_MS } from './wait-for.ts';

export type ToJobProcess =
  | { readonly ask: 'start'; readonly env: Readonly<Record<string, string>> }
  | { readonly ask: 'stop' | 'processes' };
export type FromJobProcess =
  | { readonly is: 'event'; readonly event: CoordinatorEvent }
  | { readonly is: 'log'; readonly name: string; readonly line: string }
  | { readonly is: 'crash'; readonly name: string; readonly reason: string }
  | { readonly is: 'processes'; readonly pids: Readonly<Record<string, number>> }
  | { readonly is: 'ended'; readonly end: JobEnd };

type Env = Readonly<Record<string, string>>;
type EventOf<Name extends CoordinatorEvent['event']> = Extract<CoordinatorEvent, { event: Name }>;

const JOB_PROCESS = fileURLToPath(new URL('job-process.ts', import.meta.url));
/** Short intervals and waits: what a test waits for is an event, not a timer. */
const QUICK: Env = {
  ONCEFLOW_CHECKPOINT_INTERVAL_MS: '60',
  ONCEFLOW_RESTART_BACKOFF_MS: '10',
  ONCEFLOW_RESTART_BACKOFF_MAX_MS: '100',
  ONCEFLOW_STARTING_OFFSETS: 'earliest',
};
/** Transactions as short as the budget allows: epoch + commit + recovery < transaction timeout. */
export const SHORT_TRANSACTIONS: Env = {
  ONCEFLOW_EPOCH_TIMEOUT_MS: '1500',
  ONCEFLOW_COMMIT_TIMEOUT_MS: '500',
  ONCEFLOW_RECOVERY_TIMEOUT_MS: '900',
  ONCEFLOW_LEASE_MS: '800',
  ONCEFLOW_TRANSACTION_TIMEOUT_MS: '3000',
};
const SHOWN_LINES = 25;

/** One job of one test: its name and where it keeps what it stores, the same for each of its runs. */
export interface TestJob {
  readonly name: string;
  readonly env: Env;
  /** The folder that ONCEFLOW_BLOBS names unless `env` says otherwise. */
  readonly blobs: string;
  /** Starts the job's functions as processes; they end with the test, however it ends. */
  start(more?: Env): JobRun;
}

/** Names a job that no other test has. `module`: a path from the repository's root. */
export async function newJob(module: string, topics: Readonly<Record<string, string>>, more: Env = {}): Promise<TestJob> {
  const name = uniqueName('job');
  await createTestTable();
  const blobs = mkdtempSync(join(tmpdir(), 'onceflow-blobs-'));
  onTestFinished(() => rmSync(blobs, { recursive: true, force: true }));
  const env = {
    ...definedOf(process.env),
    ONCEFLOW_JOB: `./${module}`,
    ONCEFLOW_JOB_NAME: name,
    ONCEFLOW_BROKERS: brokers().join(','),
    ONCEFLOW_TABLE: TEST_TABLE,
    ONCEFLOW_BLOBS: pathToFileURL(blobs).href,
    ONCEFLOW_TOPICS: Object.entries(topics)
      .map((pair) => pair.join('='))
      .join(','),
    ...QUICK,
    ...more,
  };
  return { name, env, blobs, start: (evenMore = {}) => new JobRun(name, { ...env, ...evenMore }) };
}

/** The functions of a job, running in a process group of their own. */
export class JobRun {
  readonly events: CoordinatorEvent[] = [];
  readonly crashes: { readonly name: string; readonly reason: string }[] = [];
  /** Resolves when the job has ended by itself, by `stop`, or killed. */
  readonly ended: Promise<JobEnd>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #end: JobEnd | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(name: string, env: Env) {
    const cached = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    this.#child = fork(JOB_PROCESS, [name], { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: cached });
    onTestFinished(() => this.killAll());
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk) => this.#lines.push(`job process: ${chunk}`));
    this.#child.on('message', (message: FromJobProcess) => this.#take(message));
    this.ended = once(this.#child, 'exit').then(([, signal]) => {
      this.#end ??= { end: 'killed', message: `the job's processes ended by ${signal}` };
      this.#wake();
      return this.#end;
    });
    this.#tell({ ask: 'start', env });
  }

  /** The first event of this kind that fits, seen already or to come. Rejects when the job ends without it. */
  event<Name extends CoordinatorEvent['event']>(name: Name, fits: (event: EventOf<Name>) => boolean = () => true): Promise<EventOf<Name>> {
    return this.until(`event ${name}`, () => this.eventsOf(name).find(fits));
  }

  eventsOf<Name extends CoordinatorEvent['event']>(name: Name): EventOf<Name>[] {
    return this.events.filter((event): event is EventOf<Name> => event.event === name);
  }

  /** Waits for `find` to find something in what the job has told. */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const impatient = once(patience, 'abort');
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#end !== undefined)
        throw new Error(`the job ended without ${what}: ${this.#end.end}: ${this.#end.message}
${this.told()}`);
      if (patience.aborted)
        throw new Error(`not within ${PATIENCE_MS} ms: ${what}
${this.told()}`);
      await Promise.race([this.#changed.promise, impatient]);
    }
  }

  /** Ends the job in order and asserts that it did. */
  async stop(): Promise<JobEnd> {
    this.#tell({ ask: 'stop' });
    const end = await this.ended;
    if (end.end !== 'stopped') throw new Error(`the job did not stop, but ${end.end}: ${end.message}\n${this.told()}`);
    return end;
  }

  /** kill -9 of the whole process group. */
  async killAll(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined)
      process.kill(-this.#child.pid, 'SIGKILL');
    await this.ended;
  }

  /** The process id of the function whose name begins with `name`, when it runs. */
  async pid(name: string): Promise<number> {
    for (;;) {
      const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(10_000) }) as Promise<[FromJobProcess]>;
      this.#tell({ ask: 'processes' });
      const [message] = await answer;
      if (message.is !== 'processes') continue;
      const found = Object.entries(message.pids).find(([process]) => process.startsWith(name));
      if (found !== undefined) return found[1];
    }
  }

  /** What the job told lately, for messages of failed tests. */
  told(): string {
    return [...this.events.map((event) => JSON.stringify(event)), ...this.#lines].slice(-SHOWN_LINES).join('\n');
  }

  #tell(message: ToJobProcess): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #take(message: FromJobProcess): void {
    if (message.is === 'event') this.events.push(message.event);
    if (message.is === 'log') this.#lines.push(`${message.name}: ${message.line}`);
    if (message.is === 'crash') this.crashes.push(message);
    if (message.is === 'ended') this.#end = message.end;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || name.startsWith('ONCEFLOW_') ? [] : [[name, value]])),
  );
}
