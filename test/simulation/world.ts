import {
  type CoordinatorDeps,
  type CoordinatorEnd,
  type JobSettings,
  LeftToNextError,
  SupersededError,
} from '../../lib/epoch/coordinator/context.ts';
import { coordinate } from '../../lib/epoch/coordinator/coordinator.ts';
import { awaitTurn } from '../../lib/epoch/lease/await-turn.ts';
import type { HeldAs } from '../../lib/epoch/lease/held.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { StartKind } from '../../lib/epoch/start/may-start.ts';
import type { Standby } from '../../lib/epoch/start/revival.ts';
import type { StartAt } from '../../lib/epoch/start/start-at.ts';
import { fingerprint } from '../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../lib/graph/graph.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import type { Random } from '../../lib/ports/clock.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { FunctionInvoker } from '../../lib/ports/function-invoker.ts';
import { KafkaProblem, type KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../lib/ports/sink-targets.ts';
import { StoreProblem } from '../../lib/ports/store-problem.ts';
import type { OperatorRequest, SinkRequest, SourceRequest } from '../../lib/protocol/requests.ts';
import { coordinateSinks } from '../../lib/sinks/connectors.ts';
import { openSpilledRows } from '../../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../../lib/stages/received.ts';
import { createOperatorServer, createSourceServer, refusalOf, serveSink } from '../../lib/stages/serve.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import { BrokerFaults } from './broker-faults.ts';
import { Checker } from './checker/checker.ts';
import { readCommitted } from './checker/reader.ts';
import { COMMAND_CONFIG, type Command, runCommand } from './commands.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import type { Fault, Service } from './kernel/faults.ts';
import { type Log, Network } from './kernel/network.ts';
import { clockOf, type ProcessClock, SimProcess } from './kernel/process.ts';
import { Scheduler } from './kernel/scheduler.ts';
import { BlobBucket, modelBlobStore } from './models/blob-bucket.ts';
import { EpochTable, modelEpochStore, modelJobRemoval } from './models/epoch-table.ts';
import { FunctionService, type Handler } from './models/functions.ts';
import { Broker } from './models/kafka-broker.ts';
import { type Carry, modelKafka } from './models/kafka-requests.ts';
import { answerWithOtherNames, withOtherNames } from './models/other-names.ts';
import { Targets } from './models/targets.ts';
import { Person } from './right-stops.ts';
import { actOnSavepoint, type SavepointAct } from './savepoints.ts';
import { type Build, DEAD_LETTER_TOPIC, INPUT, JOB, shapeOf } from './sim-job.ts';
import { FaultyUserCode } from './user-code.ts';
import type { CommandEnd, InputBatch, Outcome, WorldOptions } from './world-options.ts';

/** How long a job may take to catch up once faults have stopped: the longest pauses and timeouts, and some more. */
const CATCH_UP_MS = 400_000;
const MAX_EVENTS = 150_000;
const MAX_PARALLELISM = 8;
const WATCH_MS = 1_000;
const MAX_VIOLATIONS = 5;
/** How long a tick may wait for its turn. */
const PATIENCE_MS = 90_000;
/** A wall clock that steps goes no further from the true time. */
const MOST_SKEW_MS = 90_000;
/** Processes have been there for so long, by their `elapsedMs`, when the virtual time begins. */
const MOST_UPTIME_MS = 10_000_000;
const MAX_COMMANDS = 4;
const LEFT_ALONE_MS = [300, 30_000] as const;
/** A start from a savepoint that is not there, or goes meanwhile, is none. */
const SAVEPOINT_GONE =
  /^job \S+ has no savepoint|^savepoint .* is being deleted$|^savepoint .* is not there any more|^the start of job \S+ ended before its first epoch/;
/** What it takes a process to be told who leads. */
const ASKING_LEADERS_MS = 5;

const TOPIC_CONFIG = new Map([
  ['max.message.bytes', '1048588'],
  ['cleanup.policy', 'delete'],
]);

interface RunningCoordinator {
  readonly process: SimProcess;
  readonly holder: string;
  readonly stop: AbortController;
  readonly handOver: AbortController;
  ended: boolean;
  /** It is to start from a savepoint, and has not done so: the job may go back yet. */
  goesBack: boolean;
  readonly beganMs: number;
  tenure: HeldAs;
  /** When it took the lease, and when it was told to end. */
  leaseTakenMs: number;
  endingMs: number;
}

/** The services, as one process reaches them. */
type Ports = Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'> & { readonly kafka: KafkaRequests; readonly targets: SinkTargets };

export class World {
  readonly scheduler = new Scheduler();
  readonly network: Network;
  readonly broker: Broker;
  readonly table: EpochTable;
  readonly bucket: BlobBucket;
  readonly targets = new Targets(() => this.scheduler.nowMs);
  readonly functions: FunctionService;
  readonly checker: Checker;
  readonly observed: CoordinatorEvent[] = [];
  readonly ends: CoordinatorEnd[] = [];
  readonly coordinators: RunningCoordinator[] = [];
  readonly commands: SimProcess[] = [];
  readonly commandEnds: CommandEnd[] = [];
  readonly savepointEnds: string[] = [];
  readonly #keepers: SimProcess[] = [];
  /** The build that new processes run. */
  build: Build = 'a';
  readonly #options: WorldOptions;
  readonly #history: string[] = [];
  readonly #dice: Dice;
  readonly #code: FaultyUserCode;
  readonly #log: Log;
  readonly #brokerFaults: BrokerFaults;
  readonly #person: Person;
  #phase: 'faults' | 'catching-up' | 'stopping' = 'faults';
  #leftAloneUntilMs = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#dice = new Dice(hashOf(options.seed, 'world'));
    const { scheduler } = this;
    this.#log = options.history
      ? (actor, what) => this.#history.push(`${(scheduler.nowMs / 1000).toFixed(4).padStart(9)}  ${actor.padEnd(20)} ${what()}`)
      : () => {};
    this.network = new Network({
      seed: options.seed,
      scheduler,
      log: this.#log,
      faults: (call) => {
        if (call.atMs >= options.faultsUntilMs) return undefined;
        this.#brokerFaults.meet(call);
        return options.faults(call);
      },
      onWorldFault: (fault, call) => this.#inflict(fault, call.service, call.caller),
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
    this.#brokerFaults = new BrokerFaults(this, options);
    this.table = new EpochTable(() => scheduler.nowMs, options.tokenLifetimeMs);
    this.bucket = new BlobBucket(() => scheduler.nowMs);
    if (options.userCode !== undefined) this.broker.createTopic(DEAD_LETTER_TOPIC, options.outputPartitions);
    this.#code = new FaultyUserCode({
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
      poison: { code: this.#code, attempts },
      strands: options.strands === true,
    });
    this.#person = new Person(this.broker, this.checker, new Dice(hashOf(options.seed, 'person')), this.targets.uploads);
    this.functions = new FunctionService({
      scheduler,
      network: this.network,
      log: this.#log,
      oneAtATime: options.oneAtATime,
      newProcess: (name, { role }) => new SimProcess(name, role, this.build, this.#clock(name)),
      boot: (process) => this.#boot(process),
    });
  }

  log(actor: string, what: string): void {
    this.#log(actor, () => what);
  }

  async run(): Promise<Outcome> {
    const { scheduler, checker } = this;
    for (const batch of this.#options.input) scheduler.at(batch.atMs, undefined, () => this.append(batch));
    this.#brokerFaults.schedule();
    for (const { atMs, subtasks } of this.#options.rescales ?? []) scheduler.at(atMs, undefined, () => this.rescale(subtasks));
    for (const act of this.#options.savepoints ?? []) scheduler.at(act.atMs, undefined, () => this.onSavepoint(act));
    this.#options.prepare?.(this);
    this.startCoordinator();
    if (this.#options.updateAtMs !== undefined) scheduler.at(this.#options.updateAtMs, undefined, () => this.update());
    scheduler.after(WATCH_MS, undefined, () => this.#watch());
    const lastInputMs = Math.max(0, ...this.#options.input.map(({ atMs, endsAfterMs }) => atMs + endsAfterMs));
    const untilMs = Math.max(this.#options.faultsUntilMs, lastInputMs) + CATCH_UP_MS;
    const how = await scheduler.run(() => checker.violations.length > 0, { untilMs, events: MAX_EVENTS });
    if (how === 'events') checker.fail('I6', `it did not come to an end within ${MAX_EVENTS} events`);
    const gaveUp = this.ends.some(({ end, message }) => end === 'failed' && this.#options.mayFail?.test(message) === true);
    if (checker.violations.length === 0 && !gaveUp) checker.checkEnd(this.#sources());
    if (this.#options.strands === true) checker.checkSaid(this.observed);
    this.#brokerFaults.countStranded();
    // An update has a coordinator give way, and its last epoch sent again when that it was sent is not recorded.
    const isQuiet = this.network.injected.length === 0 && !this.#brokerFaults.hasDisturbed;
    if (checker.repeated > 0 && isQuiet && this.#options.updateAtMs === undefined)
      checker.fail('I2', `${checker.repeated} records were sent again though nothing went wrong`);
    this.#release();
    return {
      seed: this.#options.seed,
      violations: checker.violations.slice(0, MAX_VIOLATIONS),
      injected: this.network.injected,
      history: this.#history,
      events: scheduler.events,
      epochs: checker.epochs,
      manifestsInBlobs: checker.manifestsInBlobs,
      repeated: checker.repeated,
      forgotten: this.broker.forgotten,
      brokerFaults: this.#brokerFaults.counts,
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
    for (const process of [...this.commands, ...this.#keepers]) process.alive = false;
    for (const { process, stop, handOver } of this.coordinators) {
      process.alive = false;
      stop.abort();
      handOver.abort();
    }
  }

  append({ topic = INPUT, partition, lines, how, endsAfterMs }: Omit<InputBatch, 'atMs'>): void {
    // A topic that was deleted takes nothing, and one that was made anew may have fewer partitions.
    if (this.broker.partition(topic, partition) === undefined) return;
    this.#log('upstream', () => `${how} ${lines.length} lines to partition ${partition} of ${topic}`);
    if (how === 'plain') return this.broker.appendPlain(topic, partition, lines);
    const end = this.broker.appendTransactional(topic, partition, lines);
    this.scheduler.after(endsAfterMs, undefined, () => {
      this.#log('upstream', () => `${how}s its transaction in partition ${partition} of ${topic}`);
      end(how === 'commit');
    });
  }

  /** Somebody starts the job from a savepoint. */
  startFrom(savepoint: string): SimProcess {
    const once = `start ${this.coordinators.length}`;
    return this.#startAs(undefined, 'explicit', 'none', { at: { savepoint }, once, drop: [], onWrittenAgain: 'allow' });
  }

  /** Starts a coordinator beside those that run, if any. */
  startCoordinator(startKind: StartKind = 'explicit', standby: Standby = 'none'): SimProcess {
    const first = this.#startAs(undefined, startKind, standby);
    if (this.#options.startsTwice === true)
      this.scheduler.after(this.#dice.between(0, 20), undefined, () => this.#startAs(first.name, startKind, standby));
    return first;
  }

  /** @param namesake the start of this one, which the platform delivers twice */
  #startAs(namesake: string | undefined, startKind: StartKind, standby: Standby, startAt?: StartAt): SimProcess {
    const number = this.coordinators.length + 1;
    const build = this.build;
    const name = `coordinator#${number}`;
    const holder = namesake ?? name;
    const process = new SimProcess(name, 'coordinator', build, this.#clock(name));
    const job = this.#options.job.define(build, this.#options.startingOffsets, this.#code);
    const plan = compilePlan(job, this.#options.userCode?.leavesOut(number) === true ? DEAD_LETTER_TOPIC : undefined);
    const ports = this.#portsOf(process);
    const settings: JobSettings = {
      job: JOB,
      build,
      holder,
      plan,
      fingerprint: fingerprint(describeGraph(job)),
      groupId: JOB,
      commitOffsets: true,
      onDataLoss: 'stop',
      onMissingEvidence: 'stop',
      onMissingState: 'stop',
      parallelism: this.#options.parallelism(number),
      maxParallelism: MAX_PARALLELISM,
      checkpointIntervalMs: 500,
      epochTimeoutMs: 5_000,
      commitTimeoutMs: 2_000,
      recoveryTimeoutMs: 15_000,
      maxEpochBytes: 64 * 1024 * 1024,
      maxConcurrentEpochs: 3,
      idlePollMaxMs: 500,
      leaseMs: 8_000,
      retainedCheckpoints: 2,
      restart: { kind: 'exponential', firstMs: 100, maxMs: 2_000 },
      tolerableFailures: Number.POSITIVE_INFINITY,
      refusalTimeoutMs: 20_000,
      minPauseMs: 0,
      poisonAttempts: Number.POSITIVE_INFINITY,
      ...this.#options.settings,
      ...this.#person.says(this.table.row(JOB)),
      startAt,
    };
    this.checker.transactions.words.set(name, settings.onMissingEvidence);
    const running: RunningCoordinator = {
      process,
      holder,
      stop: new AbortController(),
      handOver: new AbortController(),
      ended: false,
      goesBack: startAt !== undefined,
      beganMs: this.scheduler.nowMs,
      tenure: { incarnation: '', generation: 0 },
      leaseTakenMs: 0,
      endingMs: 0,
    };
    this.coordinators.push(running);
    const sinkSettings = {
      deliveryGuarantee: this.#options.delivery?.(number) ?? 'exactly-once',
      transactionTimeoutMs: this.#options.settings.transactionTimeoutMs ?? 25_000,
    };
    const deps: CoordinatorDeps = {
      ...ports,
      sinks: coordinateSinks(ports, sinkSettings),
      invoker: this.#invokerFor(process),
      observe: (event) => {
        if (!process.alive) return;
        this.observed.push(event);
        if (event.event === 'lease-taken') {
          running.leaseTakenMs = this.scheduler.nowMs;
          running.tenure = { incarnation: event.incarnation, generation: event.generation };
        }
        if (event.event === 'started-from') running.tenure = { ...running.tenure, incarnation: event.incarnation };
        if (event.event === 'data-loss') this.checker.takeDataLoss(running.tenure, event);
        if (event.event === 'attempt-failed') this.checker.takeFailedAttempt(running.tenure, event.epoch);
        if (event.event === 'recovered') running.goesBack = false;
        if (event.event === 'recovered') this.#checkSettled(running, 'its recovery', running.leaseTakenMs);
        this.#log(process.name, () => `* ${JSON.stringify(event)}`);
      },
    };
    this.#log(process.name, () => `starts, build ${build}, parallelism ${JSON.stringify(settings.parallelism)}`);
    const coordinated = () =>
      coordinate(deps, { ...settings, startKind }, { stop: running.stop.signal, handOver: running.handOver.signal });
    const run =
      startKind === 'explicit'
        ? coordinated()
        : awaitTurn(deps, { ...settings, standby }, PATIENCE_MS, running.handOver.signal).then((turn) =>
            turn.turn === 'mine' ? coordinated() : { end: 'refused' as const, message: turn.message },
          );
    run.then(
      (end) => this.#takeEnd(running, end),
      (error: unknown) =>
        process.alive && this.checker.fail('I6', `coordinate threw: ${error instanceof Error ? error.stack : String(error)}`),
    );
    return process;
  }

  /** Somebody asks for other numbers of subtasks. */
  rescale(subtasks: Readonly<Record<string, number>>): void {
    const row = this.table.row(JOB);
    if (row === undefined) return;
    const asked = { id: `rescale at ${this.scheduler.nowMs}`, subtasks, askedAtMs: this.scheduler.nowMs };
    const answer = this.table.askRescale(JOB, row.incarnation, asked, row.rescale?.id);
    this.#log('world', () => `onceflow rescale ${JSON.stringify(subtasks)}: ${answer}`);
  }

  /** Deploys build b and starts it, as an update does. */
  update(): void {
    this.build = 'b';
    this.#log('world', () => 'build b is deployed and started');
    this.startCoordinator();
  }

  /** Somebody runs `npx onceflow`, in a process of its own. */
  startCommand(command: Command): SimProcess | undefined {
    if (this.commands.length >= MAX_COMMANDS) return undefined;
    const { scheduler } = this;
    const name = `command#${this.commands.length + 1}`;
    const process = new SimProcess(name, 'command', this.build, this.#clock(name));
    this.commands.push(process);
    this.#leftAloneUntilMs = scheduler.nowMs + this.#dice.spread(...(this.#options.leftAloneMs ?? LEFT_ALONE_MS));
    this.#log(process.name, () => `onceflow ${command}`);
    const ports = this.#portsOf(process);
    const began = { ms: scheduler.nowMs, incarnation: this.table.row(JOB)?.incarnation };
    let taken: JobRow | undefined;
    const isHolder = () => {
      const row = this.table.row(JOB);
      return row !== undefined && taken !== undefined && isOwn(taken, row);
    };
    const end = (outcome: string) => {
      this.#log(process.name, () => `* ended: ${outcome}`);
      this.commandEnds.push({ command, outcome });
      process.alive = false;
    };
    const tools = {
      ...ports,
      config: COMMAND_CONFIG,
      job: JOB,
      epochs: {
        ...ports.epochs,
        reviveGeneration: async (...of: Parameters<typeof ports.epochs.reviveGeneration>) => {
          const revived = await ports.epochs.reviveGeneration(...of);
          taken = revived ?? taken;
          return revived;
        },
      },
      removal: modelJobRemoval(this.table, this.#carry(process, 'table')),
      kafka: async () => ports.kafka,
      blobStore: async () => ports.blobStore,
      targets: ports.targets,
      code: async () =>
        this.targets.bound(this.#options.job.define(this.build, this.#options.startingOffsets, this.#code), this.#carry(process, 'target')),
      say: (line: string) => this.#log(process.name, () => `* ${line}`),
    };
    runCommand(command, tools, new AbortController().signal).then(
      ({ code, json }) => {
        if (!process.alive) return;
        end((json as { readonly outcome?: string }).outcome ?? `exit code ${code}`);
        if (code === 0) this.#checkCommand(`onceflow ${command} (${process.name})`, began.ms, began.incarnation);
      },
      (error: unknown) => {
        if (!process.alive) return;
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        end(error instanceof Error ? error.name : text);
        const mayBe =
          error instanceof SupersededError ||
          error instanceof LeftToNextError ||
          ((error instanceof StoreProblem || error instanceof KafkaProblem) && error.retriable);
        if (!mayBe && isHolder() && !this.#isRightStop(text, began.ms, process.name))
          this.checker.fail('I6', `onceflow ${command} failed: ${text}`);
      },
    );
    return process;
  }

  /** Somebody makes a savepoint or deletes one, in a process of its own; or starts the job from it. */
  onSavepoint(act: Pick<SavepointAct, 'does' | 'name'>): SimProcess | undefined {
    // In the end there is nobody who starts it again.
    if (act.does === 'start') return this.#phase === 'faults' ? this.startFrom(act.name) : undefined;
    const name = `savepoint#${this.#keepers.length + 1}`;
    const process = new SimProcess(name, 'command', this.build, this.#clock(name));
    this.#keepers.push(process);
    this.#log(process.name, () => `onceflow savepoint ${act.does} ${act.name}`);
    const end = (outcome: string) => {
      if (!process.alive) return;
      process.alive = false;
      this.#log(process.name, () => `* ended: ${outcome}`);
      this.savepointEnds.push(`${act.does}: ${outcome.split(' at ')[0]}`);
    };
    actOnSavepoint(this.#portsOf(process), JOB, { does: act.does, name: act.name }).then(end, (error: unknown) => {
      const mayBe = error instanceof StoreProblem && error.retriable;
      if (process.alive && !mayBe)
        this.checker.fail('I12', `savepoint ${act.does} ${act.name}: ${error instanceof Error ? error.stack : error}`);
      end('no answer');
    });
    return process;
  }

  /** What a command promises that ended well. */
  #checkCommand(what: string, beganMs: number, incarnation: string | undefined): void {
    if (incarnation !== undefined) this.#checkClosed(incarnation, beganMs, what);
    const row = this.table.row(JOB);
    if (row === undefined || row.leaseExpiresAtMs === 0) this.checker.checkAtRest(what);
  }

  #takeEnd(running: RunningCoordinator, end: CoordinatorEnd): void {
    const { process } = running;
    if (!process.alive) return;
    running.ended = true;
    process.alive = false;
    this.ends.push(end);
    // The build before an update that added a source: there is no way back.
    if (end.end === 'failed' && process.build !== this.build && end.message.includes('cannot go on with this graph')) return;
    const row = this.table.row(JOB);
    const holds = row !== undefined && row.holder === running.holder && isOwn(running.tenure, row);
    const graceful = end.message === `job ${JOB} stopped` || end.message === `job ${JOB} handed over`;
    if (graceful && holds) this.#checkSettled(running, `its end (${end.end})`, running.endingMs);
    if (end.end === 'failed' && SAVEPOINT_GONE.test(end.message)) return;
    if (end.end === 'failed' && this.#options.userCode !== undefined && this.#isPoisonStop(end.message)) return this.#code.mend();
    if (end.end === 'failed' && this.#isRightStop(end.message, running.beganMs, process.name)) return;
    if (end.end === 'failed' && holds && this.#options.mayFail?.test(end.message) === true) this.#phase = 'stopping';
    else if (end.end === 'failed' && holds) this.checker.fail('I6', `the job failed: ${end.message}`);
  }

  /** Somebody has to look, and starts the job again when she has. Not where a stop is what a story is about. */
  #isRightStop(message: string, beganMs: number, who: string): boolean {
    if (this.#options.mayFail !== undefined || !this.#person.understands(message, beganMs, this.table.row(JOB))) return false;
    this.#log(who, () => 'somebody sees why, and starts the job again');
    this.#brokerFaults.count('job that stopped for a person to decide');
    this.#leftAloneUntilMs = this.scheduler.nowMs + this.#dice.spread(100, 5_000);
    return true;
  }

  /** The job stopped at a record that its author's code fails at, and said at which. */
  #isPoisonStop(message: string): boolean {
    const [, topic = '', partition = '', offset = ''] =
      /topic (\S+), partition (\d+), offset (\d+): (?:this record alone failed|source \S+ cannot)/.exec(message) ?? [];
    const found = this.broker.topics.get(topic)?.[Number(partition)];
    if (partition === '' || found === undefined) return false;
    const [record] = readCommitted(found, Number(offset), Number(offset) + 1);
    const attempts = this.#options.settings.poisonAttempts ?? Number.POSITIVE_INFINITY;
    return record !== undefined && this.#code.isPoison(record.value, attempts);
  }

  /** Transactions and uploads that were open before a coordinator settled them must not be open after it. */
  #checkSettled({ process }: RunningCoordinator, after: string, beganMs: number): void {
    const incarnation = this.table.row(JOB)?.incarnation;
    if (incarnation !== undefined) this.#checkClosed(incarnation, beganMs, `${process.name} in ${after}`);
  }

  /** What a process that slept opens later, under an id of a job that was deleted meanwhile, only its timeout ends. */
  #checkClosed(incarnation: string, beganMs: number, who: string): void {
    if (this.observed.some((event) => event.event === 'warning' && event.message.includes('could not be settled'))) return;
    for (const { id, state, startedMs } of this.broker.transactions.values()) {
      if (state === 'ongoing' && id.startsWith(`${JOB}-${incarnation}-`) && startedMs < beganMs)
        this.checker.fail('I6', `transaction ${id} is open since ${startedMs} ms, and ${who} left it open: readers wait for its timeout`);
    }
    for (const { key, begunMs } of this.targets.uploads.open)
      if (key.includes(`${JOB}-${incarnation}-`) && begunMs < beganMs)
        this.checker.fail('I6', `the upload of ${key} is open since ${begunMs} ms, and ${who} left it open`);
  }

  /** What keeps a job running in a deployment: somebody starts a coordinator when none is at work. */
  #watch(): void {
    const { scheduler, checker } = this;
    const { faultsUntilMs, input, ending } = this.#options;
    if (
      this.#phase === 'faults' &&
      scheduler.nowMs >= faultsUntilMs &&
      input.every(({ atMs, endsAfterMs }) => atMs + endsAfterMs < scheduler.nowMs)
    ) {
      this.#phase = 'catching-up';
      this.#log('world', () => 'no more faults');
    }
    if (this.#phase === 'stopping') return;
    const row = this.table.row(JOB);
    // Without a row: not made yet, if nobody can have deleted it.
    const held = row === undefined ? this.commands.length === 0 : leaseHolds(row.leaseExpiresAtMs, scheduler.nowMs);
    const working = this.coordinators.some(
      ({ process, ended }) => process.alive && !ended && (held || process.frozenUntilMs <= scheduler.nowMs),
    );
    if (this.#phase === 'catching-up') this.#replaceBuilds();
    if (
      this.#phase === 'catching-up' &&
      checker.caughtUp(this.#sources()) &&
      !this.coordinators.some(({ process, ended, goesBack }) => goesBack && process.alive && !ended) &&
      (ending === 'stop' || this.broker.openTransactions().length === 0)
    ) {
      this.#phase = 'stopping';
      this.#log('world', () => 'caught up: the job is stopped');
      for (const running of this.coordinators) this.#end(running, running.stop);
      return;
    }
    const { watch = { how: 'explicit' } } = this.#options;
    const revives = watch.how === 'revival' && row?.desired === 'running' && row.failure === undefined;
    if (revives) this.startCoordinator('revival', watch.standby);
    else if (!working && scheduler.nowMs >= this.#leftAloneUntilMs) this.startCoordinator();
    scheduler.after(revives ? watch.everyMs : WATCH_MS, undefined, () => this.#watch());
  }

  /** What a deployment does in the end. */
  #replaceBuilds(): void {
    this.functions.replaceBuilds(this.build);
    // One whose functions all are of another build notices, but not that there is a source it has never heard of.
    for (const running of this.coordinators)
      if (this.#options.job.grows && running.process.build !== this.build && running.endingMs === 0) this.#end(running, running.handOver);
  }

  #end(running: RunningCoordinator, how: AbortController): void {
    this.scheduler.after(0, running.process, () => {
      // What another process opens after it was told first is not its business.
      if (running.endingMs === 0) running.endingMs = this.scheduler.nowMs;
      how.abort();
    });
  }

  #inflict(fault: Fault, service: Service, caller: SimProcess): void {
    const { scheduler } = this;
    switch (fault.fault) {
      case 'power-cut':
        for (const { process } of [...this.coordinators, ...this.functions.instances]) process.kill();
        for (const process of [...this.commands, ...this.#keepers]) process.kill();
        return;
      case 'rival':
      case 'depose':
        scheduler.after(0, undefined, () => this.startCoordinator());
        return;
      case 'hand-over':
        for (const running of this.coordinators) if (running.process === caller) this.#end(running, running.handOver);
        return;
      case 'stop':
        for (const running of this.coordinators.slice(-1)) this.#end(running, running.stop);
        return;
      case 'command':
        scheduler.after(0, undefined, () => this.startCommand(fault.run));
        return;
      case 'update':
        this.build = this.build === 'a' || this.#options.job.grows === true ? 'b' : 'a';
        return;
      case 'clock-step':
        caller.clock.skewMs = Math.min(Math.max(caller.clock.skewMs + fault.byMs, -MOST_SKEW_MS), MOST_SKEW_MS);
        return;
      case 'outage':
        return this.network.cut(service, undefined, fault.forMs);
      case 'partition':
        return this.network.cut(service, caller, fault.forMs);
    }
  }

  #carry(process: SimProcess, service: Service): Carry {
    return (api, about, failure, execute) => this.network.call(process, service, api, about, failure, execute);
  }

  #portsOf(process: SimProcess): Ports {
    const carry = (service: Service) => this.#carry(process, service);
    const dice = new Dice(hashOf(this.#options.seed, process.name));
    const asking = new Dice(hashOf(this.#options.seed, `metadata of ${process.name}`));
    const random: Random = { id: () => dice.id(), fraction: () => dice.next() };
    const blobStore = modelBlobStore(this.bucket, carry('bucket'));
    const brokerConfig = new Map([['transaction.max.timeout.ms', '900000']]);
    const clock = clockOf(this.scheduler, process, this.#options.lookMs);
    return {
      epochs: modelEpochStore(this.table, carry('table')),
      blobStore,
      blobs: createBlobs(blobStore, random),
      kafka: modelKafka(this.broker, carry('kafka'), {
        broker: brokerConfig,
        topic: TOPIC_CONFIG,
        nowMs: () => this.scheduler.nowMs,
        asksLate: () => asking.chance(0.5),
        asking: () => clock.sleep(ASKING_LEADERS_MS),
      }),
      targets: this.targets.reachedBy(carry('target')),
      clock,
      random,
    };
  }

  /** Tells the checker which runs of a source's requests count. */
  #invokerFor(process: SimProcess): FunctionInvoker {
    const invoker = this.functions.invokerFor(process);
    return {
      invoke: (target, request, options) => {
        const answer = invoker.invoke(target, request, options);
        if (target.role === 'source')
          answer.then(
            (taken) => this.checker.arrivals.taken(request as SourceRequest, taken),
            () => {},
          );
        return answer;
      },
    };
  }

  /** What `functions/` does in a process. */
  #boot(process: SimProcess): Handler {
    const { job, inlineBlobBytes, stateMemoryBytes, startingOffsets } = this.#options;
    const build = process.build as Build;
    const defined = this.targets.bound(job.define(build, startingOffsets, this.#code), this.#carry(process, 'target'));
    const tools = {
      ...this.#portsOf(process),
      job: defined,
      // Which coordinators leave records out differs: their requests say it.
      plan: compilePlan(defined, this.#options.userCode === undefined ? undefined : DEAD_LETTER_TOPIC),
      build,
      inlineBlobBytes,
      stateBound: stateMemoryBytes === undefined ? undefined : { boundBytes: stateMemoryBytes, openRows: openSpilledRows },
    };
    const source = createSourceServer();
    const operator = createOperatorServer();
    return async (request) => {
      const asked = received(request as SourceRequest | OperatorRequest | SinkRequest, tools.clock.elapsedMs());
      const refusal = refusalOf(tools, asked);
      if (refusal !== undefined) return refusal;
      if (asked.ask === 'read') {
        const { kafka, answered } = this.checker.arrivals.watch(tools.kafka, asked);
        const answer = source({ ...tools, kafka }, asked);
        answer.then(answered, () => {});
        return answer;
      }
      if (asked.ask === 'process') return operator(tools, asked);
      if (asked.ask !== 'prepare' || asked.connector !== 'kafka' || build === 'a') return serveSink(tools, asked);
      return answerWithOtherNames(await serveSink({ ...tools, kafka: withOtherNames(tools.kafka) }, asked));
    };
  }

  /** Uids of the sources of the build that is deployed. */
  #sources(): string[] {
    const { job, startingOffsets } = this.#options;
    return compilePlan(job.define(this.build, startingOffsets)).stages.flatMap((stage) => (stage.kind === 'source' ? [stage.id] : []));
  }

  #clock(name: string): ProcessClock {
    const { seed, clockSkewMs, clockDrift = 0 } = this.#options;
    const dice = new Dice(hashOf(seed, `clock of ${name}`));
    const skewMs = this.#dice.between(-clockSkewMs, clockSkewMs);
    return { skewMs, drift: dice.between(-clockDrift, clockDrift), beganMs: dice.whole(0, MOST_UPTIME_MS) };
  }
}

function leaseHolds(expiresAtMs: number, nowMs: number): boolean {
  return expiresAtMs - 1_800_000_000_000 > nowMs;
}

/** The generations of a job that was made anew begin again. */
function isOwn(taken: HeldAs, row: JobRow): boolean {
  return row.generation === taken.generation && row.incarnation === taken.incarnation;
}
