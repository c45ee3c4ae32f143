import type { Clock, Random } from '../../ports/clock.ts';
import type { TransactionRequests } from '../../ports/kafka-requests.ts';
import type { SinkTargets } from '../../ports/sink-targets.ts';
import type { Committable } from '../../protocol/committable.ts';
import { type CommitPermit, commitPermitSchema } from '../../protocol/permit.ts';
import type { Own } from '../../protocol/shape.ts';
import type {
  DeliveredServer,
  DeliverOutcome,
  PoolScope,
  PreparedCoordination,
  PreparedServer,
  SinkCoordination,
  SinkPlace,
  Staged,
  Until,
} from '../../sinks/connector.ts';
import { type CoordinationClients, coordinateSinks, sinkServer } from '../../sinks/connectors.ts';
import { openSinkEncoder, type SinkSpec, targetOf } from '../../sinks/kinds.ts';
import { type Mishap, Mortal } from './crashes.ts';

export interface BenchOptions {
  readonly spec: SinkSpec;
  /** Row number n, another one for each n. */
  readonly row: (n: number) => unknown;
  /** How a reader shows that row. */
  readonly shown: (n: number) => string;
  /** All that a reader sees in the target now. */
  readonly read: () => Promise<readonly string[]>;
  readonly kafka: CoordinationClients['kafka'];
  readonly targets: SinkTargets;
  readonly clock: Clock;
  readonly random: Random;
  /** May the target have a row more than once after a fault? */
  readonly repeats: boolean;
}

/** Rows that were staged for one epoch, and their numbers. */
export interface StagedRows {
  readonly epoch: number;
  readonly rows: readonly number[];
  readonly staged: Staged;
}

const JOB = 'drill';
const SINK = 'drilled';
const SUBTASK = 1;
/** Staged output comes from several subtasks upstream. */
const UPSTREAM = 2;
const ROWS_EACH = 3;
const PATIENCE_MS = 20_000;
const MOST_ROUNDS = 20;

/** What a process came to: what its work answered, or it died. */
export type Life<T> = { readonly ended: T } | 'died';

/** One sink of one job, whose processes are started, and die, as a drill says. */
export class SinkBench {
  readonly options: BenchOptions;
  readonly #incarnation: string;
  /** Rows that were decided, and must be seen. */
  readonly #decided = new Set<number>();
  /** All that were ever staged. */
  readonly #made = new Set<number>();
  #nextRow: number;
  #epoch = 0;

  /** @param firstRow no other bench of the target has it, nor those behind */
  constructor(options: BenchOptions, firstRow: number) {
    this.options = options;
    this.#incarnation = options.random.id();
    this.#nextRow = firstRow;
  }

  /** The first row that no drill has had. */
  get nextRow(): number {
    return this.#nextRow;
  }

  get how(): 'prepared' | 'delivered' {
    return this.#coordination().how;
  }

  /** Stages new rows, for a new epoch or for one that had an attempt before. */
  async stage(epoch = ++this.#epoch): Promise<StagedRows> {
    const { spec } = this.options;
    const learnt = await this.#coordination().learn([{ sink: SINK, target: targetOf(spec) }]);
    if (learnt.outcome === 'refused') throw new Error(learnt.message);
    const facts = learnt.facts[SINK] ?? {};
    const rows: number[] = [];
    const payloads: Buffer[] = [];
    for (let upstream = 0; upstream < UPSTREAM; upstream++) {
      const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
      const encoder = openSinkEncoder(spec, { sink: SINK, facts: () => facts, current });
      encoder.begin();
      for (let each = 0; each < ROWS_EACH; each++) {
        const n = this.#nextRow++;
        encoder.append(this.options.row(n));
        rows.push(n);
        this.#made.add(n);
      }
      payloads.push(Buffer.concat(encoder.finish() ?? []));
    }
    const read = async () => payloads.map((payload, index) => ({ payload: Buffer.from(payload), name: `payload ${index}` }));
    return { epoch, rows, staged: { isEmpty: false, read } };
  }

  decide({ rows }: StagedRows): void {
    for (const n of rows) this.#decided.add(n);
  }

