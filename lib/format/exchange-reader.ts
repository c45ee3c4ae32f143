import { MalformedError } from '../protocol/malformed.ts';
import { MAX_SEGMENT_KEYS, SEGMENT_HEADER_BYTES } from './exchange-writer.ts';

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
    if (bytes.length < SEGMENT_HEADER_BYTES) throw this.#malformed(`is ${bytes.length} bytes long, less than its header`);
    const keys = bytes.readUInt32LE(0);
    const dictionaryBytes = bytes.readUInt32LE(4);
    const rows = bytes.readUInt32LE(8);
    const rowBytes = bytes.readUInt32LE(12);
    const runs = bytes.readUInt32LE(16);
    const runBytes = bytes.readUInt32LE(20);
    const expected = SEGMENT_HEADER_BYTES + dictionaryBytes + rowBytes + runBytes;
    if (bytes.length !== expected) throw this.#malformed(`is ${bytes.length} bytes long and its header says ${expected}`);
    if (keys > MAX_SEGMENT_KEYS || keys * 5 > dictionaryBytes || rows > rowBytes || runs * 9 > runBytes)
      throw this.#malformed('counts more keys, rows or runs than it has bytes for');
    this.keys = keys;
    this.rows = rows;
    this.#readDictionary(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + dictionaryBytes);
    this.#position = SEGMENT_HEADER_BYTES + dictionaryBytes;
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
