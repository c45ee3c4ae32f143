import { ByteWriter } from './byte-writer.ts';
import { murmur2 } from './murmur2.ts';
import { MalformedError, type Serde } from './serde.ts';
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
const HEADER_BYTES = 24;

/** Rows hold twice the index of a key, and numbers stay below 2^31. */
const MAX_KEYS = 2 ** 30;

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
}

const DEFAULT_MAX_KNOWN_KEYS = 1_000_000;

/**
 * Writes the segments of one exchange. It lives as long as its function stays warm and remembers the keys that it has
 * met: in later epochs they cost one look-up.
 */
export class ExchangeWriter {
  readonly #options: ExchangeWriterOptions;
  /** From a key (an object: from its bytes as latin1) to its number. */
  readonly #numbers = new Map<unknown, number>();
  /** Encoded keys, back to back, and by key number: where each ends, its hash, its target, and whether it reads back as itself. */
  readonly #keyBytes = new ByteWriter();
  #keyEnds = new Uint32Array(1024);
  #hashes = new Int32Array(1024);
  #targets = new Uint16Array(1024);
  #exact = new Uint8Array(1024);
  /** By key number: its index in its segment's dictionary of this epoch, or -1. */
  #indexes = new Int32Array(1024);
  readonly #segments: SegmentWriter[];
  #rows = 0;

  constructor(options: ExchangeWriterOptions) {
    this.#options = options;
    this.#segments = Array.from({ length: options.targets }, () => new SegmentWriter());
  }

