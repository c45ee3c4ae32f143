import { MalformedError } from '../protocol/malformed.ts';
import { ATTRIBUTE, BATCH } from './batch-layout.ts';
import { crc32c } from './crc32c.ts';
import { decompress } from './decompress.ts';
import type { RecordHeader } from './record-header.ts';

export interface RecordSetOptions {
  /** Records of lower offsets are skipped. */
  readonly from: number;
  /** The first offset that is not wanted any more. */
  readonly to: number;
  /** The response's aborted transactions, in any order. */
  readonly aborted: readonly AbortedTransaction[];
  /** Says which topic and partition this is, for errors. */
  readonly describe: () => string;
  /** The most that one compressed batch may unpack to (ONCEFLOW_MAX_UNPACKED_BATCH_BYTES). @default 64 MiB */
  readonly maxUnpackedBytes?: number | undefined;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

const DEFAULT_MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS: readonly never[] = Object.freeze([]);

/**
 * A cursor over the record set of one partition in a Fetch response: the committed records of [from, to), one after
 * the other, without an object for each. The fields describe the current record after `next()` answered true.
 *
 * Every batch's CRC is verified. Aborted transactions and control batches are left out by what the response says
 * itself: nothing is remembered from one `open` to the next.
 */
export class RecordSetReader {
  offset = 0;
  /**
   * Milliseconds since the epoch, -1 for none: the producer's, or the broker's where the topic says LogAppendTime. Rounded
   * beyond ±2^53, as a number must be: what a producer meant by it nobody knows, and the record has a value all the same.
   */
  timestamp = 0;
  /** Holds key, value and headers of the current record. Another buffer for each compressed batch. */
  bytes: Buffer = NO_BYTES;
  /** -1: the key is null. */
  keyStart = -1;
  keyEnd = -1;
  /** -1: the value is null (a tombstone). */
  valueStart = -1;
  valueEnd = -1;
  /**
   * Everything below has been returned or has been seen to be none of the wanted. Once `next()` has answered false,
   * the offset at which to fetch next; `to` when the range is done.
   */
  nextOffset = 0;

  #set: Buffer = NO_BYTES;
  /** Where in the set the next batch starts. */
  #setAt = 0;
  /** Where the current one does. */
  #batchStart = 0;
  #from = 0;
  #to = 0;
  #describe: () => string = () => '';
  #maxUnpackedBytes = DEFAULT_MAX_UNPACKED_BYTES;
  /** By first offset. */
  #aborted: readonly AbortedTransaction[] = [];
  #abortedSeen = 0;
  readonly #abortedProducers = new Set<bigint>();

  #at = 0;
  #end = 0;
  #recordsLeft = 0;
  #recordEnd = 0;
  #headersStart = 0;
  #baseOffset = 0;
  #lastOffset = -1;
  #lastOffsetDelta = 0;
  #previousDelta = -1;
  /** NaN beyond ±2^53. */
  #baseTimestamp = 0;
  /** Of the current record, when it is beyond ±2^53. */
  #exactTimestamp = 0n;
  /** 0 where the time of the append counts and not the producer's: then the base is the record's timestamp. */
  #timestampScale: 0 | 1 = 1;

  /** Starts over on another record set. `bytes` of the one before must not be used afterwards. */
  open(records: Buffer, options: RecordSetOptions): void {
    this.bytes = NO_BYTES;
    this.nextOffset = options.from;
    this.#set = records;
    this.#setAt = 0;
    this.#from = options.from;
    this.#to = options.to;
    this.#describe = options.describe;
    this.#maxUnpackedBytes = options.maxUnpackedBytes ?? DEFAULT_MAX_UNPACKED_BYTES;
    this.#aborted = byFirstOffset(options.aborted);
    this.#abortedSeen = 0;
    this.#abortedProducers.clear();
    this.#recordsLeft = 0;
    this.#lastOffset = -1;
  }

