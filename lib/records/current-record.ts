import type { Serde } from '../format/serde.ts';

/** What the record that is worked on passes to what is made of it. One object for each runtime, changed in place. */
export interface CurrentRecord {
  timestamp: number;
  /** The key of the stream; undefined in source stages. */
  key: unknown;
  /** murmur2 of the stream's key. */
  keyHash: number;
  /** How the stream's key is encoded; undefined in source stages, which have none. */
  keySerde: Serde<unknown> | undefined;
  /** Where edges carry origins: that of what is worked on. */
  origin: string;
  /** Where edges carry origins: greater for each that is worked on. */
  turn: number;
}