  /** Rows since `begin`. */
  get rows(): number {
    return this.#rows;
  }

  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void {
    if (this.#numbers.size > (this.#options.maxKnownKeys ?? DEFAULT_MAX_KNOWN_KEYS)) {
      this.#numbers.clear();
      this.#keyBytes.reset();
    }
    this.#indexes.fill(-1, 0, this.#numbers.size);
    for (const segment of this.#segments) segment.reset();
    this.#rows = 0;
  }

  /** Adds a row. Throws what the serdes throw; the epoch is then of no use. */
  append(key: unknown, value: unknown, timestampMs: number): void {
    const number = (typeof key === 'object' ? undefined : this.#numbers.get(key)) ?? this.#learn(key);
    const segment = this.#segments[this.#targets[number] as number] as SegmentWriter;
    let index = this.#indexes[number] as number;
    if (index < 0) {
      index = segment.addKey(
        this.#keyBytes.bytes,
        number === 0 ? 0 : (this.#keyEnds[number - 1] as number),
        this.#keyEnds[number] as number,
        this.#hashes[number] as number,
      );
      this.#indexes[number] = index;
    }
    if (value === key && this.#exact[number] === 1) segment.addKeyRow(index, timestampMs);
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

  /** The number of a key that was not found by its identity. */
  #learn(key: unknown): number {
    const bytes = this.#keyBytes;
    const numbers = this.#numbers;
    const { key: serde, targetOf } = this.#options;
    const start = numbers.size === 0 ? 0 : (this.#keyEnds[numbers.size - 1] as number);
    bytes.position = start;
    serde.write(key === 0 ? 0 : key, bytes); // -0 and 0 are one key in a Map: let them be one in bytes too
    const end = bytes.position;
    let identity: unknown;
    let exact = false;
    if (typeof key === 'object') {
      identity = bytes.bytes.toString('latin1', start, end);
      const known = numbers.get(identity);
      if (known !== undefined) return known;
    } else {
      // Not `key` itself is kept: a word cut out of a line would keep the whole line alive.
      const copy = serde.read(bytes.bytes, start, end);
      exact = copy === key;
      identity = exact ? copy : key;
    }
    const number = numbers.size;
    if (number === this.#keyEnds.length) this.#grow();
    numbers.set(identity, number);
    this.#keyEnds[number] = end;
    const hash = murmur2(bytes.bytes, start, end);
    this.#hashes[number] = hash;
    this.#targets[number] = targetOf(hash);
    this.#exact[number] = exact ? 1 : 0;
    this.#indexes[number] = -1;
    return number;
  }

  #grow(): void {
    const size = this.#keyEnds.length * 2;
    this.#keyEnds = enlarged(this.#keyEnds, new Uint32Array(size));
    this.#hashes = enlarged(this.#hashes, new Int32Array(size));
    this.#targets = enlarged(this.#targets, new Uint16Array(size));
    this.#exact = enlarged(this.#exact, new Uint8Array(size));
    this.#indexes = enlarged(this.#indexes, new Int32Array(size));
  }
}

function enlarged<A extends Uint32Array | Uint16Array | Uint8Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
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
    const header = Buffer.allocUnsafe(HEADER_BYTES);
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

/**
 * Reads a segment: a cursor without an object for each row. `open` reads the dictionary; `next` moves to each row in
 * turn. Every bound is checked: a segment that is cut off or not one throws `MalformedError`.
 */
export class ExchangeReader {
  /** The open segment; starts and ends below are positions in it. */
  bytes: Buffer = Buffer.alloc(0);
  /** Distinct keys of the segment; by index: where each starts and ends, and its murmur2 hash. */
  keys = 0;
  keyStarts = new Uint32Array(1024);
  keyEnds = new Uint32Array(1024);
  hashes = new Int32Array(1024);
  rows = 0;

  /** Of the current row. */
  keyIndex = 0;
  /** The value is the key; there are no value bytes. */
  valueIsKey = false;
  valueStart = 0;
  valueEnd = 0;
  timestamp = 0;

  #name = '';
  #position = 0;
  #rowsEnd = 0;
  #rowsLeft = 0;
  #runPosition = 0;
  #runsEnd = 0;
  #runsLeft = 0;
  #runRowsLeft = 0;

  /** `name` says in errors what the bytes are. */
  open(bytes: Buffer, name: string): void {
    this.bytes = bytes;
    this.#name = name;
    if (bytes.length < HEADER_BYTES) throw this.#malformed(`is ${bytes.length} bytes long, less than its header`);
    const keys = bytes.readUInt32LE(0);
    const dictionaryBytes = bytes.readUInt32LE(4);
    const rows = bytes.readUInt32LE(8);
    const rowBytes = bytes.readUInt32LE(12);
    const runs = bytes.readUInt32LE(16);
    const runBytes = bytes.readUInt32LE(20);
    const expected = HEADER_BYTES + dictionaryBytes + rowBytes + runBytes;
    if (bytes.length !== expected) throw this.#malformed(`is ${bytes.length} bytes long and its header says ${expected}`);
    if (keys > MAX_KEYS || keys * 5 > dictionaryBytes || rows > rowBytes || runs * 9 > runBytes)
      throw this.#malformed('counts more keys, rows or runs than it has bytes for');
    this.keys = keys;
    this.rows = rows;
    this.#readDictionary(HEADER_BYTES, HEADER_BYTES + dictionaryBytes);
    this.#position = HEADER_BYTES + dictionaryBytes;
    this.#rowsEnd = this.#position + rowBytes;
    this.#rowsLeft = rows;
    this.#runPosition = this.#rowsEnd;
    this.#runsEnd = expected;
    this.#runsLeft = runs;
    this.#runRowsLeft = 0;
  }

  /** Moves to the next row; false when there is none. */
  next(): boolean {
    if (this.#rowsLeft === 0) return this.#end();
    this.#rowsLeft--;
    if (this.#runRowsLeft === 0) this.#nextRun();
    this.#runRowsLeft--;
    const tag = this.#varint(this.#rowsEnd);
    const index = tag >>> 1;
    if (index >= this.keys) throw this.#malformed(`has a row of key ${index} of ${this.keys}`);
    this.keyIndex = index;
    this.valueIsKey = (tag & 1) === 1;
    if (!this.valueIsKey) this.#takeValue();
    return true;
  }

  #takeValue(): void {
    const size = this.#varint(this.#rowsEnd);
    if (size > this.#rowsEnd - this.#position)
      throw this.#malformed(`has a value of ${size} bytes where ${this.#rowsEnd - this.#position} are left`);
    this.valueStart = this.#position;
    this.#position += size;
    this.valueEnd = this.#position;
  }

  #readDictionary(start: number, end: number): void {
    if (this.keys > this.keyStarts.length) {
      const size = Math.max(this.keys, this.keyStarts.length * 2);
      this.keyStarts = new Uint32Array(size);
      this.keyEnds = new Uint32Array(size);
      this.hashes = new Int32Array(size);
    }
    this.#position = start;
    for (let index = 0; index < this.keys; index++) {
      const size = this.#varint(end);
      if (size + 4 > end - this.#position) throw this.#malformed(`has a key of ${size} bytes where ${end - this.#position} are left`);
      this.keyStarts[index] = this.#position;
      this.keyEnds[index] = this.#position + size;
      this.hashes[index] = this.bytes.readInt32LE(this.#position + size);
      this.#position += size + 4;
    }
    if (this.#position !== end) throw this.#malformed(`has ${end - this.#position} bytes behind its last key`);
  }

  #nextRun(): void {
    if (this.#runsLeft === 0 || this.#runPosition + 9 > this.#runsEnd) throw this.#malformed('has more rows than timestamps');
    this.#runsLeft--;
    this.timestamp = this.bytes.readDoubleLE(this.#runPosition);
    const rowPosition = this.#position;
    this.#position = this.#runPosition + 8;
    this.#runRowsLeft = this.#varint(this.#runsEnd);
    this.#runPosition = this.#position;
    this.#position = rowPosition;
    if (this.#runRowsLeft === 0) throw this.#malformed('has a timestamp for no rows');
  }

  #end(): false {
    if (this.#position !== this.#rowsEnd) throw this.#malformed(`has ${this.#rowsEnd - this.#position} bytes behind its last row`);
    if (this.#runsLeft > 0 || this.#runRowsLeft > 0 || this.#runPosition !== this.#runsEnd)
      throw this.#malformed('has more timestamps than rows');
    return false;
  }

  /** A number below 2^31: nothing in a segment is larger. */
  #varint(end: number): number {
    const bytes = this.bytes;
    let position = this.#position;
    let value = 0;
    for (let shift = 0; shift < 35 && position < end; shift += 7) {
      const byte = bytes[position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#position = position;
        if (shift < 28 || byte < 8) return value;
        break;
      }
    }
    throw this.#malformed(position >= end ? 'ends inside a number' : 'has a number beyond 2^31');
  }

  #malformed(what: string): MalformedError {
    return new MalformedError(`${this.#name}: the exchange segment ${what}`);
  }
}
