import type { Serde } from '../format/serde.ts';
import type { CondemnedRecord } from '../protocol/requests.ts';

/** One record, item or line that a sink was given to write. */
export interface OutputRow {
  /** Where to: `topic-partition`, a folder; empty where there is one place. */
  readonly place: string;
  /** Two rows of one place are the same when these are, and their times. */
  readonly identity: string;
  /** Of a record, as its producer stamped it, in milliseconds since the Unix epoch. Undefined: it has none that it was given. */
  readonly timestamp: string | undefined;
  /** Undefined: it has none. */
  readonly key: unknown;
  /** Undefined: it has none. */
  readonly value: unknown;
  /** Of a record that was left out: which, and why. */
  readonly letter?: CondemnedRecord;
}

/** A row that is a value by itself. */
export function rowOf(place: string, bytes: Buffer, serde: Serde<unknown> | undefined): OutputRow {
  return { place, identity: bytes.toString('latin1'), timestamp: undefined, key: undefined, value: decoded(serde, bytes) };
}

/** What no serde reads comes as text, or as bytes where it is none. */
export function decoded(serde: Serde<unknown> | undefined, bytes: Buffer): unknown {
  try {
    if (serde !== undefined) return serde.read(bytes, 0, bytes.length);
  } catch {
    // It was written by another one.
  }
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes;
}
