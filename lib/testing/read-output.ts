import type { RecordHeader } from '../format/record-header.ts';
import { RecordSetReader } from '../format/record-set-reader.ts';
import type { Serde } from '../format/serde.ts';
import type { SinkBatch } from './epochs.ts';

/** A record that a sink has written, as a test reads it. */
export interface WrittenOutput<K = unknown, V = unknown> {
  /** Undefined: it has none. */
  readonly key: K | undefined;
  /** Undefined: it has none (a tombstone). */
  readonly value: V | undefined;
  /** In their order. */
  readonly headers: readonly RecordHeader[];
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** As the job's code has it. Of a sink that does not write to Kafka it means nothing. */
  readonly topic: string;
  /** Of the topic, from 0. */
  readonly partition: number;
}

/** The records of a batch, in order. What a serde writes and does not read comes as bytes. */
export function readBatch(
  { bytes, topic, partition, sink }: SinkBatch,
  serdes: { readonly key: Serde<unknown> | undefined; readonly value: Serde<unknown> | undefined },
): WrittenOutput[] {
  const reader = new RecordSetReader();
  const records: WrittenOutput[] = [];
  reader.open(bytes, {
    from: 0,
    to: Number.MAX_SAFE_INTEGER,
    aborted: [],
    describe: () => `output of sink ${sink}, partition ${partition}`,
  });
  while (reader.next()) {
    const { timestamp } = reader;
    records.push({
      key: decoded(serdes.key, reader.bytes, reader.keyStart, reader.keyEnd),
      value: decoded(serdes.value, reader.bytes, reader.valueStart, reader.valueEnd),
      headers: reader.headers().map(({ key, value }) => ({ key, value: value === undefined ? undefined : Buffer.from(value) })),
      timestamp,
      topic,
      partition,
    });
  }
  return records;
}

function decoded(serde: Serde<unknown> | undefined, bytes: Buffer, start: number, end: number): unknown {
  if (start < 0) return undefined;
  // Of its own: a serde may keep a view on it.
  const own = Buffer.from(bytes.subarray(start, end));
  try {
    return serde === undefined ? own : serde.read(own, 0, own.length);
  } catch {
    return own;
  }
}
