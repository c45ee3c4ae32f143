import type { CoordinatorDeps, CoordinatorEnd, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { coordinate } from '../../../lib/epoch/coordinator/coordinator.ts';
import { awaitTurn } from '../../../lib/epoch/lease/await-turn.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { createSavepoint } from '../../../lib/epoch/savepoint/create.ts';
import { deleteSavepoint } from '../../../lib/epoch/savepoint/delete.ts';
import { fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { coordinateSinks } from '../../../lib/sinks/connectors.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import { SimProcess, START_MS } from '../kernel/process.ts';
import { Scheduler } from '../kernel/scheduler.ts';
import { INPUT, JOB } from '../sim-job.ts';
import type { Calls } from './calls.ts';
import { LongFunctions } from './functions.ts';
import { lineOf, longJob, RECORDS_OF_A_LINE } from './long-job.ts';
import { INPUT_PARTITIONS, type Ports, type Sample, Services } from './services.ts';

/** Something that people or machines do to the job. `crash`: the coordinator dies. `lose-functions`: every process of a function does. */
export type Deed = 'pin' | 'unpin' | 'start-from' | 'crash' | 'lose-functions' | { readonly subtasks: number };

export interface LongRunOptions {
  readonly untilMs: number;
  readonly intervalMs: number;
  /** A line comes as often. Undefined: one at the beginning, and then none. */
  readonly inputEveryMs: number | undefined;
  /** @default the coordinator stays */
  readonly idleExitMs?: number;
  readonly inlineBlobBytes: number;
  readonly deeds: readonly { readonly atMs: number; readonly does: Deed }[];
  /** How many of the calls of functions fail, from 0 to 1, after they have done their work. */
  readonly failures: number;
  readonly sampleEveryMs: number;
  /** From when on calls and times are counted. @default 0 */
  readonly countFromMs?: number;
}

export interface LongOutcome {
  readonly epochs: number;
  readonly samples: readonly Sample[];
  readonly calls: Calls;
  /** How often a coordinator took the lease, and how long they ran. */
  readonly tenures: number;
  readonly tenureMs: number;
  readonly ticks: number;
  readonly failedAttempts: number;
  /** Records in the topic that counts, and how many the input makes there. */
  readonly committed: number;
  readonly expected: number;
}

const MOST_SUBTASKS = 4;
const MAX_PARALLELISM = 8;
const SAVEPOINT = 'kept';
/** What Lambda lets a coordinator run for, less what it needs to end. */
const TENURE_MS = 880_000;
const TICK_MS = 60_000;
const FORGET_EVERY_MS = 600_000;
/** Not that a function's answer was lost. */
const CHORE_FAILED = /^(collect|read-control|record-commit|record-scale|widen-pool|sink-facts|group-offsets|look-for-\S+): /;

/**
 * A job for days and months: coordinator, stages and collection are the engine's, over the simulation's models, in virtual time, as a deployment
 * runs them. What can go wrong at each call is the business of `World`; this one looks at what is kept, and counts what is asked for.
 */
export class LongRun {
  readonly #options: LongRunOptions;
  readonly #scheduler = new Scheduler();
  readonly #services = new Services(this.#scheduler);
  readonly #functions: LongFunctions;
  readonly #samples: Sample[] = [];
  readonly #running = new Map<SimProcess, AbortController>();
  readonly #plan = compilePlan(longJob);
  #processes = 0;
  #lines = 0;
  #epochs = 0;
  #tenures = 0;
  #tenureMs = 0;
  #ticks = 0;
  #failedAttempts = 0;
  #failure: Error | undefined;

  constructor(options: LongRunOptions) {
    this.#options = options;
    const { inlineBlobBytes, failures } = options;
    const dice = new Dice(hashOf(1, 'long run'));
    this.#functions = new LongFunctions({ services: this.#services, scheduler: this.#scheduler, dice, inlineBlobBytes, failures });
  }

  /** `tell` is given all samples so far, at each. @throws Error: what a coordinator or somebody's command failed of */
  async run(tell: (samples: readonly Sample[]) => void = () => {}): Promise<LongOutcome> {
    const { untilMs, inputEveryMs, sampleEveryMs, deeds, countFromMs = 0 } = this.#options;
    const scheduler = this.#scheduler;
    const services = this.#services;
    this.#append();
    if (inputEveryMs !== undefined) this.#every(inputEveryMs, () => this.#append());
    for (const { atMs, does } of deeds) scheduler.at(atMs, undefined, () => this.#happen(does));
    this.#every(TICK_MS, () => this.#tick());
    this.#every(FORGET_EVERY_MS, () => services.forgetOld());
    this.#every(sampleEveryMs, () => {
      this.#samples.push(services.sample());
      tell(this.#samples);
    });
    scheduler.at(countFromMs, undefined, () => {
      services.calls.forget();
      [this.#tenures, this.#tenureMs, this.#ticks] = [0, 0, 0];
    });
    this.#run({ startKind: 'explicit' });
    await scheduler.run(() => this.#failure !== undefined, { untilMs, events: Number.POSITIVE_INFINITY });
    for (const [process, end] of this.#running) {
      process.kill();
      end.abort();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return {
      epochs: this.#epochs,
      samples: this.#samples,
      calls: services.calls,
      tenures: this.#tenures,
      tenureMs: this.#tenureMs,
      ticks: this.#ticks,
      failedAttempts: this.#failedAttempts,
      committed: services.committed,
      expected: this.#lines * RECORDS_OF_A_LINE,
    };
  }

  #every(ms: number, run: () => void): void {
    this.#scheduler.after(ms, undefined, () => {
      run();
      this.#every(ms, run);
    });
  }

  #append(): void {
    const n = this.#lines++;
    this.#services.broker.appendPlain(INPUT, n % INPUT_PARTITIONS, [lineOf(n)]);
  }

  #newProcess(role: 'coordinator' | 'command'): SimProcess {
    return new SimProcess(`${role} #${++this.#processes}`, role, 'a', { skewMs: 0, drift: 0, beganMs: 0 });
  }

  #happen(does: Deed): void {
    switch (does) {
      case 'crash':
        for (const [process, end] of this.#running) {
          process.kill();
          // What listened to it is let go of; a dead process does nothing any more.
          end.abort();
        }
        return this.#running.clear();
      case 'lose-functions':
        return this.#functions.lose();
      case 'start-from':
        return this.#run({
          startKind: 'explicit',
          startAt: { at: { savepoint: SAVEPOINT }, once: `start ${this.#processes}`, drop: [], onWrittenAgain: 'allow' },
        });
      default:
        command(this.#services.portsOf(this.#newProcess('command')), does).catch((error: Error) => this.#fail(error));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  /** The deployment's schedule. */
  #tick(): void {
    this.#ticks++;
    this.#run({ startKind: 'revival' });
  }

  #run({ startKind, startAt }: Pick<JobSettings, 'startKind' | 'startAt'>): void {
    const process = this.#newProcess('coordinator');
    const end = new AbortController();
    const scheduler = this.#scheduler;
    const ports = this.#services.portsOf(process);
    const { intervalMs, idleExitMs } = this.#options;
    const settings: JobSettings = {
      ...fixed,
      holder: process.name,
      plan: this.#plan,
      parallelism: Object.fromEntries(this.#plan.stages.map(({ id }) => [id, { least: 1, most: MOST_SUBTASKS }])),
      checkpointIntervalMs: intervalMs,
      idleExitMs,
      startKind,
      startAt,
      holderEndsAtMs: START_MS + scheduler.nowMs + TENURE_MS,
    };
    let tookMs: number | undefined;
    const deps: CoordinatorDeps = {
      ...ports,
      sinks: coordinateSinks(ports, { deliveryGuarantee: 'exactly-once', transactionTimeoutMs: 600_000 }),
      invoker: this.#functions.invokerFor(process),
      observe: (event) => {
        if (!process.alive) return;
        if (event.event === 'lease-taken') {
          tookMs = scheduler.nowMs;
          this.#tenures++;
        }
        this.#hear(event);
      },
    };
    this.#running.set(process, end);
    const timer = scheduler.after(TENURE_MS, process, () => end.abort());
    const never = new AbortController().signal;
    const coordinated = () => coordinate(deps, settings, { stop: never, handOver: end.signal });
    const waited = async (): Promise<CoordinatorEnd> => {
      const turn = await awaitTurn(deps, { ...settings, standby: 'none' }, TENURE_MS - 2 * TICK_MS, end.signal);
      return turn.turn === 'mine' ? coordinated() : { end: 'refused', message: turn.message };
    };
    (startKind === 'explicit' ? coordinated() : waited()).then(
      (ended) => {
        timer.cancelled = true;
        this.#running.delete(process);
        if (tookMs !== undefined) this.#tenureMs += scheduler.nowMs - tookMs;
        if (process.alive && ended.end === 'failed') this.#fail(new Error(ended.message));
        process.kill();
      },
      (error: Error) => this.#fail(error),
    );
  }

  #hear(event: CoordinatorEvent): void {
    if (event.event === 'committed') this.#epochs++;
    if (event.event === 'attempt-failed') this.#failedAttempts++;
    if (event.event === 'warning' && CHORE_FAILED.test(event.message)) this.#fail(new Error(`a chore failed: ${event.message}`));
  }
}

