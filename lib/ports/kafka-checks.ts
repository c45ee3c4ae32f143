import type { KafkaAnswer, KafkaRequests, ProducerIdentity } from './kafka-requests.ts';

/** What a tool asks that looks whether Kafka is as a job needs it, and nobody else. */
export interface KafkaChecks {
  /** Every broker of the cluster, asked by itself. @param cluster its name @default the one without a name */
  describeBrokers(cluster?: string): Promise<readonly BrokerDescription[]>;
  /** Topics as the brokers have them, in the order of the names. */
  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]>;
  /** AddOffsetsToTxn: the transaction may commit offsets of the group. */
  addOffsets(who: ProducerIdentity, groupId: string): Promise<KafkaAnswer>;
}

/** A client of Kafka that connects to real brokers. */
export type KafkaClient = KafkaRequests & KafkaChecks;

/** An operation of Kafka's ACLs. */
export type Right =
  | 'Read'
  | 'Write'
  | 'Create'
  | 'Delete'
  | 'Alter'
  | 'Describe'
  | 'ClusterAction'
  | 'DescribeConfigs'
  | 'AlterConfigs'
  | 'IdempotentWrite';

export interface BrokerDescription {
  readonly id: number;
  /** As it tells clients to reach it: `host:port`. */
  readonly address: string;
  /** By key the versions of each request that it knows; or why it does not answer. */
  readonly apis: ReadonlyMap<number, ApiVersions> | { readonly noAnswer: string };
}

export interface ApiVersions {
  readonly min: number;
  readonly max: number;
}

export interface TopicDescription {
  readonly topic: string;
  /** NONE, or why nothing else is known. */
  readonly answer: KafkaAnswer;
  readonly partitions: readonly {
    /** -1: none at the moment. */
    readonly leader: number;
    readonly replicas: number;
    readonly inSync: number;
  }[];
  /** Undefined: the broker does not say. */
  readonly rights: ReadonlySet<Right> | undefined;
}
