import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { CoordinatorEnd } from '../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { StartKind } from '../../lib/epoch/start/may-start.ts';
import type { Standby } from '../../lib/epoch/start/revival.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import { BrokerFaults } from './broker-faults.ts';
import { Checker } from './checker/checker.ts';
import type { Command } from './commands.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import { type Log, Network } from './kernel/network.ts';
import { type ProcessClock, SimProcess } from './kernel/process.ts';
import { Scheduler } from './kernel/scheduler.ts';
import { BlobBucket } from './models/blob-bucket.ts';
import { EpochTable } from './models/epoch-table.ts';
import { FunctionService } from './models/functions.ts';
import { Broker } from './models/kafka-broker.ts';
import type { DiskFault } from './models/local-disk.ts';
import { Targets } from './models/targets.ts';
import { Person } from './right-stops.ts';
import type { SavepointAct } from './savepoints.ts';
import { type Build, DEAD_LETTER_TOPIC, INPUT, shapeOf } from './sim-job.ts';
import { FaultyUserCode } from './user-code.ts';
import { askRescale, keepSavepoint, startCommand } from './world/command-line.ts';
import { type RunningCoordinator, startCoordinator } from './world/coordinators.ts';
import { handlerOf } from './world/functions.ts';
import { inflict } from './world/inflict.ts';
import { MAX_PARALLELISM } from './world/settings.ts';
import { WATCH_MS, watch } from './world/watch.ts';
import type { CommandEnd, InputBatch, Outcome, WorldOptions } from './world-options.ts';

/** How long a job may take to catch up once faults have stopped: the longest pauses and timeouts, and some more. */
const CATCH_UP_MS = 400_000;
const MAX_EVENTS = 150_000;
const MAX_VIOLATIONS = 5;
/** Processes have been there for so long, by their `elapsedMs`, when the virtual time begins. */
const MOST_UPTIME_MS = 10_000_000;

/** The services, who runs on them, and what there is to tell of it. What goes on in it is in the folder `world`. */
export class World {
  readonly options: WorldOptions;
  readonly dice: Dice;
  readonly scheduler = new Scheduler();
  readonly network: Network;
  readonly broker: Broker;
  readonly table: EpochTable;
  readonly bucket: BlobBucket;
  readonly targets = new Targets(() => this.scheduler.nowMs);
  readonly functions: FunctionService;
  readonly code: FaultyUserCode;
  readonly checker: Checker;
  readonly brokerFaults: BrokerFaults;
  readonly person: Person;
  /** Processes: coordinators, `onceflow stop`, `cancel` and those that keep savepoints. */
  readonly coordinators: RunningCoordinator[] = [];
  readonly commands: SimProcess[] = [];
  /** Of the commands, `onceflow delete`. */
  readonly deletions: SimProcess[] = [];
  readonly keepers: SimProcess[] = [];
  readonly observed: CoordinatorEvent[] = [];
  readonly ends: CoordinatorEnd[] = [];
  readonly commandEnds: CommandEnd[] = [];
  readonly savepointEnds: string[] = [];
  readonly trace: Log;
  /** The build that new processes run. */
  build: Build = 'a';
  phase: 'faults' | 'catching-up' | 'stopping' = 'faults';
  /** Until then nobody starts the job. */
  leftAloneUntilMs = 0;
  readonly #history: string[] = [];
  readonly #disks: Dice;
  readonly #diskFaults: Partial<Record<DiskFault, number>> = {};

