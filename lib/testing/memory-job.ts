import type { LoopState } from '../epoch/loop/state.ts';
import { checkCompatible, fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import { type JobDefinition, JobDefinitionError } from '../graph/job.ts';
import { compilePlan } from '../plan/compile.ts';
import { timeDueAtMs } from '../time/due.ts';
import {
  asBuildHasIt,
  type Epoch,
  type EpochCourse,
  type EpochOutcome,
  firstEpoch,
  heldInput,
  runEpoch,
  stateAfter,
  stateOfEmptyEpoch,
} from './epochs.ts';
import { errorOf } from './failures.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { MemoryTopics } from './memory-topics.ts';
import { readBroadcastState, readState } from './read-state.ts';
import { withRecordSinks } from './row-sinks.ts';
import { type Parallelism, type Run, type Surroundings, startRun } from './run.ts';

/** An epoch that was completed. */
export interface EpochReport {
  /** Its number; the first is 1. */
  readonly epoch: number;
  /** Was it there without input, because a time had come? */
  readonly isForTime: boolean;
  /** Records that its sources have read. */
  readonly recordsIn: number;
  /** Records that its sinks have written. */
  readonly recordsOut: number;
}

/** Of one call. What needs more never comes to rest. */
const MOST_EPOCHS = 100_000;
const TWICE = 'the job is at work still: await each call before the next';

/** Its time, which stands still but where the job is told that it passes. */
interface StoppedClock {
  nowMs: number;
}

/** A job from epoch to epoch: those that it has completed, and the processes that run the next. */
export class MemoryJob {
  readonly surroundings: Surroundings;
  readonly #clock: StoppedClock;
  #parallelism: Parallelism;
  /** Undefined: no processes were started since the last crash. */
  #run: Promise<Run> | undefined;
  /** By number. None before the first has been asked for. */
  #epochs: readonly Epoch[];
  #isBusy = false;

  /** @param surroundings with a clock that goes by `clock` */
  constructor(surroundings: Surroundings, clock: StoppedClock, parallelism: Parallelism, epochs: readonly Epoch[]) {
    this.surroundings = surroundings;
    this.#clock = clock;
    this.#parallelism = parallelism;
    this.#epochs = epochs;
  }

  get epochs(): readonly Epoch[] {
    return this.#epochs;
  }

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  get parallelism(): Parallelism {
    return this.#parallelism;
  }

  /** Has it do this, unless it does something. */
  async alone<T>(work: (job: MemoryJob) => Promise<T>): Promise<T> {
    this.#checkIdle();
    this.#isBusy = true;
    try {
      return await work(this);
    } finally {
      this.#isBusy = false;
    }
  }

  async runEpoch(most: number): Promise<EpochReport | undefined> {
    return this.#keep(await this.#started(), await this.#attempt(most));
  }

  async runUntilIdle(most: number): Promise<readonly EpochReport[]> {
    const reports: EpochReport[] = [];
    for (;;) {
      const report = await this.runEpoch(most);
      if (report === undefined) return reports;
      reports.push(report);
      if (reports.length === MOST_EPOCHS) throw new Error(`after ${MOST_EPOCHS} epochs there is still something to do: it never ends`);
    }
  }

  /** @param seen what a source says of its partitions, of which it reads nothing */
  async runEmptyEpoch(seen: NonNullable<EpochCourse['seen']>): Promise<EpochReport> {
    const run = await this.#started();
    const report = await this.#keep(run, await worked(run, await stateOfEmptyEpoch(this.#last(), run), { seen }));
    if (report === undefined) throw new Error('an epoch was begun, and came to nothing');
    return report;
  }

  /** Lets processing time pass. `running`: each time that something waits for comes in an epoch of its own. */
  async goTo(toMs: number, job: 'running' | 'down'): Promise<readonly EpochReport[]> {
    const reports: EpochReport[] = [];
    if (job === 'running') {
      const run = await this.#started();
      for (let dueMs: number | undefined = this.nowMs; dueMs !== undefined && dueMs <= toMs; ) {
        this.#clock.nowMs = Math.max(this.nowMs, dueMs);
        reports.push(...(await this.runUntilIdle(Number.POSITIVE_INFINITY)));
        const nextMs = timeDueAtMs(this.#last().manifest, this.surroundings.compiled.plan, heldInput(this.#last(), run));
        dueMs = nextMs !== undefined && nextMs > this.nowMs ? nextMs : undefined;
      }
    }
    this.#clock.nowMs = toMs;
    if (job === 'running') reports.push(...(await this.runUntilIdle(Number.POSITIVE_INFINITY)));
    return reports;
  }

  /** The next epoch is worked on, and lost. @param before a stage, or the decision */
  async crash(before: string, of: 'everything' | 'coordinator', most: number): Promise<void> {
    await this.#attempt(most, { loseBefore: before });
    if (of === 'everything') this.#run = undefined;
  }

  /** The next epoch is run by new processes. */
  restart(parallelism: Parallelism): void {
    this.#checkIdle();
    this.#parallelism = parallelism;
    this.#run = undefined;
  }

  /**
   * Another one, which goes on from an epoch, and has a copy of what changes. @param job another build of it; undefined: the same
   *
   * @throws JobDefinitionError: that build cannot go on from there
   */
  fork(epoch: number, job: JobDefinition | undefined, parallelism: Parallelism): MemoryJob {
    const clock = { nowMs: this.nowMs };
    const topics = this.surroundings.topics.copy();
    const epochs = this.#epochs.slice(0, epoch + 1);
    const surroundings = { ...this.surroundings, topics, clock: virtualClock(clock) };
    if (job === undefined) return new MemoryJob(surroundings, clock, parallelism, epochs);
    const build = ofBuild(job);
    const last = epochs.pop();
    if (last === undefined) return new MemoryJob({ ...surroundings, ...build }, clock, parallelism, []);
    checkGoesOn(this.surroundings.compiled.job, build.compiled.job);
    return new MemoryJob({ ...surroundings, ...build }, clock, parallelism, [...epochs, asBuildHasIt(last, build.compiled, topics)]);
  }

  async state(operator: string, key: unknown): Promise<Readonly<Record<string, unknown>>> {
    await this.#started();
    return readState(this.surroundings, this.#last().manifest, operator, key);
  }

  async broadcastState(operator: string): Promise<Readonly<Record<string, unknown>>> {
    await this.#started();
    return readBroadcastState(this.surroundings, this.#last().manifest, operator);
  }

  #checkIdle(): void {
    if (this.#isBusy) throw new Error(TWICE);
  }

  async #attempt(most: number, course?: EpochCourse): Promise<EpochOutcome> {
    const run = await this.#started();
    return worked(run, stateAfter(this.#last(), run, most), course);
  }

  async #keep(run: Run, outcome: EpochOutcome): Promise<EpochReport | undefined> {
    switch (outcome.outcome) {
      case 'failed':
        throw await errorOf(run, outcome);
      case 'completed': {
        this.#epochs = [...this.#epochs, outcome.epoch];
        const { manifest, isForTime, recordsIn, recordsOut } = outcome.epoch;
        return { epoch: manifest.epoch, isForTime, recordsIn, recordsOut };
      }
      case 'nothing':
      case 'lost':
        return undefined;
      default:
        return outcome satisfies never;
    }
  }

  async #started(): Promise<Run> {
    this.#run ??= startRun(this.surroundings, this.#parallelism);
    const run = await this.#run;
    if (this.#epochs.length === 0) this.#epochs = [firstEpoch(run)];
    return run;
  }

  #last(): Epoch {
    return this.#epochs.at(-1) as Epoch;
  }
}

interface MemoryJobOptions {
  readonly parallelism: Parallelism;
  readonly maxParallelism: number;
  readonly partitionsOf: (topic: string) => number;
  readonly startMs: number;
}

/** A job that has completed no epoch. Its topics are empty. */
export function newMemoryJob(job: JobDefinition, { parallelism, maxParallelism, partitionsOf, startMs }: MemoryJobOptions): MemoryJob {
  const clock = { nowMs: startMs };
  let ids = 0;
  const random = { id: () => (ids++).toString(16).padStart(32, '0'), fraction: () => 0.5 };
  const surroundings = {
    ...ofBuild(job),
    topics: new MemoryTopics(partitionsOf),
    blobStore: memoryBlobs(),
    clock: virtualClock(clock),
    random,
    maxParallelism,
  };
  return new MemoryJob(surroundings, clock, parallelism, []);
}

/** An epoch, in which no function has changed what it kept of one before. */
async function worked(run: Run, state: LoopState, course?: EpochCourse): Promise<EpochOutcome> {
  const outcome = await runEpoch(run, state, course);
  if (outcome.outcome !== 'failed') run.keptObjects.check();
  return outcome;
}

/** What is known of a build of a job. */
function ofBuild(job: JobDefinition): Pick<Surroundings, 'compiled' | 'sinks'> {
  const recording = withRecordSinks(job);
  const compiled = { job: recording, plan: compilePlan(recording) };
  const sinks = Map.groupBy(
    job.nodes.filter((node) => node.kind === 'sink'),
    ({ to }): unknown => to,
  );
  return { compiled, sinks: new Map([...sinks].map(([to, nodes]) => [to, nodes.map(({ uid }) => uid)])) };
}

function checkGoesOn(before: JobDefinition, after: JobDefinition): void {
  const compatibility = checkCompatible(fingerprint(describeGraph(before)), fingerprint(describeGraph(after)));
  if (compatibility.outcome === 'incompatible')
    throw new JobDefinitionError(`job ${after.name} cannot go on with this graph: ${compatibility.differences.join('; ')}`);
}

function virtualClock(clock: Readonly<StoppedClock>) {
  const now = () => clock.nowMs;
  return { now, elapsedMs: now, sleep: async () => {} };
}
