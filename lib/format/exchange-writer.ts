import { ByteWriter } from './byte-writer.ts';
import { enlarged, KnownKeys } from './known-keys.ts';
import type { Serde } from './serde.ts';
import { putSized } from './sized.ts';

/*
 * An exchange: the rows that one source subtask sends to one stage in one epoch, as one segment for each target
 * subtask. A segment can be read alone:
 *
 *   header      six u32: keys, dictionary bytes, rows, row bytes, runs, run bytes
 *   dictionary  the segment's distinct keys: length, bytes, murmur2 hash (u32)
 *   rows        (index in the dictionary × 2 + same), and unless `same` the value: length, bytes.
 *               `same`: the value is the key itself
 *   runs        timestamps of the rows in order: milliseconds (f64), how many rows
 *
 * Numbers are little-endian, lengths and indexes unsigned LEB128. A key is encoded and hashed once for each distinct
 * key, not once for each row.
 */
export const SEGMENT_HEADER_BYTES = 24;

/** Rows hold twice the index of a key, and numbers stay below 2^31. */
export const MAX_SEGMENT_KEYS = 2 ** 30;

export interface ExchangeWriterOptions {
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly targets: number;
  /** The target subtask of a key with that murmur2 hash; asked once for each distinct key. */
  readonly targetOf: (hash: number) => number;
  /**
   * When more keys are known than this, all are forgotten before the next epoch: learning one costs less than the
   * memory of many.
   * @default 1,000,000
   */
  readonly maxKnownKeys?: number;
  /** Is a value that is the key left out? @default true */
  readonly valuesAreKeys?: boolean;
}

const DEFAULT_MAX_KNOWN_KEYS = 1_000_000;

/**
 * Writes the segments of one exchange. It lives as long as its function stays warm, and so do the keys that it knows:
 * in later epochs they cost one look-up.
 */
export class ExchangeWriter {
  readonly #options: ExchangeWriterOptions;
  readonly #keys: KnownKeys;
  /** By key number: its index in its segment's dictionary of this epoch, or -1. */
  #indexes = new Int32Array(1024).fill(-1);
  readonly #segments: SegmentWriter[];
  readonly #valuesAreKeys: boolean;
  #rows = 0;

  constructor(options: ExchangeWriterOptions) {
    this.#options = options;
    this.#valuesAreKeys = options.valuesAreKeys ?? true;
    this.#keys = new KnownKeys(options.key, options.targetOf);
    this.#segments = Array.from({ length: options.targets }, () => new SegmentWriter());
  }

  /** Rows since `begin`. */
  get rows(): number {
    return this.#rows;
  }

  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void {
    this.#indexes.fill(-1, 0, this.#keys.size);
    if (this.#keys.size > (this.#options.maxKnownKeys ?? DEFAULT_MAX_KNOWN_KEYS)) this.#keys.forget();
    for (const segment of this.#segments) segment.reset();
    this.#rows = 0;
  }

  /** Adds a row. Throws what the serdes throw; the epoch is then of no use. */
  append(key: unknown, value: unknown, timestampMs: number): void {
    const keys = this.#keys;
    const number = keys.numberOf(key);
    const segment = this.#segments[keys.targets[number]!]!;
    const index = number < this.#indexes.length && this.#indexes[number]! >= 0 ? this.#indexes[number]! : this.#enter(number, segment);
    if (value === key && this.#valuesAreKeys && keys.exact[number] === 1) segment.addKeyRow(index, timestampMs);
    else segment.addValueRow(index, value, this.#options.value, timestampMs);
    this.#rows++;
  }

  /**
   * The segments by target, each in parts that are to be written one behind the other: views, valid until the next
   * `begin`. Undefined: no rows for that target.
   */
  finish(): (Buffer[] | undefined)[] {
    return this.#segments.map((segment) => segment.finish());
  }

  /** Enters a key into its segment's dictionary. */
  #enter(number: number, segment: SegmentWriter): number {
    const { bytes, ends, hashes } = this.#keys;
    const index = segment.addKey(bytes, this.#keys.start(number), ends[number]!, hashes[number]!);
    if (number >= this.#indexes.length) this.#indexes = enlarged(this.#indexes, new Int32Array(ends.length).fill(-1));
    this.#indexes[number] = index;
    return index;
  }
}

class SegmentWriter {
  readonly #dictionary = new ByteWriter();
  readonly #rowBytes = new ByteWriter();
  readonly #runBytes = new ByteWriter(256);
  #keys = 0;
  #rows = 0;
  #runs = 0;
  #runTimestamp = 0;
  #runRows = 0;

  reset(): void {
    this.#dictionary.reset();
    this.#rowBytes.reset();
    this.#runBytes.reset();
    this.#keys = 0;
    this.#rows = 0;
    this.#runs = 0;
    this.#runRows = 0;
  }

  /** Adds a key to the dictionary and returns its index. */
  addKey(bytes: Buffer, start: number, end: number, hash: number): number {
    const out = this.#dictionary;
    out.varint(end - start);
    out.reserve(end - start + 4);
    bytes.copy(out.bytes, out.position, start, end);
    out.position += end - start;
    out.u32(hash >>> 0);
    return this.#keys++;
  }

  addKeyRow(index: number, timestampMs: number): void {
    this.#rowBytes.varint(index * 2 + 1);
    this.#count(timestampMs);
  }

  addValueRow(index: number, value: unknown, serde: Serde<unknown>, timestampMs: number): void {
    const out = this.#rowBytes;
    out.varint(index * 2);
    putSized(out, serde, value, 0);
    this.#count(timestampMs);
  }

  finish(): Buffer[] | undefined {
    if (this.#rows === 0) return undefined;
    this.#closeRun();
    const header = Buffer.allocUnsafe(SEGMENT_HEADER_BYTES);
    const sizes = [this.#keys, this.#dictionary.position, this.#rows, this.#rowBytes.position, this.#runs, this.#runBytes.position];
    for (const [index, size] of sizes.entries()) header.writeUInt32LE(size, index * 4);
    return [header, this.#dictionary.view(), this.#rowBytes.view(), this.#runBytes.view()];
  }

  #count(timestampMs: number): void {
    if (timestampMs !== this.#runTimestamp || this.#runRows === 0) {
      this.#closeRun();
      this.#runTimestamp = timestampMs;
    }
    this.#runRows++;
    this.#rows++;
  }

  #closeRun(): void {
    if (this.#runRows === 0) return;
    this.#runBytes.f64(this.#runTimestamp);
    this.#runBytes.varint(this.#runRows);
    this.#runs++;
    this.#runRows = 0;
  }
}
