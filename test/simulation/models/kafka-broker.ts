import type {
  GroupOffset,
  KafkaAnswer,
  PartitionBatch,
  ProduceAnswer,
  ProducerIdentity,
  TopicPartition,
  TransactionDescription,
  TransactionState as TransactionStateName,
} from '../../../lib/ports/kafka-requests.ts';
import { LogReads, type ReadOptions } from './log-reads.ts';
import type { Partition, StoredBatch } from './partition.ts';
import { Topics } from './topics.ts';
import { decodeBatch, encodeBatch, encodeMarker } from './wire.ts';

export interface BrokerOptions extends ReadOptions {
  readonly nowMs: () => number;
  readonly later: (delayMs: number, run: () => void) => void;
  /** How long the end of a transaction takes to reach one partition, in milliseconds. */
  readonly markerDelayMs: () => number;
  /** Epochs of a producer id before it is replaced; Kafka's is 32767. */
  readonly maxProducerEpoch?: number;
  /** How often the transaction coordinator looks for transactions that are open too long. */
  readonly timeoutScanMs?: number;
  /** Whether the end of a transaction that ends now is forgotten in one of its partitions, as brokers from 4.0 do (KAFKA-20734). */
  readonly forgetsEnd?: () => boolean;
  /** How long until readers are given what others append, and the ends of transactions. */
  readonly replicationMs?: () => number;
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
  /** Rises with every transaction of the id, so that a late timer knows that its transaction is over. */
  serial: number;
}

/** What a partition is told when a transaction ends in it: whose, and what it holds there. */
export interface EndInPartition {
  readonly partition: Partition;
  readonly producerId: bigint;
  readonly commit: boolean;
  readonly batches: readonly StoredBatch[];
}

const IDENTITY_FAULTS = { id: 'INVALID_PRODUCER_ID_MAPPING', epoch: 'INVALID_PRODUCER_EPOCH' } as const;

/**
 * What Kafka's brokers do with the requests that the engine sends, as one thing that answers at once (time and faults
 * are the network's): Apache Kafka 3.9 to 4.3 as a client of transaction version 1 sees them.
 */
export class Broker {
  readonly catalog: Topics;
  readonly reads: LogReads;
  readonly transactions = new Map<string, Transaction>();
  /** Committed offsets by group, then topic and partition. */
  readonly groups = new Map<string, Map<string, number>>();
  /** Producers that are not the job's. */
  readonly foreign = new Set<bigint>();
  /** Records that were sent outside a transaction. */
  onPlain: (partition: Partition, batch: StoredBatch) => void = () => {};
  /** Ends of transactions that were not written to a partition. */
  forgotten = 0;
  /** Before the end is written. */
  onEnd: (end: EndInPartition) => void = () => {};
  readonly #options: Required<BrokerOptions>;
  #nextProducerId = 1000n;

  constructor(options: BrokerOptions) {
    this.#options = {
      maxProducerEpoch: 32_767,
      timeoutScanMs: 10_000,
      fetchBytes: 1_000_000,
      forgetsEnd: () => false,
      replicationMs: () => 0,
      ...options,
    };
    this.catalog = new Topics(options.nowMs);
    this.reads = new LogReads(this.catalog, this.#options);
  }

  createTopic(topic: string, partitions: number): void {
    this.catalog.create(topic, partitions);
  }

  /** What is open under producer ids that no transactional id has any more: no client can end it, and no timeout does. */
  stranded(): { readonly topic: string; readonly partition: number; readonly producerId: bigint }[] {
    const owned = new Set([...this.transactions.values()].map(({ producerId }) => producerId));
    return [...this.topics.values()]
      .flat()
      .flatMap(({ topic, partition, open }) =>
        [...open.keys()]
          .filter((producerId) => !owned.has(producerId) && !this.foreign.has(producerId))
          .map((producerId) => ({ topic, partition, producerId })),
      );
  }

  /** What `kafka-transactions.sh abort` does: the leader is told the end of a transaction that nobody else ends. */
  abortStranded(topic: string, partition: number): void {
    const found = this.#required(topic, partition);
    for (const one of this.stranded())
      if (one.topic === topic && one.partition === partition)
        this.#writeEnd(found, one.producerId, found.producers.get(one.producerId)?.epoch ?? 0, false);
  }

  get topics(): ReadonlyMap<string, Partition[]> {
    return this.catalog.topics;
  }

