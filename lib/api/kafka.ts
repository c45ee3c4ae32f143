import { CLUSTER_RULE, isCluster } from '../config/clusters.ts';
import { parseStartingOffsets, STARTING_OFFSETS_RULE, type StartingOffsets } from '../config/starting-offsets.ts';
import { type Serde, serdeFor } from '../format/serde.ts';
import { type EventTimeStrategy, JobDefinitionError, type SourceRecord } from '../graph/job.ts';
import { checkTopic } from '../graph/overrides.ts';
import type { OutputRecord, SinkTopic } from '../sinks/kafka/spec.ts';
import { type EventTime, eventTimeStrategy } from './event-time.ts';
import { type EveryOption, expectKnown } from './known-options.ts';
import { refuseAsync } from './user-function.ts';

/** A Kafka topic as a job's input: values of type `T`, made of records with keys `K` and values `V`. Made by `kafkaSource`. */
export interface KafkaSource<T, K = unknown, V = unknown> {
  /** Undefined: the one of ONCEFLOW_BROKERS. */
  readonly cluster: string | undefined;
  /** As of the options. */
  readonly topic: string;
  /** As of the options. Undefined: keys are bytes. */
  readonly key: Serde<K> | undefined;
  /** As of the options. */
  readonly value: Serde<V>;
  /** As of the options. */
  readonly startingOffsets: StartingOffsets;
  /** As of the options. Undefined: the record's value. */
  readonly select: ((record: SourceRecord<unknown, unknown>) => T) | undefined;
  /** As of the options. Undefined: records keep their timestamps, and nothing waits for them. */
  readonly eventTime: EventTimeStrategy | undefined;
}

/** Which topic a `kafkaSource` reads, and how. */
export interface KafkaSourceOptions<K, V, T> {
  /**
   * On which cluster, by a name that the configuration gives it: of `orders` the brokers are in ONCEFLOW_KAFKA_ORDERS_BROKERS, and so on.
   * @default the one of ONCEFLOW_BROKERS
   */
  readonly cluster?: string;
  /** Its name. ONCEFLOW_TOPICS may give the source another one. */
  readonly topic: string;
  /** How values are read. A record that it cannot read stops the job with its topic, partition and offset. */
  readonly value: Serde<V>;
  /**
   * How keys are read; only `select` sees them.
   * @default `bytes`
   */
  readonly key?: Serde<K>;
  /**
   * Where to start when there is nothing to go on from: `latest`, behind the records that are there now; `earliest`, at the
   * oldest; `group`, at the committed offsets of ONCEFLOW_GROUP_ID (`group:earliest`, `group:latest`: where it has none);
   * `timestamp:2026-01-01T08:00:00Z` or `timestamp:` and milliseconds since 1970; `offsets:0=42,1=17`, every partition
   * named (`offsets:0=42,*=latest`: the others so). ONCEFLOW_STARTING_OFFSETS overrides it.
   * @default 'latest'
   */
  readonly startingOffsets?: StartingOffsets;
  /**
   * Makes the stream's value from the whole record: key, value, headers, timestamp, topic, partition, offset.
   * Needed when records may have no value (tombstones).
   * @default (record) => record.value
   */
  readonly select?: (record: SourceRecord<K, V>) => T;
  /**
   * When the records' values happened, and how far out of order they come. Needed for all that works by event time.
   * @default none: records keep their timestamps, and nothing waits for them
   */
  readonly eventTime?: EventTime<T>;
}

const SOURCE_OPTIONS: EveryOption<KafkaSourceOptions<unknown, unknown, unknown>> = {
  topic: true,
  value: true,
  key: true,
  cluster: true,
  startingOffsets: true,
  select: true,
  eventTime: true,
};

/**
 * A Kafka topic to read, `read_committed`.
 *
 * @example
 * job.source('read-orders', kafkaSource({ topic: 'orders', value: json<Order>() }));
 * @example
 * job.source('read-clicks', kafkaSource({ topic: 'clicks', key: utf8, value: utf8, select: ({ key, value }) => ({ user: key, url: value }) }));
 */
