import type {
  FetchedPartition,
  FetchRange,
  KafkaAnswer,
  PartitionBatch,
  ProducerIdentity,
  ProducerState as ProducerStateSeen,
  TopicPartition,
  TransactionDescription,
  TransactionState as TransactionStateName,
} from '../../../lib/ports/kafka-requests.ts';
import { decodeBatch, encodeBatch, encodeMarker } from './wire.ts';

export interface BrokerOptions {
  readonly nowMs: () => number;
  readonly later: (delayMs: number, run: () => void) => void;
  /** How long the marker of an ended transaction takes to reach one partition or group, in milliseconds. */
  readonly markerDelayMs: () => number;
  /** The order in which a fetch lists aborted transactions. */
  readonly shuffled: <T>(items: readonly T[]) => T[];
  /** Epochs of a producer id before it is replaced; Kafka's is 32767. */
  readonly maxProducerEpoch?: number;
  /** How often the transaction coordinator looks for transactions that are open too long. */
  readonly timeoutScanMs?: number;
  /** Whether the markers of a transaction that ends now are forgotten, as brokers from 4.0 do that have no leader for them (KAFKA-20734). */
  readonly forgetsMarkers?: () => boolean;
  /** Most bytes of one partition that a fetch answers. */
  readonly fetchBytes?: number;
}

export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: Buffer;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactional: boolean;
  readonly control: 'commit' | 'abort' | undefined;
}

interface ProducerState {
  epoch: number;
  lastSequence: number;
  /** The last batches, by which repetitions are known. */
  recent: { readonly first: number; readonly last: number }[];
}

export class Partition {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly batches: StoredBatch[] = [];
  logStart = 0;
  end = 0;
  /** By producer id: the first offset of its open transaction. */
  readonly open = new Map<bigint, number>();
  readonly aborted: { readonly producerId: bigint; readonly firstOffset: number; readonly lastOffset: number }[] = [];
  readonly producers = new Map<bigint, ProducerState>();

  constructor(topic: string, partition: number, leader: number) {
    this.topic = topic;
    this.partition = partition;
    this.leader = leader;
  }

  get lastStableOffset(): number {
    let lowest = this.end;
    for (const first of this.open.values()) if (first < lowest) lowest = first;
    return lowest;
  }

  /** Of the first batch that is not older, the first offset: the model's batches have one time. */
  offsetAtTime(timestampMs: number): number | undefined {
    const found = this.batches.find(({ bytes }) => Number(bytes.readBigInt64BE(35)) >= timestampMs);
    return found === undefined || found.baseOffset >= this.lastStableOffset ? undefined : found.baseOffset;
  }

  append(bytes: Buffer, producerId: bigint, producerEpoch: number, transactional: boolean, control: StoredBatch['control']): void {
    const stored = Buffer.from(bytes);
    const baseOffset = this.end;
    stored.writeBigInt64BE(BigInt(baseOffset), 0);
    const lastOffset = baseOffset + stored.readInt32BE(23);
    this.batches.push({ baseOffset, lastOffset, bytes: stored, producerId, producerEpoch, transactional, control });
    this.end = lastOffset + 1;
  }
}

type TransactionState = 'empty' | 'ongoing' | 'prepare-commit' | 'prepare-abort' | 'complete-commit' | 'complete-abort';

const STATE_NAMES: Readonly<Record<TransactionState, TransactionStateName>> = {
  empty: 'Empty',
  ongoing: 'Ongoing',
  'prepare-commit': 'PrepareCommit',
  'prepare-abort': 'PrepareAbort',
  'complete-commit': 'CompleteCommit',
  'complete-abort': 'CompleteAbort',
};

interface Transaction {
  readonly id: string;
  producerId: bigint;
  producerEpoch: number;
  timeoutMs: number;
  state: TransactionState;
  startedMs: number;
  readonly partitions: Map<string, Partition>;
  readonly groups: Set<string>;
  /** Rises with every transaction of the id, so that a late timer knows that its transaction is over. */
  serial: number;
}

interface GroupOffset {
  readonly offset: number;
  readonly metadata: string;
}

