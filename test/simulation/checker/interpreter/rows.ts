import { ByteWriter } from '../../../../lib/format/byte-writer.ts';
import type { Serde } from '../../../../lib/format/serde.ts';

/** A value on its way through the job. */
export interface Row {
  readonly value: unknown;
  /** Of the record that it was made of. */
  readonly timestamp: number;
  /** Of a stream that was brought together by key. */
  readonly key: RowKey | undefined;
  /** `waiting.ts`. */
  readonly origin: string;
  /** Of which of the inputs of the node that reads it. @default the first */
  readonly input?: number;
}

export interface RowKey {
  readonly bytes: Buffer;
  readonly serde: Serde<unknown>;
}

const scratch = new ByteWriter();

/** What the user's serde writes. */
export function encoded<T>(serde: Serde<T>, value: T): Buffer {
  scratch.reset();
  serde.write(value, scratch);
  return Buffer.from(scratch.view());
}

/** What the user's serde reads, from a buffer that nobody else has. */
export function decoded<T>(serde: Serde<T>, bytes: Buffer): T {
  return serde.read(Buffer.from(bytes), 0, bytes.length);
}

/** What another function changes of it is not seen: plain objects, arrays, Maps, Sets, dates and bytes, with all that is in them. */
export function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [copied(key), copied(item)]));
  if (value instanceof Set) return new Set([...value].map(copied));
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Date || ArrayBuffer.isView(value)) return structuredClone(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.assign(
    Object.create(prototype as object | null),
    ...Object.entries(value).map(([name, item]) => ({ [name]: copied(item) })),
  );
}
