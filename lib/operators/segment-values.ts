import type { ExchangeReader } from '../format/exchange-reader.ts';
import type { Serde } from '../format/serde.ts';
import type { KeyByNode } from '../graph/job.ts';
import { textOf, UserCodeError } from '../records/errors.ts';

/** Makes values of the bytes that the reader stands at. The segment is whole, its checksum says so: what fails is the serde, or who wrote. */
export class SegmentValues {
  readonly #reader: ExchangeReader;
  readonly #stageId: string;

  constructor(reader: ExchangeReader, stageId: string) {
    this.#reader = reader;
    this.#stageId = stageId;
  }

  /** The keys of the segment's dictionary, by index. */
  readKeys({ key }: KeyByNode, segment: string): unknown[] {
    const { bytes, keyStarts, keyEnds } = this.#reader;
    const keys: unknown[] = [];
    try {
      for (let index = 0; index < this.#reader.keys; index++)
        keys.push(key.read(bytes, keyStarts[index] as number, keyEnds[index] as number));
    } catch (cause) {
      throw this.#unreadable(`key ${keys.length} of the segment`, segment, key, cause);
    }
    return keys;
  }

  /** The current row's value. Decoded for each operator anew if it is an object, which one may change in place. */
  readValue(value: Serde<unknown>, segment: string): unknown {
    try {
      return value.read(this.#reader.bytes, this.#reader.valueStart, this.#reader.valueEnd);
    } catch (cause) {
      throw this.#unreadable('a value of the segment', segment, value, cause);
    }
  }

  /** The current row's key anew, for the same reason. */
  readKey({ key }: KeyByNode): unknown {
    const { bytes, keyStarts, keyEnds, keyIndex } = this.#reader;
    return key.read(bytes, keyStarts[keyIndex] as number, keyEnds[keyIndex] as number);
  }

  #unreadable(what: string, segment: string, serde: Serde<unknown>, cause: unknown): UserCodeError {
    const reason = cause instanceof Error ? cause.message : textOf(cause);
    return new UserCodeError(this.#stageId, new TypeError(`${segment}: serde ${serde.name} cannot read ${what}: ${reason}`, { cause }));
  }
}
