import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readJob } from '../../host/job/configured-job.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import { COMPILE_CACHE } from '../../local/functions/processes.ts';
import type { JobEnd, RunJobOptions } from '../../local/functions/run-job.ts';
import { PATIENCE_MS } from './wait-for.ts';

export type ToJobProcess =
  | {
      readonly ask: 'start';
      readonly env: Readonly<Record<string, string>>;
      readonly job: NonNullable<RunJobOptions['job']>;
      readonly functions: Functions;
    }
  | { readonly ask: 'stop' | 'processes' };
export type FromJobProcess =
  | { readonly is: 'event'; readonly event: CoordinatorEvent }
  | { readonly is: 'log'; readonly name: string; readonly line: string }
  | { readonly is: 'crash'; readonly name: string; readonly reason: string }
  | { readonly is: 'processes'; readonly pids: Readonly<Record<string, number>> }
  | { readonly is: 'ended'; readonly end: JobEnd };

export type Functions = NonNullable<RunJobOptions['functions']>;

type EventOf<Name extends CoordinatorEvent['event']> = Extract<CoordinatorEvent, { event: Name }>;

const JOB_PROCESS = fileURLToPath(new URL('job-process.ts', import.meta.url));
const SHOWN_LINES = 25;

/** The functions of a job, running in a process group of their own. */
export class JobRun {
  readonly events: CoordinatorEvent[] = [];
  readonly crashes: { readonly name: string; readonly reason: string }[] = [];
  /** Resolves when the job has ended by itself, by `stop`, or killed. */
  readonly ended: Promise<JobEnd>;
  readonly #child: ChildProcess;
  readonly #hear: (message: FromJobProcess) => void;
  readonly #functions: Functions;
  readonly #lines: string[] = [];
  #end: JobEnd | undefined;
  #changed = Promise.withResolvers<void>();

  /** @param hear gets everything that the job tells, as it comes */
  constructor(
    name: string,
    env: Readonly<Record<string, string>>,
    { functions = 'each', hear = () => {} }: { readonly functions?: Functions; readonly hear?: (message: FromJobProcess) => void } = {},
  ) {
    this.#hear = hear;
    this.#functions = functions;
    // The folder for temporary files is the job's: its sockets stay behind when it is killed.
    const cached = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, TMPDIR: env['TMPDIR'] ?? tmpdir() };
    this.#child = fork(JOB_PROCESS, [name], { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: cached });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk) => this.#lines.push(`job process: ${chunk}`));
    this.#child.on('message', (message: FromJobProcess) => this.#take(message));
    this.ended = once(this.#child, 'exit').then(([, signal]) => {
      this.#end ??= { end: 'killed', message: `the job's processes ended by ${signal}` };
      this.#wake();
      return this.#end;
    });
    void this.#start(env);
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

  /** The process id of the function whose name begins with `name`, when it runs. It needs a process of its own. */
  async pid(name: string): Promise<number> {
    if (this.#functions === 'together' && name !== 'coordinator')
      throw new Error(`start the job with each function in its own process: ${name}`);
    for (;;) {
      const found = Object.entries(await this.pids()).find(([process]) => process.startsWith(name));
      if (found !== undefined) return found[1];
    }
  }

  /** The process ids of the functions that run, by their names. */
  async pids(): Promise<Readonly<Record<string, number>>> {
    for (;;) {
      const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(10_000) }) as Promise<[FromJobProcess]>;
      this.#tell({ ask: 'processes' });
      const [message] = await answer;
      if (message.is === 'processes') return message.pids;
    }
  }

  /** What the job told lately, for messages of failed tests. */
  told(): string {
    return [...this.events.map((event) => JSON.stringify(event)), ...this.#lines].slice(-SHOWN_LINES).join('\n');
  }

  /** The job is read here, where the engine is loaded already, and not in its process. */
  async #start(env: Readonly<Record<string, string>>): Promise<void> {
    try {
      const { plan, parallelism } = await readJob(env);
      this.#tell({ ask: 'start', env, job: { plan, parallelism }, functions: this.#functions });
    } catch (error) {
      this.#take({ is: 'ended', end: { end: 'refused', message: error instanceof Error ? error.message : String(error) } });
      await this.killAll();
    }
  }

  #tell(message: ToJobProcess): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #take(message: FromJobProcess): void {
    if (message.is === 'event') this.events.push(message.event);
    if (message.is === 'log') this.#lines.push(`${message.name}: ${message.line}`);
    if (message.is === 'crash') this.crashes.push(message);
    if (message.is === 'ended') this.#end = message.end;
    this.#hear(message);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