  partition(topic: string, partition: number): Partition | undefined {
    return this.catalog.topics.get(topic)?.[partition];
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

  /** `who`: undefined outside a transaction. */
  produce(who: ProducerIdentity | undefined, leader: number, batches: readonly PartitionBatch[]): ProduceAnswer {
    const answers = batches.map(({ topic, partition, batch }) => {
      const found = this.partition(topic, partition);
      const bytes = Buffer.from(batch);
      return who === undefined ? this.#producePlain(leader, found, bytes) : this.#produceOne(who, leader, found, bytes);
    });
    const failed = answers.find(({ answer }) => answer !== 'NONE');
    return { answer: failed?.answer ?? 'NONE', baseOffsets: answers.map(({ baseOffset }) => baseOffset) };
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

  offsetFetch(group: string, where: TopicPartition): { answer: KafkaAnswer; offset: number | undefined } {
    return { answer: 'NONE', offset: this.groups.get(group)?.get(`${where.topic} ${where.partition}`) };
  }

  groupOffset(group: string, { topic, partition }: TopicPartition): GroupOffset | undefined {
    const offset = this.groups.get(group)?.get(`${topic} ${partition}`);
    return offset === undefined ? undefined : { offset, metadata: this.#groupMetadata.get(`${group} ${topic} ${partition}`) ?? '' };
  }

  /** What was kept with the offsets of a group. */
  groupTexts(group: string): string[] {
    return [...this.#groupMetadata].flatMap(([key, text]) => (key.startsWith(`${group} `) ? [text] : []));
  }

  readonly #groupMetadata = new Map<string, string>();

  commitGroupOffsets(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: number }[],
    metadata: string,
  ): KafkaAnswer {
    const entries = this.groups.get(group) ?? new Map<string, number>();
    this.groups.set(group, entries);
    for (const { partition, offset } of offsets) {
      entries.set(`${topic} ${partition}`, offset);
      this.#groupMetadata.set(`${group} ${topic} ${partition}`, metadata);
    }
    return 'NONE';
  }

  /** What transactional.id.expiration.ms and producer.id.expiration.ms do: whoever has nothing open is forgotten. */
  expireProducers(): void {
    for (const [id, { state }] of this.transactions) if (state !== 'ongoing' && !state.startsWith('prepare')) this.transactions.delete(id);
    for (const partition of [...this.topics.values()].flat())
      for (const producerId of partition.producers.keys()) if (!partition.open.has(producerId)) partition.producers.delete(producerId);
  }

  /** Appends records of a producer that knows no transactions. */
  appendPlain(topic: string, partition: number, values: readonly string[]): void {
    const found = this.#required(topic, partition);
    found.replicatesLater(this.#options.replicationMs());
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
    this.foreign.add(producerId);
    const header = { producerId, producerEpoch: 0, transactional: true, timestampMs: this.#options.nowMs() };
    found.replicatesLater(this.#options.replicationMs());
    found.open.set(producerId, found.end);
    found.append(encodeBatch({ ...header, baseSequence: 0 }, values), producerId, 0, true, undefined);
    return (commit) => this.#writeEnd(found, producerId, 0, commit);
  }

  /** When this id's next transaction ends, its end is forgotten in these partitions, or in all. */
  forgetEndsOf(transactionalId: string, partitions?: readonly number[]): void {
    this.#forgetOf = { transactionalId, partitions };
  }

  #forgetOf: { readonly transactionalId: string; readonly partitions: readonly number[] | undefined } | undefined;
  readonly #upstream: bigint[] = [];

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

  #producePlain(leader: number, partition: Partition | undefined, batch: Buffer): Produced {
    if (partition === undefined) return refused('UNKNOWN_TOPIC_OR_PARTITION');
    if (partition.leaderless || partition.leader !== leader) return refused('NOT_LEADER_OR_FOLLOWER');
    const { producerId, producerEpoch, transactional } = decodeBatch(batch);
    if (transactional || producerId !== -1n || producerEpoch !== -1) return refused('INVALID_TXN_STATE');
    const baseOffset = partition.end;
    partition.append(batch, producerId, producerEpoch, false, undefined);
    partition.replicated();
    this.onPlain(partition, partition.batches.at(-1) as StoredBatch);
    return { answer: 'NONE', baseOffset };
  }

  #produceOne(who: ProducerIdentity, leader: number, partition: Partition | undefined, batch: Buffer): Produced {
    if (partition === undefined) return refused('UNKNOWN_TOPIC_OR_PARTITION');
    if (partition.leaderless || partition.leader !== leader) return refused('NOT_LEADER_OR_FOLLOWER');
    const { producerId, producerEpoch, baseSequence, transactional, records } = decodeBatch(batch);
    if (!transactional || producerId !== BigInt(who.producerId) || producerEpoch !== who.producerEpoch) return refused('INVALID_TXN_STATE');
    const state = partition.producers.get(producerId);
    if (state !== undefined && producerEpoch < state.epoch) return refused('INVALID_PRODUCER_EPOCH');
    // What is open in the partition takes more until its marker comes; the first batch is verified with the coordinator.
    if (!partition.open.has(producerId) || state?.epoch !== producerEpoch) {
      const txn = this.transactions.get(who.transactionalId);
      const fault = identityFault(txn, who);
      if (fault !== undefined) return refused(fault);
      if (txn?.state !== 'ongoing' || !txn.partitions.has(`${partition.topic} ${partition.partition}`)) return refused('INVALID_TXN_STATE');
    }
    const lastSequence = baseSequence + records - 1;
    if (state?.epoch === producerEpoch) {
      const known = state.recent.find(({ first, last }) => first === baseSequence && last === lastSequence);
      if (known !== undefined) {
        partition.replicated();
        return { answer: 'NONE', baseOffset: known.baseOffset };
      }
      if (state.lastSequence >= 0 && baseSequence !== state.lastSequence + 1) return refused('OUT_OF_ORDER_SEQUENCE_NUMBER');
    } else if (state !== undefined && baseSequence !== 0) {
      return refused('OUT_OF_ORDER_SEQUENCE_NUMBER');
    }
    const recent = state?.epoch === producerEpoch ? state.recent : [];
    partition.producers.set(producerId, {
      epoch: producerEpoch,
      lastSequence,
      recent: [...recent.slice(-4), { first: baseSequence, last: lastSequence, baseOffset: partition.end }],
    });
    if (!partition.open.has(producerId)) partition.open.set(producerId, partition.end);
    const baseOffset = partition.end;
    partition.append(batch, producerId, producerEpoch, true, undefined);
    partition.replicated();
    return { answer: 'NONE', baseOffset };
  }

  #end(txn: Transaction, commit: boolean): void {
    txn.state = commit ? 'prepare-commit' : 'prepare-abort';
    const { producerId, producerEpoch, serial } = txn;
    const told = this.#forgetOf?.transactionalId === txn.id ? this.#forgetOf : undefined;
    if (told !== undefined) this.#forgetOf = undefined;
    const isForgotten = (partition: Partition) =>
      (!partition.isDeleted && partition.leaderless) ||
      (told !== undefined && (told.partitions?.includes(partition.partition) ?? true)) ||
      this.#options.forgetsEnd();
    const reached = [...txn.partitions.values()].filter((partition) => {
      const forgotten = isForgotten(partition);
      if (forgotten) this.forgotten++;
      return !forgotten;
    });
    let left = reached.length;
    let behindMs = 0;
    const done = () => {
      if (txn.serial !== serial) throw new Error(`transaction ${txn.id} went on before its ends were written`);
      txn.state = commit ? 'complete-commit' : 'complete-abort';
      txn.partitions.clear();
    };
    if (left === 0) this.#options.later(this.#options.markerDelayMs(), done);
    for (const partition of reached) {
      this.#options.later(this.#options.markerDelayMs(), () => {
        // By the name of the topic: to the one that took its place, if it was made anew; to none, if it is gone.
        const log = this.partition(partition.topic, partition.partition);
        if (log !== undefined) this.#writeEnd(log, producerId, producerEpoch, commit);
        left--;
        // Whoever writes the ends waits for every replica.
        behindMs = Math.max(behindMs, log?.behindForMs ?? 0);
        if (left === 0) this.#options.later(this.#options.markerDelayMs() / 4 + behindMs, done);
      });
    }
  }

  #writeEnd(partition: Partition, producerId: bigint, producerEpoch: number, commit: boolean): void {
    const state = partition.producers.get(producerId);
    // A later producer epoch has written here since: the end of an older one is refused.
    if (state !== undefined && state.epoch > producerEpoch) return;
    const firstOffset = partition.open.get(producerId);
    const batches =
      firstOffset === undefined
        ? []
        : partition.batches
            .slice(partition.placeOf(firstOffset))
            .filter((batch) => batch.producerId === producerId && batch.control === undefined);
    this.onEnd({ partition, producerId, commit, batches });
    partition.replicatesLater(this.#options.replicationMs());
    partition.open.delete(producerId);
    const how = commit ? 'commit' : 'abort';
    if (firstOffset !== undefined && !commit) partition.aborted.push({ producerId, firstOffset, lastOffset: partition.end });
    const header = { producerId, producerEpoch, transactional: true, timestampMs: this.#options.nowMs() };
    partition.append(encodeMarker(header, how), producerId, producerEpoch, true, how);
    // An end under a higher epoch starts the sequence numbers again.
    if (state === undefined || state.epoch < producerEpoch)
      partition.producers.set(producerId, { epoch: producerEpoch, lastSequence: -1, recent: [] });
  }
}

interface Produced {
  readonly answer: KafkaAnswer;
  readonly baseOffset: number;
}

function refused(answer: KafkaAnswer): Produced {
  return { answer, baseOffset: -1 };
}

function identityFault(txn: Transaction | undefined, who: ProducerIdentity): KafkaAnswer | undefined {
  if (txn === undefined || String(txn.producerId) !== who.producerId) return IDENTITY_FAULTS.id;
  return txn.producerEpoch === who.producerEpoch ? undefined : IDENTITY_FAULTS.epoch;
}