interface GroupEntry {
  committed: GroupOffset | undefined;
  /** What was committed before: what a coordinator that has just failed over may answer. */
  before: GroupOffset | undefined;
  /** By producer id: offsets of open transactions, and of ended ones whose marker has not come yet. */
  readonly pending: Map<bigint, GroupOffset>;
}

/** One transaction that was committed: from here on nothing takes it back. */
export interface CommittedTransaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly markers: readonly { readonly group: string; readonly offset: number; readonly metadata: string }[];
}

const IDENTITY_FAULTS = { id: 'INVALID_PRODUCER_ID_MAPPING', epoch: 'INVALID_PRODUCER_EPOCH' } as const;

/**
 * What Kafka's brokers do with the requests that the engine sends, as one thing that answers at once (time and faults
 * are the network's): Apache Kafka 3.9 to 4.3 as a client of transaction version 1 sees them.
 */
export class Broker {
  readonly topics = new Map<string, Partition[]>();
  readonly transactions = new Map<string, Transaction>();
  readonly groups = new Map<string, Map<string, GroupEntry>>();
  /** Records that were sent outside a transaction. */
  onPlain: (partition: Partition, values: readonly string[]) => void = () => {};
  /** Transactions that were ended and whose markers were not written. */
  forgotten = 0;
  onCommit: (committed: CommittedTransaction) => void = () => {};
  readonly #options: Required<BrokerOptions>;
  #nextProducerId = 1000n;

  constructor(options: BrokerOptions) {
    this.#options = { maxProducerEpoch: 32_767, timeoutScanMs: 10_000, fetchBytes: 1_000_000, forgetsMarkers: () => false, ...options };
  }

