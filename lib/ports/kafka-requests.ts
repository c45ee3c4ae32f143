/**
 * Kafka at the level of single requests. The engine owns the transaction logic (docs/protocol.md), so that the simulation can
 * run the real one against a model of the broker. One method is one request: implementations find the right broker,
 * connect, authenticate and refresh metadata, but never repeat a request that may have been carried out.
 */

/**
 * Name of a Kafka protocol error, `NONE` for success, or `NO_ANSWER` when the connection failed, so that the request
 * may or may not have been carried out. Names are those of Kafka's `Errors` enum.
 */
export type KafkaAnswer =
  | 'NONE'
  | 'NO_ANSWER'
  | 'CONCURRENT_TRANSACTIONS'
  | 'COORDINATOR_LOAD_IN_PROGRESS'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'NOT_COORDINATOR'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'UNKNOWN_SERVER_ERROR'
  | 'UNSTABLE_OFFSET_COMMIT'
  | 'INVALID_PRODUCER_EPOCH'
  | 'PRODUCER_FENCED'
  | 'INVALID_TXN_STATE'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'OFFSET_OUT_OF_RANGE'
  | 'MESSAGE_TOO_LARGE'
  | 'RECORD_LIST_TOO_LARGE'
  | 'INVALID_TRANSACTION_TIMEOUT'
  | 'TOPIC_AUTHORIZATION_FAILED'
  | 'GROUP_AUTHORIZATION_FAILED'
  | 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
  | 'CLUSTER_AUTHORIZATION_FAILED'
  | (string & {});

/** The identity under which a transaction's requests are sent. `producerId` is an int64 in decimal. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** One record batch in wire format (magic 2), already stamped with the producer's identity and sequence. */
export interface PartitionBatch extends TopicPartition {
  readonly batch: Uint8Array;
}

/** What a partition's leader knows of a producer, from what is in the partition and from nothing else. */
export interface ProducerState {
  readonly partition: number;
  /** An int64 in decimal. */
  readonly producerId: string;
  /** Of the last batch or control record. */
  readonly producerEpoch: number;
  /** The largest timestamp of the last batch, in milliseconds since the Unix epoch, as its producer stamped it. */
  readonly lastTimestampMs: number;
  /** The first offset of the transaction that has not ended in this partition; undefined when none is open. */
  readonly openSince: number | undefined;
}

export interface FetchRange extends TopicPartition {
  readonly offset: number;
  readonly maxBytes: number;
}

export interface FetchLimits {
  /** Of all partitions together. A broker exceeds it, and a partition's own, only for the first partition that has data. */
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /**
   * `read_committed`: up to the last stable offset, with the aborted transactions. `read_uncommitted`: up to the high watermark.
   * @default 'read_committed'
   */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** By `elapsedMs`: what passes within a moment is not asked for again after that. @default it is */
  readonly untilMs?: number;
}

export interface FetchedPartition extends TopicPartition {
  readonly answer: KafkaAnswer;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** Aborted transactions that overlap the records, as the broker lists them (not always in order). None without records. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  /** Record batches; the last one may be cut off. A view on the response: valid until the caller drops it. */
  readonly records: Buffer;
}

/** Reading logs, as every reader does. */
export interface LogRequests {
  /** One Fetch (v10, which leaders alone answer) to each leader of these ranges. A partition without an answer has NO_ANSWER. */
  fetch(ranges: readonly FetchRange[], limits: FetchLimits): Promise<readonly FetchedPartition[]>;
}

/** What became of the batches of one Produce request. */
export interface ProduceAnswer {
  /** The worst of all batches. */
  readonly answer: KafkaAnswer;
  /** The offset of the first record of each batch, in the order of the batches; -1 where it is not known. */
  readonly baseOffsets: readonly number[];
  /** What the broker says of a record that it refused: where, which of its batch, and why. */
  readonly refused?: string | undefined;
}

