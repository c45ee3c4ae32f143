import type { CoordinatorDeps } from '../../../lib/epoch/coordinator/context.ts';
import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../../lib/ports/sink-targets.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import { clockOf, type SimProcess, START_MS } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { BlobBucket, modelBlobStore } from '../models/blob-bucket.ts';
import { modelEpochStore } from '../models/epoch-store.ts';
import { EpochTable } from '../models/epoch-table.ts';
import { Broker } from '../models/kafka-broker.ts';
import { type Carry, modelKafka } from '../models/kafka-requests.ts';
import { Targets } from '../models/targets.ts';
import { INPUT, JOB } from '../sim-job.ts';
import { Calls, readUnits, writeUnits } from './calls.ts';
import { COUNTED, MINUTES } from './long-job.ts';

/** What there is at a moment. */
export interface Sample {
  readonly atMs: number;
  readonly rows: number;
  /** Rows that have no time to live. */
  readonly lastingRows: number;
  readonly tableBytes: number;
  readonly jobRowBytes: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly heapBytes: number;
}

/** The services, as one process reaches them. */
export type Ports = Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'> & {
  readonly kafka: KafkaRequests;
  readonly targets: SinkTargets;
};

export const INPUT_PARTITIONS = 2;
const MARKER_MS = 2;
/** Of each log what is older is taken out, as a topic's retention does. Of the input as much is kept as a start from a savepoint reads again. */
const KEPT_BATCHES = 300;
const KEPT_INPUT_BATCHES = 10_000;
const DAY_MS = 86_400_000;
const READS = new Set(['readJob', 'readEpoch', 'listEpochs', 'readSavepoint', 'listSavepoints']);

/** The simulation's models, without a network before them: no call takes time, and none is lost. Each is counted. */
export class Services {
  readonly broker: Broker;
  readonly table: EpochTable;
  readonly bucket: BlobBucket;
  readonly calls = new Calls();
  /** Records that were committed in the topic that counts. */
  committed = 0;
  readonly #scheduler: Scheduler;
  readonly #targets: Targets;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.broker = new Broker({
      nowMs: () => scheduler.nowMs,
      later: (delayMs, run) => void scheduler.after(delayMs, undefined, run),
      markerDelayMs: () => MARKER_MS,
      shuffled: (items) => [...items],
    });
    this.table = new EpochTable(() => scheduler.nowMs);
    this.bucket = new BlobBucket(() => scheduler.nowMs);
    this.#targets = new Targets(() => scheduler.nowMs);
    this.broker.createTopic(INPUT, INPUT_PARTITIONS);
    for (const topic of [COUNTED, MINUTES]) this.broker.createTopic(topic, 1);
    this.broker.onEnd = ({ partition, commit, batches }) => {
      if (commit && partition.topic === COUNTED)
        for (const { baseOffset, lastOffset } of batches) this.committed += lastOffset - baseOffset + 1;
    };
  }

  portsOf(process: SimProcess): Ports {
    const scheduler = this.#scheduler;
    const dice = new Dice(hashOf(1, process.name));
    const random = { id: () => dice.id(), fraction: () => dice.next() };
    const others = this.#carry(process, () => 0);
    const blobStore = modelBlobStore(this.bucket, others);
    return {
      epochs: modelEpochStore(
        this.table,
        this.#carry(process, (api, answer) => this.#units(api, answer)),
      ),
      blobStore,
      blobs: createBlobs(blobStore, random),
      kafka: modelKafka(this.broker, others, {
        broker: new Map([['transaction.max.timeout.ms', '900000']]),
        topic: new Map([
          ['max.message.bytes', '1048588'],
          ['cleanup.policy', 'delete'],
        ]),
        nowMs: () => scheduler.nowMs,
      }),
      targets: this.#targets.reachedBy(others),
      clock: clockOf(scheduler, process),
      random,
    };
  }

  sample(): Sample {
    const { rows, lasting, bytes } = this.table.size();
    const blobBytes = [...this.bucket.blobs.values()].reduce((sum, blob) => sum + blob.bytes.length, 0);
    return {
      atMs: this.#scheduler.nowMs,
      ...{ rows, lastingRows: lasting, tableBytes: bytes, jobRowBytes: JSON.stringify(this.table.row(JOB) ?? null).length },
      ...{ blobs: this.bucket.blobs.size, blobBytes, heapBytes: process.memoryUsage().heapUsed },
    };
  }

  /** What brokers and the table do by themselves, now and then. */
  forgetOld(): void {
    this.table.epochs.deleteExpired(START_MS + this.#scheduler.nowMs);
    for (const partition of [...this.broker.topics.values()].flat()) {
      const kept = partition.topic === INPUT ? KEPT_INPUT_BATCHES : KEPT_BATCHES;
      partition.batches.splice(0, Math.max(0, partition.batches.length - kept));
      const start = partition.batches[0]?.baseOffset ?? partition.end;
      partition.starts = [start];
      const { aborted } = partition;
      while ((aborted[0]?.lastOffset ?? start) < start) aborted.shift();
    }
    if (this.#scheduler.nowMs % DAY_MS === 0) this.broker.expireProducers();
  }

  #units(api: string, answer: unknown): number {
    if (READS.has(api)) return readUnits(answer);
    const row = writeUnits(this.table.row(JOB));
    if (api !== 'decide' && api !== 'expireEpoch' && api !== 'beginIncarnation') return row;
    const completed = this.table.row(JOB)?.lastCompleted?.epoch ?? 0;
    const epoch = writeUnits(this.table.epochs.at(JOB, this.table.row(JOB)?.incarnation ?? '', completed));
    // Of two rows in one transaction each costs double.
    return api === 'expireEpoch' ? epoch : 2 * (row + epoch);
  }

  #carry(process: SimProcess, units: (api: string, answer: unknown) => number): Carry {
    return (api, _about, _failure, execute) => {
      if (!process.alive) return new Promise(() => {});
      try {
        const answer = execute(NO_DICE);
        this.calls.add(api, answer, units(api, answer));
        return Promise.resolve(answer);
      } catch (error) {
        this.calls.add(api, undefined);
        return Promise.reject(error);
      }
    };
  }
}

/** For what is never asked to fail. */
const NO_DICE = new Dice(1);
