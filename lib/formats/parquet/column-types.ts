import { type ByteWriter, nameOf } from '../../format/byte-writer.ts';

/** What a column holds. Of each there may be none: undefined and null are Parquet's null. */
export type ParquetType = 'string' | 'boolean' | 'int32' | 'int64' | 'double' | 'timestamp' | 'bytes';

/** Bytes in which rows stand, and how far they are read. */
export interface RowReader {
  readonly bytes: Buffer;
  at: number;
}

/** How values of a type are staged, and what Parquet's writer is given for them. */
interface ColumnType {
  /** The writer's name of it. */
  readonly parquet: 'STRING' | 'BOOLEAN' | 'INT32' | 'INT64' | 'DOUBLE' | 'TIMESTAMP' | 'BYTE_ARRAY';
  /** Throws `TypeError` or `RangeError` for what the column cannot hold; `column` is for the message. */
  write(value: unknown, out: ByteWriter, column: string): void;
  read(from: RowReader): unknown;
}

const LEAST_INT64 = -(2n ** 63n);
const MOST_INT64 = 2n ** 63n - 1n;

export const columnTypes: { readonly [T in ParquetType]: ColumnType } = {
  string: {
    parquet: 'STRING',
    write(value, out, column) {
      if (typeof value !== 'string') throw noValue(value, column, 'a string');
      const bytes = Buffer.byteLength(value);
      out.varint(bytes);
      out.utf8(value);
    },
    read: (from) => lengthRead(from).toString('utf8'),
  },
  boolean: {
    parquet: 'BOOLEAN',
    write(value, out, column) {
      if (typeof value !== 'boolean') throw noValue(value, column, 'a boolean');
      out.u8(value ? 1 : 0);
    },
    read: (from) => from.bytes[from.at++] === 1,
  },
  int32: {
    parquet: 'INT32',
    write(value, out, column) {
      if (typeof value !== 'number' || value !== (value | 0)) throw noValue(value, column, 'a whole number between -2^31 and 2^31 - 1');
      out.u32(value >>> 0);
    },
    read: (from) => from.bytes.readInt32LE(advance(from, 4)),
  },
  int64: {
    parquet: 'INT64',
    write(value, out, column) {
      const isLong = typeof value === 'bigint' && value >= LEAST_INT64 && value <= MOST_INT64;
      if (!isLong && !Number.isSafeInteger(value))
        throw noValue(value, column, 'a whole number: a number within ±(2^53 - 1), or a bigint of 64 bits');
      writeInt64(BigInt(value as bigint | number), out);
    },
    read: readInt64,
  },
  double: {
    parquet: 'DOUBLE',
    write(value, out, column) {
      if (typeof value !== 'number') throw noValue(value, column, 'a number');
      out.f64(value);
    },
    read: (from) => from.bytes.readDoubleLE(advance(from, 8)),
  },
  timestamp: {
    parquet: 'TIMESTAMP',
    write(value, out, column) {
      const ms = value instanceof Date ? value.getTime() : value;
      if (!Number.isSafeInteger(ms)) throw noValue(value, column, 'a date, or whole milliseconds since 1970');
      writeInt64(BigInt(ms as number), out);
    },
    read: readInt64,
  },
  bytes: {
    parquet: 'BYTE_ARRAY',
    write(value, out, column) {
      if (!(value instanceof Uint8Array)) throw noValue(value, column, 'a Uint8Array');
      out.varint(value.length);
      out.raw(value);
    },
    read: (from) => lengthRead(from),
  },
};

function noValue(value: unknown, column: string, wanted: string): TypeError {
  const shown = typeof value === 'number' || typeof value === 'bigint' ? `the ${typeof value} ${value}` : nameOf(value);
  return new TypeError(`column ${column}: expected ${wanted}, got ${shown}`);
}

function writeInt64(value: bigint, out: ByteWriter): void {
  out.reserve(8);
  out.position = out.bytes.writeBigInt64LE(value, out.position);
}

function readInt64(from: RowReader): bigint {
  return from.bytes.readBigInt64LE(advance(from, 8));
}

function advance(from: RowReader, bytes: number): number {
  const { at } = from;
  from.at += bytes;
  return at;
}

function lengthRead(from: RowReader): Buffer {
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = from.bytes[from.at++];
    if (byte === undefined) throw new Error('a row ends within a value');
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  const at = advance(from, length);
  if (from.at > from.bytes.length) throw new Error('a row ends within a value');
  return from.bytes.subarray(at, from.at);
}