export function kafkaSource<V, T = V, K = Uint8Array>(options: KafkaSourceOptions<K, V, T>): KafkaSource<T, K, V> {
  const { cluster, topic, value, key, startingOffsets = 'latest', select, eventTime } = options;
  checkCluster(cluster, 'kafkaSource');
  checkTopic(topic, 'kafkaSource');
  expectKnown(options, SOURCE_OPTIONS, `kafkaSource of topic ${topic}`);
  if (parseStartingOffsets(startingOffsets) === undefined)
    throw new JobDefinitionError(
      `kafkaSource of topic ${topic}: startingOffsets is "${startingOffsets}" and must be ${STARTING_OFFSETS_RULE}`,
    );
  if (select !== undefined) refuseAsync(select, `select of the source of topic ${topic}`);
  return {
    cluster,
    topic,
    key: serdeFor(key, { topic, part: 'key', use: 'read' }),
    value: serdeFor(value, { topic, part: 'value', use: 'read' }),
    startingOffsets,
    select: select as ((record: SourceRecord<unknown, unknown>) => T) | undefined,
    eventTime:
      eventTime === undefined ? undefined : eventTimeStrategy(eventTime as EventTime<never>, `eventTime of the source of topic ${topic}`),
  };
}

/** One or several Kafka topics as a job's output for values of type `T`, of which records with keys `K` and values `V` are made. Made by `kafkaSink`. */
export interface KafkaSink<T, K = unknown, V = unknown> {
  /** Which kind of sink it is. */
  readonly kind: 'kafka';
  /** Undefined: the one of ONCEFLOW_BROKERS. */
  readonly cluster: string | undefined;
  /** With the serdes of each. */
  readonly topics: readonly SinkTopic<K, V>[];
  /** Undefined: there is one. */
  readonly topicOf: ((value: T) => unknown) | undefined;
  /** As of the options. */
  readonly delivery: 'exactly-once';
  /** As of the options. Undefined: a value is the record's value. */
  readonly toRecord: ((value: T) => OutputRecord<unknown, unknown>) | undefined;
  /** As of the options. */
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

/** Which topics a `kafkaSink` writes to, and how. */
export interface KafkaSinkOptions<V, T = V> {
  /** On which cluster, by name, as `kafkaSource` has it. @default the one of ONCEFLOW_BROKERS */
  readonly cluster?: string;
  /**
   * Its name, in whose place ONCEFLOW_TOPICS may give the sink another one; or a function that gives for each value the name of one of
   * `topics`. A name that is not there fails the record, as a user's function that throws does.
   */
  readonly topic: string | ((value: T) => string);
  /**
   * What `topic` may give, where it is a function: each is looked at when the job starts, and the job needs the rights of a sink on it. What an
   * epoch and subtask writes to all of them is one transaction.
   */
  readonly topics?: readonly string[];
  /** How values are written. */
  readonly value: Serde<V>;
  /**
   * Each value is in the topic exactly once for a reader with `isolation.level=read_committed`; unless the job runs with
   * ONCEFLOW_DELIVERY_GUARANTEE=at-least-once, which holds for all its sinks.
   * @default 'exactly-once'
   */
  readonly delivery?: 'exactly-once';
  /**
   * Of record batches, where they are staged: smaller blobs, requests and logs for CPU in the stage before the sink. `zstd` is the
   * cheapest for its size (docs/sinks.md); brokers and clients before 2.1 do not read it, and kafkajs by itself reads gzip alone.
   * @default 'none'
   */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

/** The same for values that are no record's value, or records with headers or a time of their own. */
export interface KafkaRecordSinkOptions<V, T> extends KafkaSinkOptions<V, T> {
  /** Makes the record of a value. Without it the value is the record's value, and the record has no key. */
  readonly toRecord: (value: T) => OutputRecord<never, V>;
}

/** The same for records with keys. */
export interface KafkaKeyedSinkOptions<K, V, T> extends KafkaSinkOptions<V, T> {
  /** How keys are written: they say which partition a record goes to. */
  readonly key: Serde<K>;
  /** Makes the record of a value. */
  readonly toRecord: (value: T) => OutputRecord<K, V>;
}

const SINK_OPTIONS: EveryOption<KafkaKeyedSinkOptions<unknown, unknown, unknown>> = {
  topic: true,
  topics: true,
  value: true,
  key: true,
  toRecord: true,
  cluster: true,
  delivery: true,
  compression: true,
};

const COMPRESSIONS: readonly unknown[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/**
 * A Kafka topic to write in transactions, or several.
 *
 * Partition of a record: `partition` if `toRecord` gives one; else by its key, as the Java client does; else, behind a
 * keyBy, by the stream's key, so that what one key emits stays in order in one partition; else each batch goes to the
 * next partition.
 *
 * @example
 * words.sink('write-words', kafkaSink({ topic: 'words', value: utf8 }));
 * @example
 * totals.sink('write-totals', kafkaSink({ topic: 'totals', key: utf8, value: int64, toRecord: ({ user, total }: Total) => ({ key: user, value: total }) }));
 * @example
 * orders.sink('route', kafkaSink({ topics: ['orders-EUR', 'orders-USD'], topic: ({ currency }: Order) => `orders-${currency}`, value: json<Order>() }));
 */
export function kafkaSink<const K, V, T>(options: KafkaKeyedSinkOptions<K, V, T>): KafkaSink<T, K, V>;
export function kafkaSink<V, T>(options: KafkaRecordSinkOptions<V, T>): KafkaSink<T, never, V>;
export function kafkaSink<V>(options: KafkaSinkOptions<V>): KafkaSink<V, never, V>;
export function kafkaSink<K, V, T>(options: KafkaSinkOptions<V, T> & Partial<KafkaKeyedSinkOptions<K, V, T>>): KafkaSink<T, K, V> {
  const { cluster, topic, value, key, delivery = 'exactly-once', toRecord, compression = 'none' } = options;
  checkCluster(cluster, 'kafkaSink');
  const names = topicNames(options);
  const where = names.length === 1 ? `topic ${names[0]}` : `topics ${names.join(', ')}`;
  if (!COMPRESSIONS.includes(compression))
    throw new JobDefinitionError(
      `kafkaSink of ${where}: compression is ${JSON.stringify(compression)}, and must be ${COMPRESSIONS.join(', ')}`,
    );
  expectKnown(options, SINK_OPTIONS, `kafkaSink of ${where}`);
  if (delivery !== 'exactly-once')
    throw new JobDefinitionError(
      `kafkaSink of ${where}: delivery is ${JSON.stringify(delivery)}, and may only be 'exactly-once'; at least once is a setting of the job, ONCEFLOW_DELIVERY_GUARANTEE=at-least-once`,
    );
  if (key !== undefined && toRecord === undefined)
    throw new JobDefinitionError(
      `kafkaSink of ${where}: key is given, and toRecord is not, so that no record would have a key: add toRecord: (value) => ({ key: value.id, value }), say`,
    );
  if (toRecord !== undefined) refuseAsync(toRecord, `toRecord of the sink to ${where}`);
  if (typeof topic === 'function') refuseAsync(topic, `topic of the sink to ${where}`);
  return {
    kind: 'kafka',
    cluster,
    topics: names.map((name) => ({
      name,
      topic: name,
      key: serdeFor(key, { topic: name, part: 'key', use: 'write' }),
      value: serdeFor(value, { topic: name, part: 'value', use: 'write' }),
    })),
    topicOf: typeof topic === 'function' ? topic : undefined,
    delivery,
    toRecord,
    compression,
  };
}

function checkCluster(cluster: unknown, where: string): void {
  if (cluster === undefined || isCluster(cluster)) return;
  throw new JobDefinitionError(`${where}: cluster is ${JSON.stringify(cluster)}, and must be ${CLUSTER_RULE}`);
}

function topicNames({ topic, topics }: Pick<KafkaSinkOptions<unknown, never>, 'topic' | 'topics'>): readonly string[] {
  if (typeof topic !== 'function') {
    if (topics !== undefined)
      throw new JobDefinitionError(
        `kafkaSink: topics is given, and topic is ${JSON.stringify(topic)}: with several topics it must be a function that gives one of them`,
      );
    checkTopic(topic, 'kafkaSink');
    return [topic];
  }
  if (!Array.isArray(topics) || topics.length === 0)
    throw new JobDefinitionError(
      `kafkaSink: topic is a function, and topics is ${topics === undefined ? 'not given' : JSON.stringify(topics)}: it must name all that the function may give`,
    );
  for (const [index, name] of topics.entries()) {
    checkTopic(name, 'kafkaSink: topics');
    if (topics.indexOf(name) !== index) throw new JobDefinitionError(`kafkaSink: topics has ${name} twice`);
  }
  return [...topics];
}