/** What is the same in every run: the defaults of a deployment. */
const fixed = {
  job: JOB,
  build: 'a',
  fingerprint: fingerprint(describeGraph(longJob)),
  groupId: JOB,
  commitOffsets: true,
  onDataLoss: 'stop',
  onMissingEvidence: 'stop',
  onMissingState: 'stop',
  maxParallelism: MAX_PARALLELISM,
  epochTimeoutMs: 60_000,
  commitTimeoutMs: 30_000,
  recoveryTimeoutMs: 120_000,
  maxEpochBytes: 64 * 1024 * 1024,
  maxConcurrentEpochs: 3,
  idlePollMaxMs: 1_000,
  leaseMs: 30_000,
  retainedCheckpoints: 3,
  restart: { kind: 'exponential', firstMs: 1_000, maxMs: 60_000 },
  tolerableFailures: Number.POSITIVE_INFINITY,
  refusalTimeoutMs: 20_000,
  minPauseMs: 0,
  poisonAttempts: Number.POSITIVE_INFINITY,
} as const;

/** What somebody runs, as `npx onceflow` does. */
async function command(ports: Ports, does: 'pin' | 'unpin' | { readonly subtasks: number }): Promise<void> {
  const { epochs, clock, random } = ports;
  if (does === 'pin') {
    const made = await createSavepoint(ports, JOB, SAVEPOINT, undefined);
    if (made.outcome !== 'created') throw new Error(`no savepoint: ${made.outcome}`);
    return;
  }
  if (does === 'unpin') {
    const found = await epochs.readSavepoint(JOB, SAVEPOINT);
    if (found === undefined) throw new Error('there is no savepoint to delete');
    await deleteSavepoint(ports, found);
    return;
  }
  const row = await epochs.readJob(JOB);
  if (row === undefined) throw new Error('there is no job to rescale');
  const subtasks = Object.fromEntries(compilePlan(longJob).stages.map(({ id }) => [id, does.subtasks]));
  await epochs.askRescale(JOB, row.incarnation, { id: random.id(), subtasks, askedAtMs: clock.now() }, row.rescale?.id);
}