  constructor(options: WorldOptions) {
    this.#disks = new Dice(hashOf(options.seed, 'disks'));
    this.options = options;
    this.dice = new Dice(hashOf(options.seed, 'world'));
    const { scheduler } = this;
    this.trace = options.history
      ? (actor, what) => this.#history.push(`${(scheduler.nowMs / 1000).toFixed(4).padStart(9)}  ${actor.padEnd(20)} ${what()}`)
      : () => {};
    this.network = new Network({
      seed: options.seed,
      scheduler,
      log: this.trace,
      faults: (call) => {
        if (call.atMs >= options.faultsUntilMs) return undefined;
        this.brokerFaults.meet(call);
        return options.faults(call);
      },
      onWorldFault: (fault, call) => inflict(this, fault, call),
    });
    const dice = new Dice(hashOf(options.seed, 'broker'));
    const replicating = new Dice(hashOf(options.seed, 'replication'));
    const forgetting = new Dice(hashOf(options.seed, 'forgotten ends'));
    this.broker = new Broker({
      nowMs: () => scheduler.nowMs,
      later: (delayMs, run) => void scheduler.after(delayMs, undefined, run),
      markerDelayMs: () => dice.spread(...options.markerDelayMs),
      replicationMs: () => (options.replicationMs === undefined ? 0 : replicating.spread(...options.replicationMs)),
      forgetsEnd: () => scheduler.nowMs < options.faultsUntilMs && forgetting.chance(options.forgottenEnds ?? 0),
      shuffled: (items) => dice.shuffled(items),
      maxProducerEpoch: options.maxProducerEpoch,
      fetchBytes: options.fetchBytes,
    });
    const { sources, sinks } = shapeOf(options.job);
    for (const topic of new Set(sources.values())) this.broker.createTopic(topic, options.inputPartitions);
    for (const topic of new Set([...sinks.values()].flat())) this.broker.createTopic(topic, options.outputPartitions);
    this.brokerFaults = new BrokerFaults(this, options);
    this.table = new EpochTable(() => scheduler.nowMs, options.tokenLifetimeMs);
    this.bucket = new BlobBucket(() => scheduler.nowMs);
    if (options.userCode !== undefined) this.broker.createTopic(DEAD_LETTER_TOPIC, options.outputPartitions);
    this.code = new FaultyUserCode({
      seed: options.seed,
      chance: options.userCode?.chance ?? 0,
      untilMs: options.faultsUntilMs,
      nowMs: () => scheduler.nowMs,
    });
    const attempts = options.settings.poisonAttempts ?? Number.POSITIVE_INFINITY;
    this.checker = new Checker({
      job: options.job,
      startsAt: options.startingOffsets,
      broker: this.broker,
      table: this.table,
      bucket: this.bucket,
      targets: this.targets,
      maxParallelism: MAX_PARALLELISM,
      poison: { code: this.code, attempts },
      strands: options.strands === true,
    });
    this.person = new Person(this.broker, this.checker, new Dice(hashOf(options.seed, 'person')), this.targets.uploads);
    this.functions = new FunctionService({
      scheduler,
      network: this.network,
      log: this.trace,
      oneAtATime: options.oneAtATime,
      newProcess: (name, { role }) => new SimProcess(name, role, this.build, this.newClock(name)),
      boot: (process) => handlerOf(this, process),
    });
  }

  log(actor: string, what: string): void {
    this.trace(actor, () => what);
  }

  async run(): Promise<Outcome> {
    const { scheduler, checker, options } = this;
    for (const batch of options.input) scheduler.at(batch.atMs, undefined, () => this.append(batch));
    this.brokerFaults.schedule();
    for (const { atMs, subtasks } of options.rescales ?? []) scheduler.at(atMs, undefined, () => askRescale(this, subtasks));
    for (const act of options.savepoints ?? []) scheduler.at(act.atMs, undefined, () => this.onSavepoint(act));
    options.prepare?.(this);
    this.startCoordinator();
    if (options.updateAtMs !== undefined) scheduler.at(options.updateAtMs, undefined, () => this.update());
    scheduler.after(WATCH_MS, undefined, () => watch(this));
    const lastInputMs = Math.max(0, ...options.input.map(({ atMs, endsAfterMs }) => atMs + endsAfterMs));
    const untilMs = Math.max(options.faultsUntilMs, lastInputMs) + CATCH_UP_MS;
    const how = await scheduler.run(() => checker.violations.length > 0, { untilMs, events: MAX_EVENTS });
    if (how === 'events') checker.fail('I6', `it did not come to an end within ${MAX_EVENTS} events`);
    const gaveUp = this.ends.some(({ end, message }) => end === 'failed' && options.mayFail?.test(message) === true);
    if (checker.violations.length === 0 && !gaveUp) checker.checkEnd(this.sources());
    if (options.strands === true) checker.checkSaid(this.observed);
    this.brokerFaults.countStranded();
    // An update has a coordinator give way, and its last epoch sent again when that it was sent is not recorded.
    const hasFailed = this.network.injected.length > 0 || Object.keys(this.#diskFaults).length > 0;
    const isQuiet = !hasFailed && !this.brokerFaults.hasDisturbed;
    if (checker.repeated > 0 && isQuiet && options.updateAtMs === undefined)
      checker.fail('I2', `${checker.repeated} records were sent again though nothing went wrong`);
    this.#release();
    return {
      seed: options.seed,
      violations: checker.violations.slice(0, MAX_VIOLATIONS),
      injected: this.network.injected,
      history: this.#history,
      events: scheduler.events,
      epochs: checker.epochs,
      manifestsInBlobs: checker.manifestsInBlobs,
      repeated: checker.repeated,
      forgotten: this.broker.transactions.forgotten,
      brokerFaults: this.brokerFaults.counts,
      diskFaults: this.#diskFaults,
      virtualMs: scheduler.nowMs,
      observed: this.observed,
      ends: this.ends,
      commands: this.commandEnds,
      savepoints: this.savepointEnds,
      lives: checker.lives,
    };
  }

  /** Node keeps a signal that somebody listens to for as long as it is not aborted, and with it everything here. */
  #release(): void {
    for (const process of [...this.commands, ...this.keepers]) process.alive = false;
    for (const { process, stop, handOver } of this.coordinators) {
      process.alive = false;
      stop.abort();
      handOver.abort();
    }
  }