  /** Moves to the next record, if there is one. Throws `MalformedError`. */
  next(): boolean {
    for (;;) {
      while (this.#recordsLeft > 0) {
        this.#readRecord();
        const offset = this.offset;
        if (offset < this.#from) continue;
        if (offset >= this.#to) return this.#finish();
        this.nextOffset = offset + 1;
        return true;
      }
      if (!this.#readBatch()) return false;
    }
  }

  /** The current record's timestamp, exactly. */
  exactTimestamp(): bigint {
    return Number.isSafeInteger(this.timestamp) ? BigInt(this.timestamp) : this.#exactTimestamp;
  }

  /** The current record's headers; their values are views on `bytes`. */
  headers(): readonly RecordHeader[] {
    return this.rawHeaders().map(({ key, value }) => ({ key: key.toString('utf8'), value }));
  }

  /** The same, the keys as they are: Kafka holds any bytes. */
  rawHeaders(): readonly { readonly key: Buffer; readonly value: Buffer | undefined }[] {
    this.#at = this.#headersStart;
    const count = this.#signed();
    if (count === 0) return NO_HEADERS;
    if (count < 0 || count > this.#recordEnd - this.#at) throw this.#malformed(`a record with ${count} headers`);
    const headers: { key: Buffer; value: Buffer | undefined }[] = [];
    for (let index = 0; index < count; index++) {
      const keyLength = this.#signed();
      const keyStart = this.#at;
      this.#at += keyLength;
      if (keyLength < 0 || this.#at > this.#recordEnd) throw this.#malformed('a header key that ends outside its record');
      const key = this.bytes.subarray(keyStart, this.#at);
      const valueLength = this.#signed();
      const valueStart = this.#at;
      if (valueLength >= 0) this.#at += valueLength;
      if (valueLength < -1 || this.#at > this.#recordEnd) throw this.#malformed('a header value that ends outside its record');
      headers.push({ key, value: valueLength === -1 ? undefined : this.bytes.subarray(valueStart, this.#at) });
    }
    this.#at = this.#recordEnd;
    return headers;
  }

  /** Reads the record at `#at`, which need not be one that is wanted. */
  #readRecord(): void {
    const bytes = this.bytes;
    let at = this.#at;

    const firstLength = bytes[at];
    let length: number;
    if (firstLength !== undefined && firstLength < 0x80) {
      at++;
      length = (firstLength >>> 1) ^ -(firstLength & 1);
    } else {
      length = this.#signed();
      at = this.#at;
    }
    const recordEnd = at + length;
    if (length < MIN_RECORD_BYTES || recordEnd > this.#end)
      throw this.#malformed(`a record of ${length} bytes that ends outside its batch`);
    at++; // attributes: none are defined

    const timestampAt = at;
    const firstTimestamp = bytes[at]!;
    let timestampDelta: number;
    if (firstTimestamp < 0x80) {
      at++;
      timestampDelta = (firstTimestamp >>> 1) ^ -(firstTimestamp & 1);
    } else {
      this.#at = at;
      timestampDelta = this.#signedLong();
      at = this.#at;
    }

    const firstOffset = bytes[at]!;
    let offsetDelta: number;
    if (firstOffset < 0x80) {
      at++;
      offsetDelta = (firstOffset >>> 1) ^ -(firstOffset & 1);
    } else {
      this.#at = at;
      offsetDelta = this.#signed();
      at = this.#at;
    }
    if (offsetDelta <= this.#previousDelta || offsetDelta > this.#lastOffsetDelta) {
      throw this.#malformed(`offset delta ${offsetDelta} after ${this.#previousDelta} in a batch whose last is ${this.#lastOffsetDelta}`);
    }
    this.#previousDelta = offsetDelta;
    this.offset = this.#baseOffset + offsetDelta;
    const timestamp = this.#baseTimestamp + timestampDelta * this.#timestampScale;
    this.timestamp = Number.isSafeInteger(timestamp) ? timestamp : this.#largeTimestamp(timestampAt);

    const firstKey = bytes[at]!;
    let keyLength: number;
    if (firstKey < 0x80) {
      at++;
      keyLength = (firstKey >>> 1) ^ -(firstKey & 1);
    } else {
      this.#at = at;
      keyLength = this.#signed();
      at = this.#at;
    }
    if (keyLength < 0) {
      if (keyLength !== -1) throw this.#malformed(`a key of ${keyLength} bytes`);
      this.keyStart = -1;
      this.keyEnd = -1;
    } else {
      this.keyStart = at;
      at += keyLength;
      this.keyEnd = at;
      if (at >= recordEnd) throw this.#malformed(`a key of ${keyLength} bytes that ends outside its record`);
    }

    const firstValue = bytes[at]!;
    let valueLength: number;
    if (firstValue < 0x80) {
      at++;
      valueLength = (firstValue >>> 1) ^ -(firstValue & 1);
    } else {
      this.#at = at;
      valueLength = this.#signed();
      at = this.#at;
    }
    if (valueLength < 0) {
      if (valueLength !== -1) throw this.#malformed(`a value of ${valueLength} bytes`);
      this.valueStart = -1;
      this.valueEnd = -1;
    } else {
      this.valueStart = at;
      at += valueLength;
      this.valueEnd = at;
    }
    if (at >= recordEnd) throw this.#malformed('a value that ends outside its record');

    this.#headersStart = at;
    this.#recordEnd = recordEnd;
    this.#at = recordEnd;
    this.#recordsLeft--;
    if (this.#recordsLeft === 0 && recordEnd !== this.#end)
      throw this.#malformed(`${this.#end - recordEnd} bytes behind the last record of a batch`);
  }

  /** Opens the next batch that may hold wanted records; false when there is none. */
  #readBatch(): boolean {
    const set = this.#set;
    for (;;) {
      this.#leaveBatch();
      const start = this.#setAt;
      this.#batchStart = start;
      if (set.length - start <= BATCH.magic) return false;
      this.#baseOffset = this.#int64(start + BATCH.baseOffset);
      const magic = set[start + BATCH.magic];
      if (magic !== 2) {
        const old = magic === 0 || magic === 1;
        throw this.#malformedBatch(
          old
            ? `message format v${magic}: Onceflow reads v2, which brokers and clients write since Kafka 0.11`
            : `magic ${magic}, so this is no record batch`,
        );
      }
      const length = set.readInt32BE(start + BATCH.length);
      const end = start + BATCH.lengthEnd + length;
      if (end < start + BATCH.records) throw this.#malformedBatch(`a batch length of ${length} bytes`);
      if (end > set.length) return false;
      if (this.#baseOffset >= this.#to) return this.#finish();
      const crc = crc32c(set, start + BATCH.attributes, end);
      const expected = set.readUInt32BE(start + BATCH.crc);
      if (crc !== expected)
        throw this.#malformedBatch(`CRC-32C ${hex(crc)} instead of ${hex(expected)}: the batch was damaged on its way or on the broker`);
      const lastOffsetDelta = set.readInt32BE(start + BATCH.lastOffsetDelta);
      if (lastOffsetDelta < 0 || this.#baseOffset <= this.#lastOffset) {
        throw this.#malformedBatch(`last offset delta ${lastOffsetDelta} behind a batch that ended at ${this.#lastOffset}`);
      }
      this.#lastOffsetDelta = lastOffsetDelta;
      this.#lastOffset = this.#baseOffset + lastOffsetDelta;
      this.#setAt = end;

      const attributes = set.readInt16BE(start + BATCH.attributes);
      const control = (attributes & ATTRIBUTE.control) !== 0;
      if (this.#aborted.length > 0 && (attributes & ATTRIBUTE.transactional) !== 0) {
        const producerId = set.readBigInt64BE(start + BATCH.producerId);
        this.#startAborted();
        if (control) {
          this.#openRecords(start, end, attributes);
          if (this.#isAbortMarker()) this.#abortedProducers.delete(producerId);
          this.#recordsLeft = 0;
        } else if (this.#abortedProducers.has(producerId)) {
          continue;
        }
      }
      if (control || this.#lastOffset < this.#from) continue;
      this.#openRecords(start, end, attributes);
      return true;
    }
  }

  #openRecords(start: number, end: number, attributes: number): void {
    const set = this.#set;
    const codec = attributes & ATTRIBUTE.compression;
    if (codec === 0) {
      this.bytes = set;
      this.#at = start + BATCH.records;
      this.#end = end;
    } else {
      try {
        this.bytes = decompress(codec, set.subarray(start + BATCH.records, end), this.#maxUnpackedBytes);
      } catch (error) {
        if (error instanceof MalformedError) throw this.#malformedBatch(error.message);
        throw error;
      }
      this.#at = 0;
      this.#end = this.bytes.length;
    }
    const records = set.readInt32BE(start + BATCH.recordCount);
    if (records < 0 || (records === 0 && this.#at !== this.#end))
      throw this.#malformedBatch(`a batch of ${this.#end - this.#at} bytes with ${records} records`);
    this.#recordsLeft = records;
    this.#previousDelta = -1;
    const appendTime = (attributes & ATTRIBUTE.logAppendTime) !== 0;
    const baseTimestamp = int64(set, start + (appendTime ? BATCH.maxTimestamp : BATCH.baseTimestamp));
    this.#baseTimestamp = Number.isSafeInteger(baseTimestamp) ? baseTimestamp : Number.NaN;
    this.#timestampScale = appendTime ? 0 : 1;
  }

  /** Takes the aborted transactions that had begun by the end of the batch. */
  #startAborted(): void {
    for (;;) {
      const next = this.#aborted[this.#abortedSeen];
      if (next === undefined || next.firstOffset > this.#lastOffset) return;
      this.#abortedProducers.add(next.producerId);
      this.#abortedSeen++;
    }
  }

  /** Whether the open control batch ends a transaction as aborted: its one record's key is (version, type) and type 0 is that. */
  #isAbortMarker(): boolean {
    if (this.#recordsLeft === 0) return false; // compaction has removed it
    this.#readRecord();
    if (this.keyEnd - this.keyStart < 4) throw this.#malformed('a control record without a type');
    return this.bytes.readInt16BE(this.keyStart + 2) === 0;
  }

  /** All of the batch has been seen, also what compaction or an abort took away. */
  #leaveBatch(): void {
    const next = Math.min(this.#lastOffset + 1, this.#to);
    if (next > this.nextOffset) this.nextOffset = next;
  }

  #finish(): false {
    this.#recordsLeft = 0;
    this.#setAt = this.#set.length;
    this.#lastOffset = this.#to - 1;
    this.nextOffset = this.#to;
    return false;
  }

  /** A zigzag varint of 32 bits. */
  #signed(): number {
    const bytes = this.bytes;
    let at = this.#at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw this.#malformed('a number that does not end');
  }

  /** A zigzag varint of 64 bits; NaN when it holds no safe integer. */
  #signedLong(): number {
    const bytes = this.bytes;
    let at = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        this.#at = at;
        if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    throw this.#malformed('a number that does not end');
  }

  /** A timestamp that no number holds exactly, or whose parts none does: in 64 bits, which wrap around as a producer's do. */
  #largeTimestamp(deltaAt: number): number {
    const base = this.#set.readBigInt64BE(this.#batchStart + (this.#timestampScale === 0 ? BATCH.maxTimestamp : BATCH.baseTimestamp));
    const delta = this.#timestampScale === 0 ? 0n : zigzag(this.bytes, deltaAt);
    this.#exactTimestamp = BigInt.asIntN(64, base + delta);
    return Number(this.#exactTimestamp);
  }

  #int64(at: number): number {
    const value = int64(this.#set, at);
    if (!Number.isSafeInteger(value)) throw this.#malformedBatch(`the number at byte ${at} is beyond 2^53`);
    return value;
  }

  #malformed(what: string): MalformedError {
    return new MalformedError(`${this.#describe()}: ${what}, near offset ${this.#baseOffset + this.#previousDelta + 1}`);
  }

  #malformedBatch(what: string): MalformedError {
    return new MalformedError(
      `${this.#describe()}: ${what} (batch at offset ${this.#baseOffset}, byte ${this.#batchStart} of the response)`,
    );
  }
}

/** Record length, attributes, both deltas, key length, value length, header count: the least that is a record. */
const MIN_RECORD_BYTES = 6;

function byFirstOffset(aborted: readonly AbortedTransaction[]): readonly AbortedTransaction[] {
  return aborted.length < 2 ? aborted : [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x100000000 + bytes.readUInt32BE(at + 4);
}

/** A zigzag varint that was seen to end. */
function zigzag(bytes: Buffer, start: number): bigint {
  let value = 0n;
  let shift = 0n;
  for (let at = start; ; at++) {
    const byte = bytes[at] as number;
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
