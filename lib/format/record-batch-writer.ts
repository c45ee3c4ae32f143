import { ATTRIBUTE, BATCH } from './batch-layout.ts';
import { ByteWriter, nameOf } from './byte-writer.ts';
import type { WireHeader } from './record-header.ts';
import type { Serde } from './serde.ts';

export interface RecordBatchWriterOptions {
  /** No batch gets larger, its header included. Must not exceed the topic's `max.message.bytes`. */
  readonly maxBatchBytes: number;
}

/** A single record that no batch may hold. */
export class RecordTooLargeError extends Error {
  override readonly name = 'RecordTooLargeError';
  constructor(batchBytes: number, maxBatchBytes: number) {
    super(
      `a record takes ${batchBytes} bytes in a batch of its own, and the limit is ${maxBatchBytes}: ` +
        `raise the sink topic's max.message.bytes (and the readers' max.partition.fetch.bytes; where that is larger already, the brokers' socket.request.max.bytes), or emit smaller records`,
    );
  }
}

/**
 * Room that is kept free behind every key, value and record, for what is not content: a batch header, lengths,
 * attributes, deltas and the count of headers take at most 61 + 5 * 5 + 1 + 10 + 5 bytes.
 */
const ROOM_BYTES = 128;

/** Timestamps further apart than this do not share a batch: twice the distance must stay a safe integer. */
const MAX_TIMESTAMP_DELTA_MS = 2 ** 51;
/** As a number also 2^63 - 1, the last that Kafka holds. */
const TIMESTAMPS_END = 2 ** 63;

/**
 * Writes the records for one partition as Kafka record batches (message format v2, transactional, CreateTime, not
 * compressed). Producer id, epoch, sequence and CRC are left blank: `stampBatch` writes them when the batches are
 * sent, and again when they are sent again under another identity.
 *
 * Records go straight into one buffer. A length stands before what it counts, so room is left for a length of the
 * size that the last one had, and the content is moved when the guess was wrong.
 */
export class RecordBatchWriter {
  readonly #out = new ByteWriter(16 * 1024);
  readonly #maxBatchBytes: number;
  /** End of the last whole record. What is behind it is the rest of an append that failed. */
  #end = 0;
  #records = 0;
  #batchStart = 0;
  /** Records in the open batch; 0 when none is open. */
  #batchRecords = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #recordLengthBytes = 1;
  #keyLengthBytes = 1;
  #valueLengthBytes = 1;

  constructor(options: RecordBatchWriterOptions) {
    this.#maxBatchBytes = options.maxBatchBytes;
  }

  /** Records appended since the last reset. */
  get records(): number {
    return this.#records;
  }

  /** Bytes written since the last reset. */
  get bytes(): number {
    return this.#end;
  }

  /**
   * Appends one record. `key` undefined: no key (`keySerde` is not used); `value` undefined: a tombstone. Timestamps,
   * in milliseconds since the epoch, may go backwards, and be any that Kafka holds. Throws `RecordTooLargeError`, and
   * whatever the serdes throw; the writer then holds what it held before.
   */
  append<K, V>(
    timestampMs: number,
    key: K | undefined,
    keySerde: Serde<K> | undefined,
    value: V | undefined,
    valueSerde: Serde<V>,
    headers?: readonly WireHeader[],
  ): void {
    if (!Number.isSafeInteger(timestampMs)) this.#expectLong(timestampMs);
    if (this.#batchRecords > 0) {
      const timestampDelta = timestampMs - this.#baseTimestamp;
      if (timestampDelta < MAX_TIMESTAMP_DELTA_MS && timestampDelta > -MAX_TIMESTAMP_DELTA_MS) {
        const end = this.#write(this.#end, timestampMs, this.#batchRecords, key, keySerde, value, valueSerde, headers);
        if (end - this.#batchStart <= this.#maxBatchBytes) {
          this.#end = end;
          this.#records++;
          this.#batchRecords++;
          if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
          return;
        }
      }
      this.#closeBatch();
    }
    this.#baseTimestamp = timestampMs;
    const end = this.#write(this.#end + BATCH.records, timestampMs, 0, key, keySerde, value, valueSerde, headers);
    const batchBytes = end - this.#end;
    if (batchBytes > this.#maxBatchBytes) throw new RecordTooLargeError(batchBytes, this.#maxBatchBytes);
    this.#batchStart = this.#end;
    this.#batchRecords = 1;
    this.#maxTimestamp = timestampMs;
    this.#end = end;
    this.#records++;
    // It is written as 2^63 - 1, from which no distance would be right.
    if (timestampMs === TIMESTAMPS_END) this.#closeBatch();
  }

  /** Appends a whole batch that was made elsewhere. */
  appendBatch(batch: Buffer, records: number): void {
    this.#closeBatch();
    const out = this.#out;
    out.position = this.#end;
    out.raw(batch);
    this.#end = out.position;
    this.#records += records;
  }

  /** Every batch since the last reset, back to back: a view, valid until the next append. */
  finish(): Buffer {
    this.#closeBatch();
    return this.#out.bytes.subarray(0, this.#end);
  }

  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.#end = 0;
    this.#records = 0;
    this.#batchRecords = 0;
  }

