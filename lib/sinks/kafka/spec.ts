import type { BatchCompression } from '../../format/compress.ts';
import type { RecordHeader } from '../../format/record-header.ts';
import type { Serde } from '../../format/serde.ts';

/** A topic to write to, as a job's author gave it. */
export interface KafkaSinkSpec {
  readonly kind: 'kafka';
  readonly topic: string;
  readonly delivery: 'exactly-once';
  readonly key: Serde<unknown> | undefined;
  readonly value: Serde<unknown>;
  readonly toRecord: ((value: unknown) => OutputRecord<unknown, unknown>) | undefined;
  /** @default 'none' */
  readonly compression?: 'none' | BatchCompression;
}

/** The same in a plan. */
export interface KafkaTarget {
  readonly kind: 'kafka';
  readonly topic: string;
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