  append({ topic = INPUT, partition, lines, how, endsAfterMs }: Omit<InputBatch, 'atMs'>): void {
    // A topic that was deleted takes nothing, and one that was made anew may have fewer partitions.
    if (this.broker.partition(topic, partition) === undefined) return;
    this.trace('upstream', () => `${how} ${lines.length} lines to partition ${partition} of ${topic}`);
    if (how === 'plain') return this.broker.appendPlain(topic, partition, lines);
    const end = this.broker.appendTransactional(topic, partition, lines);
    this.scheduler.after(endsAfterMs, undefined, () => {
      this.trace('upstream', () => `${how}s its transaction in partition ${partition} of ${topic}`);
      end(how === 'commit');
    });
  }

  /** Starts a coordinator beside those that run, if any. */
  startCoordinator(startKind: StartKind = 'explicit', standby: Standby = 'none'): SimProcess {
    const first = startCoordinator(this, { startKind, standby });
    if (this.options.startsTwice === true)
      this.scheduler.after(this.dice.between(0, 20), undefined, () => startCoordinator(this, { startKind, standby, namesake: first.name }));
    return first;
  }

  /** What the disk of a function does now, when it is asked. Undefined: what it is asked for. */
  diskFaultNow(): DiskFault | undefined {
    const { diskFails = 0, faultsUntilMs } = this.options;
    if (diskFails === 0 || this.scheduler.nowMs >= faultsUntilMs || !this.#disks.chance(diskFails)) return undefined;
    const fault = this.#disks.pick<DiskFault>(['full', 'broken']);
    this.#diskFaults[fault] = (this.#diskFaults[fault] ?? 0) + 1;
    return fault;
  }

  /** Somebody starts the job from a savepoint. */
  startFrom(savepoint: string, sourceOffsets?: StartingOffsets): SimProcess {
    const once = `start ${this.coordinators.length}`;
    const startAt = { at: { savepoint }, once, drop: [], sourceOffsets, onWrittenAgain: 'allow' } as const;
    if (sourceOffsets !== undefined) this.checker.takeMove(once, sourceOffsets);
    return startCoordinator(this, { startKind: 'explicit', standby: 'none', startAt });
  }

  /** What has started the last coordinator, and saw it die, tries that start again. */
  startAgain(): SimProcess {
    const { startAt, stops: afterStops } = this.coordinators.at(-1) ?? {};
    return startCoordinator(this, { startKind: 'explicit', standby: 'none', startAt, afterStops });
  }

  /** Deploys build b and starts it, as an update does. */
  update(): void {
    this.build = 'b';
    this.trace('world', () => 'build b is deployed and started');
    this.startCoordinator();
  }

  startCommand(command: Command): SimProcess | undefined {
    return startCommand(this, command);
  }

  /** Somebody makes a savepoint or deletes one; or starts the job from it. */
  onSavepoint({ does, name, sourceOffsets }: Omit<SavepointAct, 'atMs'>): SimProcess | undefined {
    if (does !== 'start') return keepSavepoint(this, does, name);
    if (!this.dice.chance(0.3)) return this.#startFromIfThereIsSomebody(name, sourceOffsets);
    // As the documentation says: one stops the job, and starts it from there.
    this.startCommand('stop');
    this.scheduler.after(this.dice.spread(500, 6_000), undefined, () => this.#startFromIfThereIsSomebody(name, sourceOffsets));
    return undefined;
  }

  /** In the end there is nobody who starts it again. */
  #startFromIfThereIsSomebody(name: string, sourceOffsets?: StartingOffsets): SimProcess | undefined {
    return this.phase === 'faults' ? this.startFrom(name, sourceOffsets) : undefined;
  }

  /** Uids of the sources of the build that is deployed. */
  sources(): string[] {
    const { job, startingOffsets } = this.options;
    return compilePlan(job.define(this.build, startingOffsets)).stages.flatMap((stage) => (stage.kind === 'source' ? [stage.id] : []));
  }

  /** Of a process that begins. */
  newClock(name: string): ProcessClock {
    const { seed, clockSkewMs, clockDrift = 0 } = this.options;
    const dice = new Dice(hashOf(seed, `clock of ${name}`));
    const skewMs = this.dice.between(-clockSkewMs, clockSkewMs);
    return { skewMs, drift: dice.between(-clockDrift, clockDrift), beganMs: dice.whole(0, MOST_UPTIME_MS) };
  }
}