  place({ epoch }: StagedRows): SinkPlace {
    return { job: JOB, incarnation: this.#incarnation, sink: SINK, subtask: SUBTASK, epoch };
  }

  /** Runs work in a process of its own, which may die of a mishap. `calls`: how often it called, if it did not. */
  async life<T>(work: (process: SinkProcess) => Promise<T>, mishap?: Mishap): Promise<{ readonly life: Life<T>; readonly calls: number }> {
    const mortal = new Mortal(mishap);
    const working = work(new SinkProcess(this, mortal));
    const life = await Promise.race([working.then((ended) => ({ ended })), mortal.died.then(() => 'died' as const)]);
    return { life, calls: mortal.calls };
  }

  /** The same in a process that nothing happens to. */
  async well<T>(work: (process: SinkProcess) => Promise<T>): Promise<T> {
    const { life } = await this.life(work);
    if (life === 'died') throw new Error('nothing happened to this process');
    return life.ended;
  }

  permit({ epoch }: StagedRows): CommitPermit {
    return commitPermitSchema.parse({ epoch, decisionId: `drill-${epoch}`, generation: 1, decided: true });
  }

  until(): Until {
    const { clock, random } = this.options;
    return { clock, random, deadlineMs: clock.elapsedMs() + PATIENCE_MS };
  }

  get scope(): PoolScope {
    const places = this.#coordination().placesOf(targetOf(this.options.spec));
    return { job: JOB, incarnation: this.#incarnation, sinks: { [SINK]: { subtasks: SUBTASK + 1, places } } };
  }

  /** What is wrong with what a reader sees now; nothing: it is all that was decided, and no more. */
  async check(moment: string): Promise<void> {
    const seen = Map.groupBy(await this.options.read(), (text) => text);
    for (const n of this.#made) {
      const text = this.options.shown(n);
      const times = seen.get(text)?.length ?? 0;
      const isDecided = this.#decided.has(n);
      if (isDecided && times === 0) throw new DrillFault(`${moment}: ${text} was decided, and is lost`);
      if (!isDecided && times > 0) throw new DrillFault(`${moment}: ${text} was not decided, and is there`);
      if (times > 1 && !this.options.repeats) throw new DrillFault(`${moment}: ${text} is there ${times} times`);
    }
  }

  #coordination(): SinkCoordination {
    const { kafka, targets, clock, random, spec } = this.options;
    const settings = { deliveryGuarantee: 'exactly-once', transactionTimeoutMs: 60_000 } as const;
    return coordinateSinks({ kafka, targets, clock, random }, settings).forTarget(targetOf(spec));
  }

  /** The halves of the connector, as one process has them. */
  halves(mortal: Mortal): { readonly server: PreparedServer | DeliveredServer; readonly coordination: SinkCoordination } {
    const { clock, random, spec } = this.options;
    const kafka = mortal.watched(this.options.kafka);
    const targets = watchedTargets(mortal, this.options.targets);
    const settings = { deliveryGuarantee: 'exactly-once', transactionTimeoutMs: 60_000 } as const;
    const coordination = coordinateSinks({ kafka, targets, clock, random }, settings).forTarget(targetOf(spec));
    const server = sinkServer(coordination.connector, {
      kafka: kafka as TransactionRequests,
      targets,
      specOf: () => watchedSpec(mortal, spec),
    });
    if (server === undefined) throw new Error(`there is no connector ${coordination.connector}`);
    return { server, coordination };
  }
}

/** What a drill finds: the connector, or its target, does not do what it must. */
export class DrillFault extends Error {
  override readonly name = 'DrillFault';
}

function watchedTargets(mortal: Mortal, targets: SinkTargets): SinkTargets {
  return {
    uploads: async (location) => mortal.watched(await targets.uploads(location)),
    items: async () => mortal.watched(await targets.items()),
  };
}

function watchedSpec(mortal: Mortal, spec: SinkSpec): SinkSpec {
  if (spec.kind !== 'deliver') return spec;
  const { deliver, delivered } = spec;
  return {
    ...spec,
    deliver: (rows, place) => mortal.call(() => deliver(rows, place)),
    delivered: delivered === undefined ? undefined : (place) => mortal.call(() => delivered(place)),
  };
}

/** A process in which a sink's connector works. */
export class SinkProcess {
  readonly #bench: SinkBench;
  readonly #server: PreparedServer | DeliveredServer;
  readonly #coordination: SinkCoordination;