  createTopic(topic: string, partitions: number, leaders = 2): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, (_, partition) => new Partition(topic, partition, partition % leaders)),
    );
  }

  partition(topic: string, partition: number): Partition | undefined {
    return this.topics.get(topic)?.[partition];
  }

  openTransactions(): string[] {
    return [...this.transactions.values()].filter(({ state }) => state === 'ongoing' || state.startsWith('prepare')).map(({ id }) => id);
  }

  describeTransaction(transactionalId: string): TransactionDescription {
    const txn = this.transactions.get(transactionalId);
    if (txn === undefined)
      return {
        transactionalId,
        state: 'unknown',
        producerId: '-1',
        producerEpoch: -1,
        timeoutMs: 0,
        startedAtMs: undefined,
        partitions: [],
      };
    const isOpen = txn.state === 'ongoing' || txn.state.startsWith('prepare');
    return {
      transactionalId,
      state: STATE_NAMES[txn.state],
      producerId: String(txn.producerId),
      producerEpoch: txn.producerEpoch,
      timeoutMs: txn.timeoutMs,
      startedAtMs: isOpen ? txn.startedMs : undefined,
      partitions: [...txn.partitions.values()].map(({ topic, partition }) => ({ topic, partition })),
    };
  }

  initProducerId(transactionalId: string, timeoutMs: number): { answer: KafkaAnswer; producerId: string; producerEpoch: number } {
    const refused = (answer: KafkaAnswer) => ({ answer, producerId: '-1', producerEpoch: -1 });
    let txn = this.transactions.get(transactionalId);
    if (txn === undefined) {
      txn = {
        id: transactionalId,
        producerId: this.#nextProducerId++,
        producerEpoch: 0,
        timeoutMs,
        state: 'empty',
        startedMs: 0,
        partitions: new Map(),
        groups: new Set(),
        serial: 0,
      };
      this.transactions.set(transactionalId, txn);
    } else if (txn.state === 'prepare-commit' || txn.state === 'prepare-abort') {
      return refused('CONCURRENT_TRANSACTIONS');
    } else if (txn.state === 'ongoing') {
      // What was open is aborted under a higher epoch; the caller asks again until that is done.
      this.#fenceAndAbort(txn);
      return refused('CONCURRENT_TRANSACTIONS');
    } else if (txn.producerEpoch >= this.#options.maxProducerEpoch - 1) {
      txn.producerId = this.#nextProducerId++;
      txn.producerEpoch = 0;
      txn.state = 'empty';
    } else {
      txn.producerEpoch++;
      txn.state = 'empty';
    }
    txn.timeoutMs = timeoutMs;
    return { answer: 'NONE', producerId: String(txn.producerId), producerEpoch: txn.producerEpoch };
  }

  addPartitions(who: ProducerIdentity, partitions: readonly TopicPartition[]): KafkaAnswer {
    const found = partitions.map(({ topic, partition }) => this.partition(topic, partition));
    if (found.includes(undefined)) return 'UNKNOWN_TOPIC_OR_PARTITION';
    return this.#add(who, (txn) => {
      for (const partition of found)
        if (partition !== undefined) txn.partitions.set(`${partition.topic} ${partition.partition}`, partition);
    });
  }

  addOffsets(who: ProducerIdentity, group: string): KafkaAnswer {
    return this.#add(who, (txn) => txn.groups.add(group));
  }

  txnOffsetCommit(
    who: ProducerIdentity,
    group: string,
    marker: TopicPartition & { readonly offset: number; readonly metadata: string },
  ): KafkaAnswer {
    const producerId = BigInt(who.producerId);
    const entry = this.#groupEntry(group, `${marker.topic} ${marker.partition}`);
    // A transaction that is open in the group's partition takes more, whatever its coordinator thinks of it by now.
    const openEpoch = entry.pending.has(producerId) ? this.#pendingEpochs.get(`${group} ${producerId}`) : undefined;
    if (openEpoch !== undefined && who.producerEpoch < openEpoch) return 'INVALID_PRODUCER_EPOCH';
    if (openEpoch !== who.producerEpoch) {
      const txn = this.transactions.get(who.transactionalId);
      const fault = identityFault(txn, who);
      if (fault !== undefined) return fault;
      if (txn?.state !== 'ongoing' || !txn.groups.has(group)) return 'INVALID_TXN_STATE';
    }
    this.#pendingEpochs.set(`${group} ${producerId}`, who.producerEpoch);
    entry.pending.set(producerId, { offset: marker.offset, metadata: marker.metadata });
    return 'NONE';
  }

  describeProducers(
    leader: number,
    topic: string,
    partitions: readonly number[],
  ): { readonly answer: KafkaAnswer; readonly producers: readonly ProducerStateSeen[] } {
    const found = partitions.map((partition) => this.partition(topic, partition));
    if (found.includes(undefined)) return { answer: 'UNKNOWN_TOPIC_OR_PARTITION', producers: [] };
    if (found.some((partition) => partition?.leader !== leader)) return { answer: 'NOT_LEADER_OR_FOLLOWER', producers: [] };
    const producers = found.flatMap((partition) =>
      [...(partition?.producers ?? [])].map(([producerId, { epoch }]) => ({
        partition: partition?.partition ?? -1,
        producerId: String(producerId),
        producerEpoch: epoch,
        isOpen: partition?.open.has(producerId) ?? false,
      })),
    );
    return { answer: 'NONE', producers };
  }

  /** `who`: undefined outside a transaction. */
  produce(who: ProducerIdentity | undefined, leader: number, batches: readonly PartitionBatch[]): KafkaAnswer {
    let worst: KafkaAnswer = 'NONE';
    for (const { topic, partition, batch } of batches) {
      const found = this.partition(topic, partition);
      const bytes = Buffer.from(batch);
      const answer = who === undefined ? this.#producePlain(leader, found, bytes) : this.#produceOne(who, leader, found, bytes);
      if (answer !== 'NONE' && worst === 'NONE') worst = answer;
    }
    return worst;
  }

  endTxn(who: ProducerIdentity, commit: boolean): KafkaAnswer {
    const txn = this.transactions.get(who.transactionalId);
    const fault = identityFault(txn, who);
    if (fault !== undefined || txn === undefined) return fault ?? IDENTITY_FAULTS.id;
    switch (txn.state) {
      case 'ongoing':
        this.#end(txn, commit);
        return 'NONE';
      case 'complete-commit':
        return commit ? 'NONE' : 'INVALID_TXN_STATE';
      case 'complete-abort':
        return commit ? 'INVALID_TXN_STATE' : 'NONE';
      case 'prepare-commit':
        return commit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE';
      case 'prepare-abort':
        return commit ? 'INVALID_TXN_STATE' : 'CONCURRENT_TRANSACTIONS';
      case 'empty':
        return 'INVALID_TXN_STATE';
    }
  }

  /** `stale`: its coordinator has just failed over, and a read that need not be stable may answer what was before. */
  offsetFetch(
    group: string,
    where: TopicPartition,
    requireStable: boolean,
    stale = false,
  ): { answer: KafkaAnswer; offset: number | undefined; metadata: string } {
    const entry = this.groups.get(group)?.get(`${where.topic} ${where.partition}`);
    if (requireStable && entry !== undefined && entry.pending.size > 0)
      return { answer: 'UNSTABLE_OFFSET_COMMIT', offset: undefined, metadata: '' };
    const found = stale && !requireStable ? entry?.before : entry?.committed;
    return { answer: 'NONE', offset: found?.offset, metadata: found?.metadata ?? '' };
  }

  commitGroupOffsets(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: number }[],
  ): KafkaAnswer {
    for (const { partition, offset } of offsets) commitOffset(this.#groupEntry(group, `${topic} ${partition}`), { offset, metadata: '' });
    return 'NONE';
  }

  /** What offsets.retention.minutes does to a group without members. */
  forgetGroup(group: string): void {
    this.groups.delete(group);
  }

  fetch(range: FetchRange): FetchedPartition {
    const { topic, partition: number, offset, maxBytes } = range;
    const partition = this.partition(topic, number);
    const empty = {
      topic,
      partition: number,
      logStartOffset: partition?.logStart ?? 0,
      highWatermark: partition?.end ?? 0,
      lastStableOffset: partition?.lastStableOffset ?? 0,
      aborted: [],
      records: Buffer.alloc(0),
    };
    if (partition === undefined) return { ...empty, answer: 'UNKNOWN_TOPIC_OR_PARTITION' };
    if (offset < partition.logStart || offset > partition.end) return { ...empty, answer: 'OFFSET_OUT_OF_RANGE' };
    const limit = Math.min(maxBytes, this.#options.fetchBytes);
    const stable = partition.lastStableOffset;
    const found = partition.batches.filter(({ baseOffset, lastOffset }) => lastOffset >= offset && baseOffset < stable);
    let bytes = 0;
    const chosen: StoredBatch[] = [];
    for (const batch of found) {
      if (bytes >= limit) break;
      chosen.push(batch);
      bytes += batch.bytes.length;
    }
    const upper = (chosen.at(-1)?.lastOffset ?? offset) + 1;
    const aborted = partition.aborted
      .filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset < upper)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
    // The first batch comes whole; the last may be cut off.
    const whole = chosen[0]?.bytes.length ?? 0;
    const records = Buffer.concat(chosen.map((batch) => batch.bytes)).subarray(0, Math.max(whole, limit));
    return { ...empty, answer: 'NONE', aborted: this.#options.shuffled(aborted), records };
  }

  /** Appends records of a producer that knows no transactions. */
  appendPlain(topic: string, partition: number, values: readonly string[]): void {
    const found = this.#required(topic, partition);
    found.append(
      encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: false, timestampMs: this.#options.nowMs() }, values),
      -1n,
      -1,
      false,
      undefined,
    );
  }

  /** Appends records of an open transaction of somebody else, and answers what ends it. */
  appendTransactional(topic: string, partition: number, values: readonly string[]): (commit: boolean) => void {
    const found = this.#required(topic, partition);
    // A producer that is not busy in the partition goes on under its id, as a real one does.
    const idle = this.#upstream.find((known) => !found.open.has(known));
    const producerId = idle ?? this.#nextProducerId++;
    if (idle === undefined) this.#upstream.push(producerId);
    const header = { producerId, producerEpoch: 0, transactional: true, timestampMs: this.#options.nowMs() };
    found.open.set(producerId, found.end);
    found.append(encodeBatch({ ...header, baseSequence: 0 }, values), producerId, 0, true, undefined);
    return (commit) => writeMarker(found, producerId, 0, commit, this.#options.nowMs());
  }

  /** When this id's next transaction ends, its markers are forgotten: all, or those in partitions, or that in its group. */
  forgetMarkersOf(transactionalId: string, where: 'everywhere' | 'partitions' | 'group' = 'everywhere'): void {
    this.#forgetOf = { transactionalId, where };
  }

  #forgetOf: { readonly transactionalId: string; readonly where: 'everywhere' | 'partitions' | 'group' } | undefined;
  readonly #upstream: bigint[] = [];
  readonly #pendingEpochs = new Map<string, number>();

  #required(topic: string, partition: number): Partition {
    const found = this.partition(topic, partition);
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`);
    return found;
  }

  #add(who: ProducerIdentity, add: (txn: Transaction) => void): KafkaAnswer {
    const txn = this.transactions.get(who.transactionalId);
    const fault = identityFault(txn, who);
    if (fault !== undefined || txn === undefined) return fault ?? IDENTITY_FAULTS.id;
    if (txn.state === 'prepare-commit' || txn.state === 'prepare-abort') return 'CONCURRENT_TRANSACTIONS';
    if (txn.state !== 'ongoing') {
      txn.state = 'ongoing';
      txn.serial++;
      txn.startedMs = this.#options.nowMs();
      this.#watchTimeout(txn, txn.serial);
    }
    add(txn);
    return 'NONE';
  }

  #watchTimeout(txn: Transaction, serial: number): void {
    const { timeoutScanMs, nowMs, later } = this.#options;
    const dueMs = txn.startedMs + txn.timeoutMs;
    const scanMs = (Math.floor(dueMs / timeoutScanMs) + 1) * timeoutScanMs;
    later(scanMs - nowMs(), () => {
      // The producer's epoch rises, as if someone else had fenced it.
      if (txn.serial === serial && txn.state === 'ongoing') this.#fenceAndAbort(txn);
    });
  }

  #fenceAndAbort(txn: Transaction): void {
    txn.producerEpoch = Math.min(txn.producerEpoch + 1, this.#options.maxProducerEpoch);
    this.#end(txn, false);
  }

  #producePlain(leader: number, partition: Partition | undefined, batch: Buffer): KafkaAnswer {
    if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    if (partition.leader !== leader) return 'NOT_LEADER_OR_FOLLOWER';
    const { producerId, producerEpoch, transactional, values } = decodeBatch(batch);
    if (transactional || producerId !== -1n || producerEpoch !== -1) return 'INVALID_TXN_STATE';
    partition.append(batch, producerId, producerEpoch, false, undefined);
    this.onPlain(partition, values);
    return 'NONE';
  }

  #produceOne(who: ProducerIdentity, leader: number, partition: Partition | undefined, batch: Buffer): KafkaAnswer {
    if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    if (partition.leader !== leader) return 'NOT_LEADER_OR_FOLLOWER';
    const { producerId, producerEpoch, baseSequence, transactional, records } = decodeBatch(batch);
    if (!transactional || producerId !== BigInt(who.producerId) || producerEpoch !== who.producerEpoch) return 'INVALID_TXN_STATE';
    const state = partition.producers.get(producerId);
    if (state !== undefined && producerEpoch < state.epoch) return 'INVALID_PRODUCER_EPOCH';
    // What is open in the partition takes more until its marker comes; the first batch is verified with the coordinator.
    if (!partition.open.has(producerId) || state?.epoch !== producerEpoch) {
      const txn = this.transactions.get(who.transactionalId);
      const fault = identityFault(txn, who);
      if (fault !== undefined) return fault;
      if (txn?.state !== 'ongoing' || !txn.partitions.has(`${partition.topic} ${partition.partition}`)) return 'INVALID_TXN_STATE';
    }
    const lastSequence = baseSequence + records - 1;
    if (state?.epoch === producerEpoch) {
      if (state.recent.some(({ first, last }) => first === baseSequence && last === lastSequence)) return 'NONE';
      if (state.lastSequence >= 0 && baseSequence !== state.lastSequence + 1) return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
    } else if (state !== undefined && baseSequence !== 0) {
      return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
    }
    const recent = state?.epoch === producerEpoch ? state.recent : [];
    partition.producers.set(producerId, {
      epoch: producerEpoch,
      lastSequence,
      recent: [...recent.slice(-4), { first: baseSequence, last: lastSequence }],
    });
    if (!partition.open.has(producerId)) partition.open.set(producerId, partition.end);
    partition.append(batch, producerId, producerEpoch, true, undefined);
    return 'NONE';
  }

  #end(txn: Transaction, commit: boolean): void {
    txn.state = commit ? 'prepare-commit' : 'prepare-abort';
    const { producerId, producerEpoch, serial } = txn;
    const forgotten = this.#options.forgetsMarkers() ? 'everywhere' : this.#forgottenOf(txn.id);
    if (forgotten !== undefined) this.forgotten++;
    if (commit && (forgotten === undefined || forgotten === 'group')) {
      const markers = [...txn.groups].flatMap((group) =>
        [...(this.groups.get(group)?.values() ?? [])].flatMap(({ pending }) => {
          const marker = pending.get(producerId);
          return marker === undefined ? [] : [{ group, ...marker }];
        }),
      );
      this.onCommit({ transactionalId: txn.id, producerId, producerEpoch, markers });
    }
    const writes = [
      ...(forgotten === 'everywhere' || forgotten === 'partitions' ? [] : [...txn.partitions.values()]).map(
        (partition) => () => writeMarker(partition, producerId, producerEpoch, commit, this.#options.nowMs()),
      ),
      ...(forgotten === 'everywhere' || forgotten === 'group' ? [] : [...txn.groups]).map(
        (group) => () => this.#endInGroup(group, producerId, commit),
      ),
    ];
    let left = writes.length;
    const done = () => {
      if (txn.serial !== serial) throw new Error(`transaction ${txn.id} went on before its markers were written`);
      txn.state = commit ? 'complete-commit' : 'complete-abort';
      txn.partitions.clear();
      txn.groups.clear();
    };
    if (left === 0) this.#options.later(this.#options.markerDelayMs(), done);
    for (const write of writes) {
      this.#options.later(this.#options.markerDelayMs(), () => {
        write();
        left--;
        if (left === 0) this.#options.later(this.#options.markerDelayMs() / 4, done);
      });
    }
  }

  #forgottenOf(transactionalId: string): 'everywhere' | 'partitions' | 'group' | undefined {
    if (this.#forgetOf?.transactionalId !== transactionalId) return undefined;
    const { where } = this.#forgetOf;
    this.#forgetOf = undefined;
    return where;
  }

  #endInGroup(group: string, producerId: bigint, commit: boolean): void {
    this.#pendingEpochs.delete(`${group} ${producerId}`);
    for (const entry of this.groups.get(group)?.values() ?? []) {
      const pending = entry.pending.get(producerId);
      if (pending === undefined) continue;
      entry.pending.delete(producerId);
      if (commit) commitOffset(entry, pending);
    }
  }

  #groupEntry(group: string, where: string): GroupEntry {
    const entries = this.groups.get(group) ?? new Map<string, GroupEntry>();
    this.groups.set(group, entries);
    const entry = entries.get(where) ?? { committed: undefined, before: undefined, pending: new Map() };
    entries.set(where, entry);
    return entry;
  }
}

function identityFault(txn: Transaction | undefined, who: ProducerIdentity): KafkaAnswer | undefined {
  if (txn === undefined || String(txn.producerId) !== who.producerId) return IDENTITY_FAULTS.id;
  return txn.producerEpoch === who.producerEpoch ? undefined : IDENTITY_FAULTS.epoch;
}

function commitOffset(entry: GroupEntry, offset: GroupOffset): void {
  entry.before = entry.committed;
  entry.committed = offset;
}

function writeMarker(partition: Partition, producerId: bigint, producerEpoch: number, commit: boolean, timestampMs: number): void {
  const firstOffset = partition.open.get(producerId);
  partition.open.delete(producerId);
  const how = commit ? 'commit' : 'abort';
  if (firstOffset !== undefined && !commit) partition.aborted.push({ producerId, firstOffset, lastOffset: partition.end });
  partition.append(
    encodeMarker({ producerId, producerEpoch, transactional: true, timestampMs }, how),
    producerId,
    producerEpoch,
    true,
    how,
  );
  const state = partition.producers.get(producerId);
  // A marker under a higher epoch starts the sequence numbers again.
  if (state === undefined || state.epoch < producerEpoch)
    partition.producers.set(producerId, { epoch: producerEpoch, lastSequence: -1, recent: [] });
}