  /** Beyond 2^53 a timestamp is no count of milliseconds, but it was read from Kafka, and is passed on. */
  #expectLong(timestampMs: number): void {
    if (!Number.isInteger(timestampMs) || timestampMs < -TIMESTAMPS_END || timestampMs > TIMESTAMPS_END)
      throw new RangeError(`record timestamp ${timestampMs} is not a count of milliseconds since 1970 (or -1 for none)`);
    if (timestampMs === TIMESTAMPS_END) this.#closeBatch();
  }

  /** Writes one record at `start` and returns where it ends. */
  #write<K, V>(
    start: number,
    timestampMs: number,
    offsetDelta: number,
    key: K | undefined,
    keySerde: Serde<K> | undefined,
    value: V | undefined,
    valueSerde: Serde<V>,
    headers: readonly WireHeader[] | undefined,
  ): number {
    const out = this.#out;
    const bytes = out.bytes;
    let at = start + this.#recordLengthBytes;
    bytes[at++] = 0; // attributes: none are defined
    const timestampDelta = timestampMs - this.#baseTimestamp;
    at = timestampDelta === (timestampDelta | 0) ? putSigned(bytes, at, timestampDelta | 0) : putSignedLong(bytes, at, timestampDelta);
    at = putSigned(bytes, at, offsetDelta);

    if (key === undefined) {
      bytes[at++] = NULL_LENGTH;
    } else {
      if (keySerde === undefined) throw new TypeError('a record has a key but its sink has no serde for keys');
      out.position = at + this.#keyLengthBytes;
      keySerde.write(key, out);
      this.#keyLengthBytes = putLengthBefore(out, at, this.#keyLengthBytes);
      out.reserve(ROOM_BYTES);
      at = out.position;
    }

    if (value === undefined) {
      out.bytes[at] = NULL_LENGTH;
      out.position = at + 1;
    } else {
      out.position = at + this.#valueLengthBytes;
      valueSerde.write(value, out);
      this.#valueLengthBytes = putLengthBefore(out, at, this.#valueLengthBytes);
    }
    out.reserve(ROOM_BYTES);

    if (headers === undefined || headers.length === 0) {
      out.bytes[out.position++] = 0;
    } else {
      writeHeaders(out, headers);
    }
    this.#recordLengthBytes = putLengthBefore(out, start, this.#recordLengthBytes);
    return out.position;
  }

  #closeBatch(): void {
    if (this.#batchRecords === 0) return;
    const bytes = this.#out.bytes;
    const start = this.#batchStart;
    putInt64(bytes, start + BATCH.baseOffset, 0);
    bytes.writeInt32BE(this.#end - start - BATCH.lengthEnd, start + BATCH.length);
    bytes.writeInt32BE(-1, start + BATCH.leaderEpoch);
    bytes[start + BATCH.magic] = 2;
    bytes.writeUInt32BE(0, start + BATCH.crc);
    bytes.writeInt16BE(ATTRIBUTE.transactional, start + BATCH.attributes);
    bytes.writeInt32BE(this.#batchRecords - 1, start + BATCH.lastOffsetDelta);
    putInt64(bytes, start + BATCH.baseTimestamp, this.#baseTimestamp);
    putInt64(bytes, start + BATCH.maxTimestamp, this.#maxTimestamp);
    putInt64(bytes, start + BATCH.producerId, -1);
    bytes.writeInt16BE(-1, start + BATCH.producerEpoch);
    bytes.writeInt32BE(-1, start + BATCH.baseSequence);
    bytes.writeInt32BE(this.#batchRecords, start + BATCH.recordCount);
    this.#batchRecords = 0;
  }
}

/** -1 as a signed varint. */
const NULL_LENGTH = 1;

/**
 * Writes the length of the content that ends at `out.position` as a signed varint at `at`. The content starts `room`
 * bytes behind `at`, and is moved when the length needs more or fewer. Returns how many bytes it needed.
 */
function putLengthBefore(out: ByteWriter, at: number, room: number): number {
  const length = out.position - at - room;
  if (length >= 64 || room !== 1) return putLongLengthBefore(out, at, room, length);
  out.bytes[at] = length << 1;
  return 1;
}

function putLongLengthBefore(out: ByteWriter, at: number, room: number, length: number): number {
  const needed = lengthBytes(length);
  if (needed !== room) {
    out.reserve(needed);
    out.bytes.copyWithin(at + needed, at + room, out.position);
    out.position += needed - room;
  }
  putSigned(out.bytes, at, length);
  return needed;
}

/** How many bytes a length takes as a signed varint. */
function lengthBytes(length: number): number {
  if (length < 1 << 6) return 1;
  if (length < 1 << 13) return 2;
  if (length < 1 << 20) return 3;
  if (length < 1 << 27) return 4;
  return 5;
}

/** Writes a 32-bit integer zigzag-encoded as a varint, and returns where it ends. */
function putSigned(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  while (rest > 0x7f) {
    bytes[at++] = rest | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** The same for |value| ≤ 2^52. */
function putSignedLong(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  while (rest > 0x7f) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

function putInt64(bytes: Buffer, at: number, value: number): void {
  if (value === TIMESTAMPS_END) {
    bytes.writeBigInt64BE(2n ** 63n - 1n, at);
    return;
  }
  bytes.writeInt32BE(Math.floor(value / 0x100000000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

function writeHeaders(out: ByteWriter, headers: readonly WireHeader[]): void {
  out.position = putSigned(out.bytes, out.position, headers.length);
  for (const { key, value } of headers) {
    const at = out.position;
    out.position++;
    if (typeof key === 'string') out.utf8(key);
    else out.raw(key);
    putLengthBefore(out, at, 1);
    out.reserve(ROOM_BYTES);
    if (value === undefined) {
      out.bytes[out.position++] = NULL_LENGTH;
    } else {
      if (!(value instanceof Uint8Array)) throw new TypeError(`header ${key}: expected a Uint8Array, got ${nameOf(value)}`);
      out.position = putSigned(out.bytes, out.position, value.length);
      out.raw(value);
    }
    out.reserve(ROOM_BYTES);
  }
}
