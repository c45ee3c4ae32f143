import type {
  FetchedPartition,
  FetchLimits,
  FetchRange,
  KafkaAnswer,
  ProducerState as ProducerStateSeen,
} from '../../../lib/ports/kafka-requests.ts';
import type { Partition, StoredBatch } from './partition.ts';
import type { Topics } from './topics.ts';

export interface ReadOptions {
  /** The order in which a fetch lists aborted transactions. */
  readonly shuffled: <T>(items: readonly T[]) => T[];
  /** Most bytes of one partition that a fetch answers. */
  readonly fetchBytes?: number;
}

/** What is asked for, and of which broker: undefined when the asker knows of no such partition, -1 when of no leader. */
export interface LedRange extends FetchRange {
  readonly leader: number | undefined;
}

/** What the leaders of partitions, and whoever believes to be one, answer of their logs. */
export class LogReads {
  readonly #topics: Topics;
  readonly #options: Required<ReadOptions>;

  constructor(topics: Topics, options: Required<ReadOptions>) {
    this.#topics = topics;
    this.#options = options;
  }

  describeProducers(
    leader: number,
    topic: string,
    partitions: readonly number[],
  ): { readonly answer: KafkaAnswer; readonly producers: readonly ProducerStateSeen[] } {
    const found = partitions.map((partition) => this.#partition(topic, partition));
    if (found.includes(undefined)) return { answer: 'UNKNOWN_TOPIC_OR_PARTITION', producers: [] };
    const views = found.map((partition) => partition?.seenBy(leader));
    if (views.includes(undefined)) return { answer: 'NOT_LEADER_OR_FOLLOWER', producers: [] };
    const producers = views.flatMap((view, index) =>
      [...(view?.producers ?? [])].map(([producerId, { epoch }]) => ({
        partition: partitions[index] ?? -1,
        producerId: String(producerId),
        producerEpoch: epoch,
        lastTimestampMs: Number(found[index]?.batches.findLast((batch) => batch.producerId === producerId)?.bytes.readBigInt64BE(35) ?? -1),
        openSince: view?.open.get(producerId),
      })),
    );
    return { answer: 'NONE', producers };
  }

  /** Where the log starts, or the last stable offset: of the partition's leader. */
  offset(topic: string, number: number, leader: number | undefined, at: 'earliest' | 'latest' | 'end'): number | KafkaAnswer {
    const partition = this.#partition(topic, number);
    if (partition === undefined || leader === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    const view = partition.seenBy(leader);
    if (view === undefined) return 'NOT_LEADER_OR_FOLLOWER';
    // A leader that does not know yet how far its log is replicated says so.
    if (at !== 'earliest' && view.highWatermark < view.end) return 'OFFSET_NOT_AVAILABLE';
    if (at === 'end') return view.highWatermark;
    return at === 'earliest' ? view.logStart : view.lastStableOffset;
  }

  /** One Fetch: what is asked for is exceeded only for the first partition that has data; another's first batch that is larger is left out. */
  fetch(ranges: readonly LedRange[], limits: Pick<FetchLimits, 'isolation' | 'maxBytes'>): FetchedPartition[] {
    let left = limits.maxBytes;
    let isFirst = true;
    return ranges.map((range) => {
      const fetched = this.#fetchOne(range, limits.isolation ?? 'read_committed', Math.min(range.maxBytes, Math.max(left, 0)), isFirst);
      left -= fetched.records.length;
      if (fetched.records.length > 0) isFirst = false;
      return fetched;
    });
  }

  #fetchOne(
    { topic, partition: number, offset, leader }: LedRange,
    isolation: string,
    maxBytes: number,
    mayExceed: boolean,
  ): FetchedPartition {
    const partition = this.#partition(topic, number);
    const view = leader === undefined ? undefined : partition?.seenBy(leader);
    // Without records there is no list of aborted transactions.
    const empty = {
      topic,
      partition: number,
      logStartOffset: view?.logStart ?? 0,
      highWatermark: view?.highWatermark ?? 0,
      lastStableOffset: view?.lastStableOffset ?? 0,
      aborted: [],
      records: Buffer.alloc(0),
    };
    if (partition === undefined || leader === undefined) return { ...empty, answer: 'UNKNOWN_TOPIC_OR_PARTITION' };
    if (leader < 0) return { ...empty, answer: 'LEADER_NOT_AVAILABLE' };
    if (view === undefined) return { ...empty, answer: 'NOT_LEADER_OR_FOLLOWER' };
    if (offset < view.logStart || offset > view.end) return { ...empty, answer: 'OFFSET_OUT_OF_RANGE' };
    const limit = Math.min(maxBytes, this.#options.fetchBytes);
    const end = isolation === 'read_committed' ? view.lastStableOffset : view.highWatermark;
    let bytes = 0;
    const chosen: StoredBatch[] = [];
    for (let at = partition.placeOf(offset); at < partition.batches.length; at++) {
      const batch = partition.batches[at] as StoredBatch;
      if (batch.baseOffset >= end || (bytes >= limit && chosen.length > 0)) break;
      chosen.push(batch);
      bytes += batch.bytes.length;
    }
    const whole = chosen[0]?.bytes.length ?? 0;
    if (chosen.length === 0 || (whole > limit && !mayExceed)) return { ...empty, answer: 'NONE' };
    const upper = (chosen.at(-1)?.lastOffset ?? offset) + 1;
    const aborted = partition.aborted
      .filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset < upper)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
    // The first batch comes whole; the last may be cut off.
    const records = Buffer.concat(chosen.map((batch) => batch.bytes)).subarray(0, Math.max(whole, limit));
    return { ...empty, answer: 'NONE', aborted: isolation === 'read_committed' ? this.#options.shuffled(aborted) : [], records };
  }

  #partition(topic: string, partition: number): Partition | undefined {
    return this.#topics.topics.get(topic)?.[partition];
  }
}