/** What a sink stage, a resolver and a settling coordinator need. */
export interface TransactionRequests extends LogRequests {
  initProducerId(
    transactionalId: string,
    transactionTimeoutMs: number,
  ): Promise<{ readonly answer: KafkaAnswer; readonly producerId: string; readonly producerEpoch: number }>;
  /** AddPartitionsToTxn. The worst answer of all partitions. */
  addPartitions(who: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<KafkaAnswer>;
  /**
   * One Produce request (acks = all) to one leader; requests to one leader are written to its connection in the order
   * of the calls, so two may be under way at once. Every batch must be led by the same broker. `who`: undefined for batches
   * that belong to no transaction.
   */
  produce(who: ProducerIdentity | undefined, leader: number, batches: readonly PartitionBatch[]): Promise<ProduceAnswer>;
  /** EndTxn, sent once. */
  endTxn(who: ProducerIdentity, commit: boolean): Promise<KafkaAnswer>;
  /**
   * OffsetFetch (v7 or later), stable: an offset that an open transaction may still change is answered with
   * UNSTABLE_OFFSET_COMMIT. No committed offset: `offset` is undefined.
   */
  offsetFetch(groupId: string, where: TopicPartition): Promise<{ readonly answer: KafkaAnswer; readonly offset: number | undefined }>;
  /** DescribeProducers, to the leader of all these partitions (brokers from 2.8): who wrote to them, and what is open there. */
  describeProducers(
    leader: number,
    topic: string,
    partitions: readonly number[],
  ): Promise<{ readonly answer: KafkaAnswer; readonly producers: readonly ProducerState[] }>;
  /**
   * The broker id that leads each partition of the topic; index = partition. `seen`: partitions that somebody has seen; a client that
   * knows fewer asks again. Throws `KafkaProblem` when there is no such topic.
   */
  leaders(topic: string, seen?: number): Promise<readonly number[]>;
  /** Forgets cached leaders of the topic, after NOT_LEADER_OR_FOLLOWER or NO_ANSWER. */
  forgetLeaders(topic: string): void;
}

/** What a source stage and the planning coordinator need. All of it is idempotent. */
export interface SourceRequests extends LogRequests {
  /** Partition numbers of the topic, 0..n-1. Throws `KafkaProblem` when there is no such topic. */
  partitionCount(topic: string): Promise<number>;
  /**
   * The id that the topic has had since it was made; one that is made anew under its name has another. Undefined: the cluster gives
   * none. Throws as `partitionCount` does.
   *
   * @param asked `as-known`: as fresh as the number of partitions is; `now`: a broker is asked. @default 'as-known'
   */
  topicId(topic: string, asked?: 'as-known' | 'now'): Promise<string | undefined>;
  /**
   * Offsets by partition: `earliest` = log start; `latest` = last stable offset, up to which a read_committed reader reads; `end` =
   * high watermark, up to which records are replicated. The last two differ while a transaction is open.
   */
  offsets(topic: string, partitions: readonly number[], at: 'earliest' | 'latest' | 'end'): Promise<readonly number[]>;
  /**
   * By partition the first offset below the last stable one whose record is not older than `timestampMs` (milliseconds
   * since the Unix epoch); undefined where there is none.
   */
  offsetsAtTime(topic: string, partitions: readonly number[], timestampMs: number): Promise<readonly (number | undefined)[]>;
}

/** A committed offset of a group, and the text that whoever committed it kept with it. */
export interface GroupOffset {
  readonly offset: number;
  readonly metadata: string;
}

/** What the coordinator needs besides. */
export interface AdminRequests {
  /** Offsets of the group that has no members; `undefined` where none is committed. */
  groupOffsets(groupId: string, topic: string, partitions: readonly number[]): Promise<readonly (GroupOffset | undefined)[]>;
  /** @param metadata kept with each of the offsets */
  commitGroupOffsets(
    groupId: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: number }[],
    metadata: string,
  ): Promise<KafkaAnswer>;
  /**
   * The value of a setting as the broker holds it, undefined when it does not know the name.
   * @param cluster its name @default the one without a name
   */
  brokerConfig(names: readonly string[], cluster?: string): Promise<ReadonlyMap<string, string>>;
  topicConfig(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** A transactional id as its coordinator knows it. */
export interface TransactionDescription {
  readonly transactionalId: string;
  /** `unknown`: the id was never used, or not for the broker's `transactional.id.expiration.ms`. */
  readonly state: TransactionState;
  /** An int64 in decimal. */
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** When the open transaction began; undefined when none is open. */
  readonly startedAtMs: number | undefined;
  /** What the open transaction has been told to write to, consumer offsets included. */
  readonly partitions: readonly TopicPartition[];
}

export type TransactionState =
  | 'unknown'
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'PrepareEpochFence'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'
  | (string & {});

/** What tools for people, and a coordinator that looks after its ids, need besides. */
export interface InspectionRequests {
  /** DescribeTransactions, in the order of `transactionalIds`; brokers from 3.0. */
  describeTransactions(transactionalIds: readonly string[]): Promise<readonly TransactionDescription[]>;
}

/** For tools alone: the engine makes no topic. */
export interface TopicRequests {
  /** With the brokers' own settings. Throws `KafkaProblem`. */
  createTopic(topic: string, partitions: number): Promise<'created' | 'exists'>;
}

export interface KafkaRequests extends TransactionRequests, SourceRequests, AdminRequests, InspectionRequests {
  close(): Promise<void>;
}

/**
 * A Kafka request of the source or administration kind failed. `retriable`: the same call may succeed later (broker
 * down, leader moving); otherwise it needs a person (no such topic, refused credentials, missing ACL, data loss).
 */
export class KafkaProblem extends Error {
  override readonly name = 'KafkaProblem';
  readonly code: KafkaAnswer;
  readonly retriable: boolean;
  constructor(code: KafkaAnswer, message: string, retriable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retriable = retriable;
  }
}
