import { isUtf8 } from 'node:buffer';
import { type AvroType, type Tap, Type, types } from './avsc.ts';
import { readLongAsBigInt, readLongAsNumber, writeLongOfBigInt, writeLongOfNumber } from './longs.ts';

export interface TypeOptions {
  readonly longs: 'number' | 'bigint';
  readonly logicalTypes: Readonly<Record<string, unknown>>;
}

/** A schema's text, with those that it refers to by the names of their types. */
export interface AvroText {
  readonly text: string;
  readonly references: readonly { readonly name: string; readonly schema: AvroText }[];
}

/** The type of a schema. Throws what is wrong with it. */
export function typeOf(schema: AvroText, { longs, logicalTypes }: TypeOptions): AvroType {
  const registry: Record<string, AvroType> = {};
  const inLogicalType = new Set<unknown>();
  const primitives: Readonly<Record<string, AvroType>> = {
    string: strictString,
    long: longs === 'bigint' ? bigintLong : numberLong,
    float: exactFloat,
    double: exactDouble,
  };
  const typeHook = (of: unknown, options: unknown): AvroType | undefined => {
    if (typeof of === 'string') return Object.hasOwn(primitives, of) ? primitives[of] : undefined;
    if (typeof of !== 'object' || of === null || Array.isArray(of)) return undefined;
    const { type, logicalType } = of as { readonly type?: unknown; readonly logicalType?: unknown };
    // A logical type asks for what is below it by the same schema.
    if (typeof logicalType === 'string' && Object.hasOwn(logicalTypes, logicalType) && !inLogicalType.has(of)) {
      inLogicalType.add(of);
      return undefined;
    }
    switch (type) {
      case 'array':
        return boundedArray(new types.ArrayType(of, options));
      case 'map':
        return boundedMap(new types.MapType(of, options));
      case 'record':
      case 'error':
        return plainRecord(of, options);
      default:
        return typeof type === 'string' && Object.hasOwn(primitives, type) ? primitives[type] : undefined;
    }
  };
  const parse = ({ text, references }: AvroText): AvroType => {
    for (const { name, schema: referred } of references) if (!Object.hasOwn(registry, name)) parse(referred);
    return Type.forSchema(JSON.parse(text), { registry, typeHook, logicalTypes, omitRecordMethods: true });
  };
  return parse(schema);
}

/** A type like another one, in which some is done otherwise. */
function like<T extends AvroType>(type: T, otherwise: Partial<AvroType>): AvroType {
  return Object.assign(Object.create(type) as AvroType, otherwise);
}

// --- Strings: bytes that are no UTF-8 are an error, and so is a string that UTF-8 cannot express. ---

const plainString = new types.StringType();
const strictString = like(plainString, {
  _read: readText,
  _write(tap, value) {
    if (typeof value === 'string' && !value.isWellFormed())
      throw new Error('a string has half a surrogate pair, which UTF-8 cannot express');
    plainString._write(tap, value);
  },
});

function readText(tap: Tap): string {
  const bytes = tap.readLong();
  const from = tap.pos;
  if (bytes < 0 || bytes > tap.buf.length - from) throw truncated();
  tap.pos += bytes;
  const text = tap.buf.toString('utf8', from, tap.pos);
  if (text.includes('\ufffd') && !isUtf8(tap.buf.subarray(from, tap.pos))) throw new Error('a string is not valid UTF-8');
  return text;
}

// --- Numbers: no digit is lost. ---

const numberLong = like(new types.LongType(), {
  _read: readLongAsNumber,
  _check: (value, _flags, hook) => checked(Number.isSafeInteger(value), value, hook),
  _write(tap, value) {
    if (!Number.isSafeInteger(value)) throw new Error(`${shown(value)} is no whole number within ±(2^53 - 1)`);
    writeLongOfNumber(tap, value as number);
  },
});

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 63n - 1n;
const isLong = (value: unknown): value is bigint => typeof value === 'bigint' && value >= SMALLEST && value <= LARGEST;
const bigintLong = like(
  types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer(value: bigint) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON(value: unknown) {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Error(`the default ${value} has lost digits`);
      return BigInt(value as number);
    },
    toJSON: (value: bigint) => value,
    isValid: isLong,
    compare: (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0),
  }),
  {
    _read: readLongAsBigInt,
    _write(tap, value) {
      if (!isLong(value)) throw new Error(`${shown(value)} is no bigint of 64 bits`);
      writeLongOfBigInt(tap, value);
    },
  },
);

const exactFloat = exactly(new types.FloatType());
const exactDouble = exactly(new types.DoubleType());

/** A floating number is read where a long was written: if it is that long. */
function exactly(type: AvroType): AvroType {
  return like(type, {
    _update(resolver, written, options) {
      if (written.typeName === 'long' || written.typeName === 'abstract:long') resolver._read = readLongAsNumber;
      else type._update(resolver, written, options);
    },
  });
}

function checked(isValid: boolean, value: unknown, hook: ((value: unknown, type: unknown) => void) | undefined): boolean {
  if (!isValid) hook?.(value, numberLong);
  return isValid;
}

// --- Arrays and maps: no more entries than there are bytes. avsc makes as many as damaged bytes say, however many they are. ---

/** Entries that take no bytes (null, a record without fields). */
const MOST_EMPTY = 65_536;

function boundedArray(type: AvroType & { readonly itemsType: AvroType }): AvroType {
  return like(type, {
    // Of a resolver too: its items are read as its own.
    _read(this: { readonly itemsType: AvroType }, tap) {
      const items: unknown[] = [];
      eachEntry(tap, () => items.push(this.itemsType._read(tap)));
      return items;
    },
    _skip(tap) {
      eachEntry(tap, () => type.itemsType._skip(tap));
    },
  });
}

function boundedMap(type: AvroType & { readonly valuesType: AvroType }): AvroType {
  return like(type, {
    _read(this: { readonly valuesType: AvroType }, tap) {
      const values: Record<string, unknown> = {};
      eachEntry(tap, () => {
        const key = readText(tap);
        if (key === '__proto__') throw new Error('a map has the key __proto__, under which an object keeps nothing');
        values[key] = this.valuesType._read(tap);
      });
      return values;
    },
    _skip(tap) {
      eachEntry(tap, () => {
        readText(tap);
        type.valuesType._skip(tap);
      });
    },
  });
}

function eachEntry(tap: Tap, take: () => void): void {
  let empty = 0;
  for (;;) {
    const count = tap.readLong();
    if (count === 0) break;
    if (count < 0) tap.skipLong();
    for (let left = Math.abs(count); left > 0; left--) {
      const from = tap.pos;
      take();
      if (tap.pos > tap.buf.length) throw truncated();
      if (tap.pos === from && ++empty > MOST_EMPTY) throw new Error(`more than ${MOST_EMPTY} entries that take no bytes`);
    }
  }
}

function truncated(): Error {
  return new Error('it ends before its value does');
}

// --- Records: plain objects, as every other serde gives them. ---

function plainRecord(schema: unknown, options: unknown): AvroType {
  const { fields } = schema as { readonly fields?: unknown };
  if (Array.isArray(fields) && fields.some((field) => (field as { readonly name?: unknown } | null)?.name === '__proto__'))
    throw new Error('a field is called __proto__, under which an object keeps nothing');
  const type = new types.RecordType(schema, options);
  type.recordConstructor.prototype = Object.prototype;
  return type;
}

/** A value in an error. */
export function shown(value: unknown): string {
  const text =
    typeof value === 'bigint'
      ? `${value}n`
      : (JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}n` : item)) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
