import type {
  KafkaAnswer,
  ProducerIdentity,
  TopicPartition,
  TransactionDescription,
  TransactionState as TransactionStateName,
} from '../../../lib/ports/kafka-requests.ts';
import type { Partition } from './partition.ts';

export interface CoordinatorOptions {
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
}

export interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** The partitions, as far as transactions have to do with them. */
interface Partitions {
  find(topic: string, partition: number): Partition | undefined;
  writeEnd(partition: Partition, producer: Producer, commit: boolean): void;
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

/** Of one transactional id. */
export interface Transaction {
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

const IDENTITY_FAULTS = { id: 'INVALID_PRODUCER_ID_MAPPING', epoch: 'INVALID_PRODUCER_EPOCH' } as const;

/** What Kafka's transaction coordinators know, as one of them: which producer a transactional id has, and what is open under it. */
export class TransactionCoordinator {
  /** Ends of transactions that were not written to a partition. */
  forgotten = 0;
  readonly #all = new Map<string, Transaction>();
  readonly #options: Required<CoordinatorOptions>;
  readonly #partitions: Partitions;
  #nextProducerId = 1000n;
  #forgetOf: { readonly transactionalId: string; readonly partitions: readonly number[] | undefined } | undefined;

  constructor(options: Required<CoordinatorOptions>, partitions: Partitions) {
    this.#options = options;
    this.#partitions = partitions;
  }

  all(): readonly Transaction[] {
    return [...this.#all.values()];
  }

  newProducerId(): bigint {
    return this.#nextProducerId++;
  }

  /** Ids that have something open. */
  open(): string[] {
    return [...this.#all.values()].filter(({ state }) => state === 'ongoing' || state.startsWith('prepare')).map(({ id }) => id);
  }

  describe(transactionalId: string): TransactionDescription {
    const txn = this.#all.get(transactionalId);
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
    let txn = this.#all.get(transactionalId);
    if (txn === undefined) {
      txn = {
        id: transactionalId,
        producerId: this.newProducerId(),
        producerEpoch: 0,
        timeoutMs,
        state: 'empty',
        startedMs: 0,
        partitions: new Map(),
        serial: 0,
      };
      this.#all.set(transactionalId, txn);
    } else if (txn.state === 'prepare-commit' || txn.state === 'prepare-abort') {
      return refused('CONCURRENT_TRANSACTIONS');
    } else if (txn.state === 'ongoing') {
      // What was open is aborted under a higher epoch; the caller asks again until that is done.
      this.#fenceAndAbort(txn);
      return refused('CONCURRENT_TRANSACTIONS');
    } else if (txn.producerEpoch >= this.#options.maxProducerEpoch - 1) {
      txn.producerId = this.newProducerId();
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
    const found = partitions.map(({ topic, partition }) => this.#partitions.find(topic, partition));
    if (found.includes(undefined)) return 'UNKNOWN_TOPIC_OR_PARTITION';
    return this.#add(who, (txn) => {
      for (const partition of found)
        if (partition !== undefined) txn.partitions.set(`${partition.topic} ${partition.partition}`, partition);
    });
  }

  endTxn(who: ProducerIdentity, commit: boolean): KafkaAnswer {
    const txn = this.#all.get(who.transactionalId);
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

  /** Why a batch of this producer is not taken into the partition. Undefined: its transaction is open there. */
  faultOf(who: ProducerIdentity, { topic, partition }: Partition): KafkaAnswer | undefined {
    const txn = this.#all.get(who.transactionalId);
    const fault = identityFault(txn, who);
    if (fault !== undefined) return fault;
    return txn?.state === 'ongoing' && txn.partitions.has(`${topic} ${partition}`) ? undefined : 'INVALID_TXN_STATE';
  }

  /** Ids that have nothing open are forgotten. */
  expire(): void {
    for (const [id, { state }] of this.#all) if (state !== 'ongoing' && !state.startsWith('prepare')) this.#all.delete(id);
  }

  /** When this id's next transaction ends, its end is forgotten in these partitions, or in all. */
  forgetEndsOf(transactionalId: string, partitions?: readonly number[]): void {
    this.#forgetOf = { transactionalId, partitions };
  }

  #add(who: ProducerIdentity, add: (txn: Transaction) => void): KafkaAnswer {
    const txn = this.#all.get(who.transactionalId);
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
        const log = this.#partitions.find(partition.topic, partition.partition);
        if (log !== undefined) this.#partitions.writeEnd(log, { producerId, producerEpoch }, commit);
        left--;
        // Whoever writes the ends waits for every replica.
        behindMs = Math.max(behindMs, log?.behindForMs ?? 0);
        if (left === 0) this.#options.later(this.#options.markerDelayMs() / 4 + behindMs, done);
      });
    }
  }
}

function identityFault(txn: Transaction | undefined, who: ProducerIdentity): KafkaAnswer | undefined {
  if (txn === undefined || String(txn.producerId) !== who.producerId) return IDENTITY_FAULTS.id;
  return txn.producerEpoch === who.producerEpoch ? undefined : IDENTITY_FAULTS.epoch;
}
