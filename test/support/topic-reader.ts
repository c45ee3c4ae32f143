import { NoAnswer } from '../../lib/kafka/wire-request.ts';
import { brokers, cluster, type Isolation, kafkaJsRequest } from './kafka-wire.ts';
import { waitFor } from './wait-for.ts';

export interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | null>>;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly FetchedMessage[];
}

interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/** A look is four requests: more of them would take more of the machine than the job that is waited for. */
const LOOK_PAUSE_MS = 60;
const FETCH_BYTES = 8 * 1024 * 1024;
const ABORT = 0;
/** Answers of a broker that has not taken up a new partition yet: unknown, no leader, not the leader. */
const NEW_TOPIC = [3, 5, 6];

/**
 * Reads a topic as a consumer of one isolation level sees it. Independent of the engine: records are decoded by kafkajs.
 * Which are aborted is decided here, because kafkajs's consumer takes the broker's list in the order in which it comes,
 * and moves one entry on for each record: it lets aborted records through when several transactions were open at once.
 */
export class TopicReader {
  readonly topic: string;
  /** Everything read so far: of each partition in its order. */
  readonly records: SeenRecord[] = [];
  /** How keys become text. As UTF-8 numbers may look alike; as `latin1` no two do that differ. */
  keyEncoding: 'utf8' | 'latin1' = 'utf8';
  readonly #isolation: Isolation;
  readonly #brokers: string[];
  readonly #positions: number[] = [];

  constructor(topic: string, isolation: Isolation = 'committed', at = brokers()) {
    this.topic = topic;
    this.#isolation = isolation;
    this.#brokers = at;
  }

  get values(): string[] {
    return this.records.map(({ value }) => value);
  }

  /** Reads up to the end of what can be read now. */
  async readOn(): Promise<void> {
    // Partitions may have been added.
    let leaders: readonly number[] = [];
    await waitFor(`leaders of topic ${this.topic}`, async () => {
      cluster(this.#brokers).forgetLeaders(this.topic);
      leaders = await cluster(this.#brokers).leaders(this.topic);
      return leaders.every((leader) => leader >= 0);
    });
    for (const [partition, leader] of leaders.entries()) {
      while (!(await this.#readSome(partition, leader)));
    }
  }

  /** Reads until `enough`. */
  async readUntil(enough: (reader: TopicReader) => boolean): Promise<void> {
    const found = async () => {
      await this.readOn();
      return enough(this);
    };
    await waitFor(`what the test waits for in topic ${this.topic}`, found, LOOK_PAUSE_MS);
  }

  /** True at the end. */
  async #readSome(partition: number, leader: number): Promise<boolean> {
    const from = this.#positions[partition] ?? 0;
    const fetched = await this.#fetch(partition, leader, from);
    const end = Number(this.#isolation === 'committed' ? fetched.lastStableOffset : fetched.highWatermark);
    const messages = fetched.messages.filter(({ offset }) => Number(offset) >= from);
    const visible = this.#isolation === 'committed' ? withoutAborted(messages, fetched.abortedTransactions) : messages;
    for (const { offset, timestamp, key, value, headers, isControlRecord } of visible) {
      if (isControlRecord) continue;
      this.records.push({
        partition,
        offset: Number(offset),
        timestamp: Number(timestamp),
        key: key?.toString(this.keyEncoding),
        value: value?.toString('utf8') ?? '',
        headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, header?.toString('utf8') ?? ''])),
      });
    }
    const last = messages.at(-1);
    if (last !== undefined) this.#positions[partition] = Number(last.offset) + 1;
    return (this.#positions[partition] ?? 0) >= end;
  }

  async #fetch(partition: number, leader: number, fetchOffset: number): Promise<FetchedPartition> {
    const request = await kafkaJsRequest<FetchResponse>('Fetch', 11, {
      replicaId: -1,
      maxWaitTime: 0,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      isolationLevel: this.#isolation === 'committed' ? 1 : 0,
      topics: [
        { topic: this.topic, partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset, logStartOffset: -1, maxBytes: FETCH_BYTES }] },
      ],
    });
    const response = await cluster(this.#brokers).sendTo(leader, 'fetch', request);
    if (response instanceof NoAnswer) throw new Error(response.reason);
    const [fetched] = response.responses.flatMap(({ partitions }) => partitions);
    if (NEW_TOPIC.includes(fetched?.errorCode ?? 0)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return this.#fetch(partition, leader, fetchOffset);
    }
    if (fetched === undefined || fetched.errorCode !== 0)
      throw new Error(`Fetch of ${this.topic}-${partition} was answered ${fetched?.errorCode}`);
    return fetched;
  }
}

function withoutAborted(messages: readonly FetchedMessage[], listed: FetchedPartition['abortedTransactions']): FetchedMessage[] {
  const waiting = listed
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((one, other) => one.firstOffset - other.firstOffset);
  const aborting = new Set<string>();
  return messages.filter(({ offset, key, isControlRecord, batchContext }) => {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= Number(offset)) aborting.add(waiting.shift()?.producerId ?? '');
    const { producerId, inTransaction } = batchContext;
    if (isControlRecord) {
      // A control record's key is its version and its kind, 16 bits each.
      if (key?.readInt16BE(2) === ABORT) aborting.delete(producerId);
      return false;
    }
    return !(inTransaction && aborting.has(producerId));
  });
}
