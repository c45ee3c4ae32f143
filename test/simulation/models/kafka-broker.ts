import type { KafkaAnswer, PartitionBatch, ProduceAnswer, ProducerIdentity } from '../../../lib/ports/kafka-requests.ts';
import { GroupOffsets } from './group-offsets.ts';
import { LogReads, type ReadOptions } from './log-reads.ts';
import type { Partition, StoredBatch } from './partition.ts';
import { Topics } from './topics.ts';
import { type CoordinatorOptions, type Producer, TransactionCoordinator } from './transaction-coordinator.ts';
import { decodeBatch, encodeBatch, encodeMarker } from './wire.ts';

export interface BrokerOptions extends ReadOptions, CoordinatorOptions {
  /** How long until readers are given what others append, and the ends of transactions. */
  readonly replicationMs?: () => number;
}

/** What a partition is told when a transaction ends in it: whose, and what it holds there. */
export interface EndInPartition {
  readonly partition: Partition;
  readonly producerId: bigint;
  readonly commit: boolean;
  readonly batches: readonly StoredBatch[];
}

/**
 * What Kafka's brokers do with the requests that the engine sends, as one thing that answers at once (time and faults
 * are the network's): Apache Kafka 3.9 to 4.3 as a client of transaction version 1 sees them.
 */
export class Broker {
  readonly catalog: Topics;
  readonly reads: LogReads;
  readonly transactions: TransactionCoordinator;
  readonly groups = new GroupOffsets();
  /** Producers that are not the job's. */
  readonly foreign = new Set<bigint>();
  /** Records that were sent outside a transaction. */
  onPlain: (partition: Partition, batch: StoredBatch) => void = () => {};
  /** Before the end is written. */
  onEnd: (end: EndInPartition) => void = () => {};
  readonly #options: Required<BrokerOptions>;

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
    this.transactions = new TransactionCoordinator(this.#options, {
      find: (topic, partition) => this.partition(topic, partition),
      writeEnd: (partition, producer, commit) => this.#writeEnd(partition, producer, commit),
    });
  }

  createTopic(topic: string, partitions: number): void {
    this.catalog.create(topic, partitions);
  }

  /** What is open under producer ids that no transactional id has any more: no client can end it, and no timeout does. */
  stranded(): { readonly topic: string; readonly partition: number; readonly producerId: bigint }[] {
    const owned = new Set(this.transactions.all().map(({ producerId }) => producerId));
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
        this.#writeEnd(found, { producerId: one.producerId, producerEpoch: found.producers.get(one.producerId)?.epoch ?? 0 }, false);
  }

  /** What transactional.id.expiration.ms and producer.id.expiration.ms do: whoever has nothing open is forgotten. */
  expireProducers(): void {
    this.transactions.expire();
    for (const partition of [...this.topics.values()].flat())
      for (const producerId of partition.producers.keys()) if (!partition.open.has(producerId)) partition.producers.delete(producerId);
  }

  get topics(): ReadonlyMap<string, Partition[]> {
    return this.catalog.topics;
  }

  partition(topic: string, partition: number): Partition | undefined {
    return this.catalog.topics.get(topic)?.[partition];
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
    const producerId = idle ?? this.transactions.newProducerId();
    if (idle === undefined) this.#upstream.push(producerId);
    this.foreign.add(producerId);
    const header = { producerId, producerEpoch: 0, transactional: true, timestampMs: this.#options.nowMs() };
    found.replicatesLater(this.#options.replicationMs());
    found.open.set(producerId, found.end);
    found.append(encodeBatch({ ...header, baseSequence: 0 }, values), producerId, 0, true, undefined);
    return (commit) => this.#writeEnd(found, { producerId, producerEpoch: 0 }, commit);
  }

  readonly #upstream: bigint[] = [];

  #required(topic: string, partition: number): Partition {
    const found = this.partition(topic, partition);
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`);
    return found;
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
      const fault = this.transactions.faultOf(who, partition);
      if (fault !== undefined) return refused(fault);
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

  #writeEnd(partition: Partition, { producerId, producerEpoch }: Producer, commit: boolean): void {
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
