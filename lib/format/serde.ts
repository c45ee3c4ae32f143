import type { ByteWriter } from './byte-writer.ts';

/** Turns values of one type into bytes and back. Encodings are stable: they are what snapshots and topics hold. */
export interface Serde<T> {
  /** Part of the graph's fingerprint: a state cannot be read back through a serde of another name. */
  readonly name: string;
  /** Appends the encoding of `value`, without a length. Throws `TypeError` when the value has no encoding. */
  write(value: T, out: ByteWriter): void;
  /** Reads the value that `bytes[start, end)` holds. Throws `MalformedError` when they hold none. */
  read(bytes: Buffer, start: number, end: number): T;
}