  constructor(bench: SinkBench, mortal: Mortal) {
    this.#bench = bench;
    const { server, coordination } = bench.halves(mortal);
    this.#server = server;
    this.#coordination = coordination;
  }

  /** Throws when it fails. */
  async prepare(rows: StagedRows): Promise<Committable> {
    const { coordination, server } = this.#prepared();
    const terms = throughJson(coordination.prepareTerms(targetOf(this.#bench.options.spec)));
    const prepared = await server.prepare(this.#bench.until(), this.#bench.place(rows), terms, rows.staged);
    if (prepared.outcome === 'failed') throw new Error(prepared.message);
    if (prepared.committable === undefined) throw new DrillFault('what has rows was prepared without a committable');
    const problem = await coordination.problemOf(this.#bench.until(), [prepared.committable]);
    if (problem !== undefined) throw new Error(problem.message);
    return throughJson(prepared.committable);
  }

  /** Commits and resolves until it is committed, as a coordinator does. `recorded`: what takes the place of the committable. */
  async commit(rows: StagedRows, first: Committable, recorded: (again: Committable) => void = () => {}): Promise<void> {
    const { server } = this.#prepared();
    let committable = first;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const terms = await this.#commitTerms(committable);
      const permit = this.#bench.permit(rows);
      const ended = await server.commit(this.#bench.until(), permit, committable, { terms, isOld: round > 0 });
      if (ended.outcome === 'committed') return;
      const how = { terms, onMissingEvidence: 'stop', place: this.#bench.place(rows) } as const;
      const resolved = await server.resolve(this.#bench.until(), permit, committable, how, rows.staged);
      if (resolved.outcome === 'committed') return;
      if (resolved.outcome === 'sent-again') {
        committable = throughJson(resolved.committable);
        recorded(committable);
      } else if (resolved.outcome !== 'unsettled') throw new DrillFault(`resolving came to ${resolved.outcome}: ${resolved.message}`);
    }
    throw new DrillFault(`after ${MOST_ROUNDS} rounds it is not committed`);
  }

  async abort(committable: Committable): Promise<void> {
    await this.#prepared().server.abort(this.#bench.until(), committable);
  }

  /** Answers how much was left open. */
  async settle(): Promise<number> {
    const { coordination } = this.#prepared();
    const settled = await coordination.settle(this.#bench.until(), this.#bench.scope, () => {});
    if (settled.outcome === 'failed') throw new Error(settled.message);
    return settled.ends;
  }

  /** Has something been open for as long as two looks? */
  async seesLeftOpen(): Promise<boolean> {
    const watch = this.#prepared().coordination.watch(this.#bench.scope);
    await watch.look(() => {});
    return watch.look(() => {});
  }

  async deliver(rows: StagedRows, done?: Own, until = this.#bench.until()): Promise<DeliverOutcome> {
    const { connector } = this.#coordination;
    if (this.#server.how !== 'delivered') throw new Error(`connector ${connector} prepares`);
    const place = this.#bench.place(rows);
    const committable = { sink: place.sink, connector, subtask: place.subtask, epoch: rows.epoch, token: {} };
    return this.#server.deliver(until, this.#bench.permit(rows), committable, { place, staged: rows.staged, done });
  }

  /** Delivers until all of it is, as a coordinator does. */
  async deliverAll(rows: StagedRows): Promise<void> {
    let done: Own | undefined;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const answer = await this.deliver(rows, done);
      if (answer.outcome === 'delivered') return;
      if (answer.outcome === 'failed' && answer.kind === 'refused') throw new DrillFault(answer.message);
      done = throughJson(answer.done);
    }
    throw new DrillFault(`after ${MOST_ROUNDS} tries it is not delivered`);
  }

  async #commitTerms(committable: Committable): Promise<Own> {
    return throughJson(await this.#prepared().coordination.commitTerms([committable], {}));
  }

  #prepared(): { readonly server: PreparedServer; readonly coordination: PreparedCoordination } {
    const server = this.#server;
    const coordination = this.#coordination;
    if (server.how !== 'prepared' || coordination.how !== 'prepared') throw new Error(`connector ${coordination.connector} delivers`);
    return { server, coordination };
  }
}

/** What is told from one process to another is JSON. */
function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
