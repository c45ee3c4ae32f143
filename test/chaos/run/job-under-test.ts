import type { Dice } from '../../simulation/kernel/dice.ts';
import { type FromJobProcess, JobRun } from '../../support/job-run.ts';
import type { History } from './history.ts';
import type { Work } from './workload.ts';

/** A job that has not committed anything for this long has lost its way. */
const PATIENCE_MS = 120_000;

type Stages = Pick<Work, 'operator' | 'sinks'>;

export interface Totals {
  starts: number;
  takeovers: number;
  epochs: number;
  failedAttempts: number;
  doubtful: number;
  republished: number;
}

/** The job under its faults: one run of its processes after the other, sometimes two at once. */
export class JobUnderTest {
  readonly name: string;
  readonly totals: Totals = { starts: 0, takeovers: 0, epochs: 0, failedAttempts: 0, doubtful: 0, republished: 0 };
  /** Rejects when a run ends that nobody has ended, or when the run as a whole is given up. */
  readonly broken: Promise<never>;
  lastCommitMs = Date.now();
  readonly #stages: Stages;
  readonly #env: Readonly<Record<string, string>>;
  readonly #history: History;
  readonly #break: (reason: Error) => void;
  readonly #alive = new Set<JobRun>();
  readonly #mayEnd = new Set<JobRun>();
  #current: JobRun | undefined;
  #over = false;
  #committed = Promise.withResolvers<void>();

  constructor(name: string, stages: Stages, env: Readonly<Record<string, string>>, history: History) {
    this.name = name;
    this.#stages = stages;
    this.#env = env;
    this.#history = history;
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    this.broken.catch(() => {});
    this.#break = reject;
  }

  /** The run that goes on. */
  get current(): JobRun {
    if (this.#current === undefined) throw new Error('the job has not been started');
    return this.#current;
  }

  /** Starts the job's processes, in a width that the dice choose. */
  start(dice: Dice): JobRun {
    if (this.#over) throw new Error('the chaos run is over');
    const { operator, sinks } = this.#stages;
    const width = [`${operator}=${dice.whole(1, 3)}`, ...sinks.map((sink) => `${sink}=${dice.whole(1, 2)}`)].join(',');
    const number = ++this.totals.starts;
    const hear = (message: FromJobProcess) => {
      if (message.is === 'processes') return;
      this.#history.note(`run ${number}  ${JSON.stringify(message)}`);
      if (message.is === 'event') this.#count(message.event);
    };
    const run = new JobRun(this.name, { ...this.#env, ONCEFLOW_STAGE_PARALLELISM: width }, { hear });
    this.#history.note(`run ${number}  starts with ${width}`);
    this.#alive.add(run);
    this.#current = run;
    void run.ended.then(({ end, message }) => {
      this.#alive.delete(run);
      if (!this.#mayEnd.has(run)) this.#break(new Error(`the job ended by itself: ${end}: ${message}\n${run.told()}`));
    });
    return run;
  }

  /** kill -9 of every process of the job. */
  async killAll(): Promise<void> {
    this.#mayEnd.add(this.current);
    await this.current.killAll();
  }

  /** A second coordinator starts, with functions of its own, beside the current one. One of the two ends as superseded. */
  async takeOver(dice: Dice, meanwhile: (next: JobRun) => Promise<void>): Promise<void> {
    const before = this.current;
    this.#mayEnd.add(before);
    const next = this.start(dice);
    this.#mayEnd.add(next);
    await meanwhile(next);
    const both = [before, next];
    const loser = await Promise.race(both.map((run) => run.ended.then(() => run)));
    const { end, message } = await loser.ended;
    if (end !== 'superseded') throw new Error(`of two coordinators one ended as ${end}: ${message}\n${loser.told()}`);
    const winner = loser === before ? next : before;
    this.#mayEnd.delete(winner);
    this.#current = winner;
    this.totals.takeovers++;
  }

  /** Resolves with the milliseconds until the next commit. */
  async nextCommit(): Promise<number> {
    const startedMs = Date.now();
    const patience = setTimeout(
      () => this.#break(new Error(`no commit within ${PATIENCE_MS / 1000} s\n${this.current.told()}`)),
      PATIENCE_MS,
    );
    try {
      await Promise.race([this.#committed.promise, this.broken]);
    } finally {
      clearTimeout(patience);
    }
    return Date.now() - startedMs;
  }

  async stop(): Promise<void> {
    this.#mayEnd.add(this.current);
    await this.current.stop();
  }

  /** Ends whatever still runs, at once. */
  async end(): Promise<void> {
    this.#over = true;
    for (const run of this.#alive) this.#mayEnd.add(run);
    this.#break(new Error('the chaos run is over'));
    await Promise.all([...this.#alive].map((run) => run.killAll()));
  }

  #count(event: JobRun['events'][number]): void {
    const { totals } = this;
    if (event.event === 'attempt-failed') totals.failedAttempts++;
    if (event.event === 'doubtful') totals.doubtful++;
    if (event.event === 'recovered') totals.republished += event.republished;
    if (event.event !== 'committed') return;
    totals.epochs++;
    totals.republished += event.republished;
    this.lastCommitMs = Date.now();
    this.#committed.resolve();
    this.#committed = Promise.withResolvers();
  }
}
