import type { BatchCompression } from '../../format/compress.ts';
import type { RecordHeader } from '../../format/record-header.ts';
import type { Serde } from '../../format/serde.ts';

/** Topics to write to, as a job's author gave them. */
export interface KafkaSinkSpec {
  readonly kind: 'kafka';
  /** By name. Undefined: the one of ONCEFLOW_BROKERS. */
  readonly cluster?: string | undefined;
  /** One or more. */
  readonly topics: readonly SinkTopic<unknown, unknown>[];
  /** Gives the name of one of them for a value. Undefined: there is one. */
  readonly topicOf: ((value: unknown) => unknown) | undefined;
  readonly delivery: 'exactly-once';
  readonly toRecord: ((value: unknown) => OutputRecord<unknown, unknown>) | undefined;
  /** @default 'none' */
  readonly compression?: 'none' | BatchCompression;
}

/** One of the topics of a sink. */
export interface SinkTopic<K, V> {
  /** As the job's code calls it. */
  readonly name: string;
  /** The topic: of that name, unless the configuration gives another. */
  readonly topic: string;
  /** How keys are written. Undefined: records have no key. */
  readonly key: Serde<K> | undefined;
  /** How values are written. */
  readonly value: Serde<V>;
}

/** The same in a plan. */
export interface KafkaTarget {
  readonly kind: 'kafka';
  /** Each once, all of one cluster; as lib/config/clusters.ts calls them. */
  readonly topics: readonly string[];
}

/** What a sink writes for one value. */
export interface OutputRecord<K, V> {
  /** Undefined writes a record without a key. */
  readonly key?: K | undefined;
  /** Undefined writes a record without a value (a tombstone). */
  readonly value: V | undefined;
  /** In their order. Undefined: none. */
  readonly headers?: readonly RecordHeader[] | undefined;
  /**
   * Milliseconds since the Unix epoch; a whole number.
   * @default the timestamp of the input record
   */
  readonly timestamp?: number | undefined;
  /**
   * Which one the record goes to.
   * @default by the key as the Java client does; without a key by the key of the stream behind a keyBy, so that one
   * key's records stay in order; else each batch to the next partition
   */
  readonly partition?: number | undefined;
}
