import { isUtf8 } from 'node:buffer';
import { MalformedError } from '../protocol/malformed.ts';
import { type ByteWriter, NAN_HIGH, nameOf } from './byte-writer.ts';
import type { Serde } from './serde.ts';
import { SHORT_ASCII_BYTES, shortAscii } from './short-ascii.ts';
import { conforming, isStandardSchema, type OutputOf, type StandardSchema } from './standard-schema.ts';

/** Strings, as Kafka's StringSerializer writes them: UTF-8. Reading is strict: bytes that are no UTF-8 are an error, never U+FFFD. */
export const utf8: Serde<string> = {
  name: 'utf8',
  write(value, out) {
    if (typeof value !== 'string') throw noEncoding('utf8', 'a string', value);
    out.utf8(value);
  },
  read: readUtf8,
};

/** 32-bit integers, as Kafka's IntegerSerializer writes them: 4 bytes, big-endian. */
export const int32: Serde<number> = {
  name: 'int32',
  write(value, out) {
    if (typeof value !== 'number') throw noEncoding('int32', 'an integer', value);
    if (value !== (value | 0)) throw new RangeError(`int32: ${value} is no integer between -2^31 and 2^31 - 1`);
    out.reserve(4);
    putInt32(out.bytes, out.position, value);
    out.position += 4;
  },
  read(bytes, start, end) {
    expectBytes('int32', 4, end - start);
    return bytes.readInt32BE(start);
  },
};

/**
 * Integers within ±(2^53 - 1), as Kafka's LongSerializer writes them: 8 bytes, big-endian. A stored number outside of
 * that range is an error: it has no exact value in JavaScript.
 */
export const int64: Serde<number> = {
  name: 'int64',
  write(value, out) {
    if (typeof value !== 'number') throw noEncoding('int64', 'an integer', value);
    if (!Number.isSafeInteger(value)) throw new RangeError(`int64: ${value} is no integer within ±(2^53 - 1)`);
    out.reserve(8);
    putInt32(out.bytes, out.position, Math.floor(value / 0x100000000));
    putInt32(out.bytes, out.position + 4, value | 0);
    out.position += 8;
  },
  read(bytes, start, end) {
    expectBytes('int64', 8, end - start);
    const value = bytes.readInt32BE(start) * 0x100000000 + bytes.readUInt32BE(start + 4);
    if (!Number.isSafeInteger(value)) throw new MalformedError(`int64: ${bytes.readBigInt64BE(start)} is outside ±(2^53 - 1)`);
    return value;
  },
};

/**
 * Numbers, as Kafka's DoubleSerializer writes them: 8 bytes, IEEE 754, big-endian. NaN has one encoding, as in Java, so that
 * it is one key. -0 stays -0; as the key of a stream it is 0.
 */
export const float64: Serde<number> = {
  name: 'float64',
  write(value, out) {
    if (typeof value !== 'number') throw noEncoding('float64', 'a number', value);
    out.reserve(8);
    if (Number.isNaN(value)) {
      // Written out: NaN has many encodings, and arithmetic gives another than the literal.
      putInt32(out.bytes, out.position, NAN_HIGH);
      putInt32(out.bytes, out.position + 4, 0);
    } else {
      out.bytes.writeDoubleBE(value, out.position);
    }
    out.position += 8;
  },
  read(bytes, start, end) {
    expectBytes('float64', 8, end - start);
    return bytes.readDoubleBE(start);
  },
};

/** Serdes whose values are strings and numbers: nobody can change one in place. */
export function hasPrimitives(serde: Serde<unknown>): boolean {
  return PRIMITIVE.has(serde);
}

/** Another one is. */
export function isOfPrimitives(serde: Serde<unknown>): void {
  PRIMITIVE.add(serde);
}

/** Bytes as they are. Reading gives a copy, which may be kept. */
export const bytes: Serde<Uint8Array> = {
  name: 'bytes',
  write(value, out) {
    if (!(value instanceof Uint8Array)) throw noEncoding('bytes', 'a Uint8Array', value);
    out.raw(value);
  },
  read: copyOf,
};

export interface JsonOptions {
  /**
   * What becomes of a whole number in the text that a JavaScript number does not give back as it is written: an id of
   * 64 bits beyond 2^53, say, of which two would become one. `refuse`: the text cannot be read. `bigint`: such numbers,
   * and they alone, are read as bigints; bigints are written as numbers. `round`: what `JSON.parse` does.
   * @default 'refuse'
   */
  readonly largeIntegers?: 'refuse' | 'bigint' | 'round';
}

/**
 * Values as JSON text in UTF-8, with JSON's own losses: `undefined` properties go, dates become strings, NaN becomes
 * null, a Map or Set within a value becomes {}. As a key: values with the same text are one key, so the order of properties
 * counts.
 *
 * With a schema (any Standard Schema: zod, valibot, arktype …) what is read is checked, and is what the schema makes of it; what does
 * not fit is a malformed record, and the error says path and value. What the schema makes is written as it is, and checked again where
 * it is read: a schema that changes values must take what it gave. Without one `T` is not checked.
 *
 * @example
 * json(z.object({ id: z.string(), cents: z.int() }));
 * json<Order>({ largeIntegers: 'bigint' });
 */
export function json<S extends StandardSchema>(schema: S, options?: JsonOptions): Serde<OutputOf<S>>;
export function json<T>(options?: JsonOptions): Serde<T>;
export function json<T>(first: StandardSchema | JsonOptions = {}, second: JsonOptions = {}): Serde<T> {
  const schema = isStandardSchema(first) ? first : undefined;
  const { largeIntegers = 'refuse' } = schema === undefined ? (first as JsonOptions) : second;
  const stringify = largeIntegers === 'bigint' ? stringifyBigInts : JSON.stringify;
  return {
    name: 'json',
    write(value, out) {
      if (isEmptyInJson(value)) throw noEncoding('json', 'a value that JSON can express', value);
      const text = stringify(value) as string | undefined;
      if (text === undefined) throw noEncoding('json', 'a value that JSON can express', value);
      out.utf8(text);
    },
    read(bytes, start, end) {
      const value = parseJson('json', bytes, start, end, largeIntegers);
      return (schema === undefined ? value : conforming('json', schema, value)) as T;
    },
  };
}

/**
 * The encoding of values for which no serde is named: a tag and the value. Exact for strings, numbers (-0, NaN and
 * infinities included), booleans, null, undefined, bigints, valid and invalid dates, bytes (read back as `Buffer`),
 * and for plain objects and arrays of what JSON can express. Anything that JSON would change in silence (a Date, Map,
 * Set, class instance, bigint, function or NaN *within* an object or array, an `undefined` in an array) throws
 * `TypeError` with the path to it: name a serde for such values. Within objects, `undefined` properties are left out
 * and -0 becomes 0. Not meant for other programs: use `json` or `customSerde` on topics.
 */
export const structured: Serde<unknown> = {
  name: 'structured',
  write: writeStructured,
  read: readStructured,
};

/**
 * A serde from two functions. `serialize` returns the encoding, a Uint8Array (a Buffer is one); `deserialize` gets a copy
 * that it may keep, and throws for bytes that hold no value. Neither returns a promise. `name` becomes part of the job's
 * fingerprint: change it when the encoding changes.
 *
 * @example
 * const point = customSerde<Point>({
 *   name: 'point',
 *   serialize: ({ x, y }) => Buffer.from([x, y]),
 *   deserialize: (bytes) => ({ x: bytes.readUInt8(0), y: bytes.readUInt8(1) }),
 * });
 */
export function customSerde<T>(options: {
  readonly name: string;
  readonly serialize: (value: T) => Uint8Array;
  readonly deserialize: (bytes: Buffer) => T;
}): Serde<T> {
  const { name, serialize, deserialize } = options;
  return {
    name,
    write(value, out) {
      const encoding = serialize(value);
      if (!(encoding instanceof Uint8Array)) throw noEncoding(name, 'a Uint8Array from serialize', encoding);
      out.raw(encoding);
    },
    read(bytes, start, end) {
      try {
        const value = deserialize(copyOf(bytes, start, end));
        if (isPromise(value)) throw new TypeError('deserialize returned a promise, and nobody waits for it');
        return value;
      } catch (error) {
        if (error instanceof MalformedError) throw error;
        throw new MalformedError(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    },
  };
}

const PRIMITIVE = new WeakSet<object>([utf8, int32, int64, float64]);

// --- UTF-8 ---

function readUtf8(bytes: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_ASCII_BYTES) {
    const short = shortAscii(bytes, start, end);
    if (short !== undefined) return short;
  }
  const text = bytes.toString('utf8', start, end);
  // Invalid bytes decode to U+FFFD; only a text that has one can have had such bytes, or the character itself.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) throw new MalformedError('utf8: the bytes are not valid UTF-8');
  return text;
}

// --- structured ---

const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** A varint follows: twice the number, or for negative ones -2n - 1. */
  integer: 4,
  double: 5,
  string: 6,
  bytes: 7,
  /** Decimal digits follow. */
  bigint: 8,
  /** A double follows: milliseconds since the epoch, NaN for an invalid date. */
  date: 9,
  json: 10,
} as const;

/** Integers up to here are varints: their zigzag form is a safe integer too. */
const MAX_INTEGER = 2 ** 52 - 1;

function writeStructured(value: unknown, out: ByteWriter): void {
  switch (typeof value) {
    case 'string':
      out.u8(TAG.string);
      utf8.write(value, out);
      return;
    case 'number':
      if (Number.isInteger(value) && value <= MAX_INTEGER && value >= -MAX_INTEGER && !Object.is(value, -0)) {
        out.u8(TAG.integer);
        out.varint(value < 0 ? -value * 2 - 1 : value * 2);
      } else {
        out.u8(TAG.double);
        out.f64(value);
      }
      return;
    case 'boolean':
      out.u8(value ? TAG.true : TAG.false);
      return;
    case 'undefined':
      out.u8(TAG.undefined);
      return;
    case 'bigint':
      out.u8(TAG.bigint);
      out.utf8(value.toString());
      return;
    case 'object':
      if (value === null) {
        out.u8(TAG.null);
      } else if (value instanceof Uint8Array) {
        out.u8(TAG.bytes);
        out.raw(value);
      } else if (value instanceof Date) {
        out.u8(TAG.date);
        out.f64(value.getTime());
      } else {
        expectPlain(value, '', 0);
        out.u8(TAG.json);
        out.utf8(JSON.stringify(value));
      }
      return;
    default:
      throw noEncoding('structured', 'a value with an encoding', value);
  }
}

function readStructured(bytes: Buffer, start: number, end: number): unknown {
  const tag = start < end ? bytes[start] : undefined;
  const at = start + 1;
  switch (tag) {
    case TAG.string:
      return readUtf8(bytes, at, end);
    case TAG.integer:
      return readInteger(bytes, at, end);
    case TAG.double:
      expectBytes('structured', 8, end - at);
      return bytes.readDoubleLE(at);
    case TAG.json:
      // What was written is a number's own text: it comes back.
      return parseJson('structured', bytes, at, end, 'round');
    case TAG.bytes:
      return copyOf(bytes, at, end);
    case TAG.bigint: {
      const digits = bytes.toString('latin1', at, end);
      if (!/^-?\d+$/.test(digits)) throw new MalformedError('structured: no decimal digits behind the tag of a bigint');
      return BigInt(digits);
    }
    case TAG.date:
      expectBytes('structured', 8, end - at);
      return new Date(bytes.readDoubleLE(at));
    case TAG.undefined:
    case TAG.null:
    case TAG.false:
    case TAG.true:
      expectBytes('structured', 0, end - at);
      return tag === TAG.undefined ? undefined : tag === TAG.null ? null : tag === TAG.true;
    default:
      throw new MalformedError(tag === undefined ? 'structured: no bytes, not even a tag' : `structured: unknown tag ${tag}`);
  }
}

function readInteger(bytes: Buffer, start: number, end: number): number {
  let zigzag = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes.readUInt8(at);
    zigzag += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      if (at !== end - 1 || !Number.isSafeInteger(zigzag)) break;
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
  }
  throw new MalformedError('structured: no integer behind its tag');
}

/** Deeper than this, JSON.stringify itself would overflow the stack; a cycle gets here too. */
const MAX_DEPTH = 1000;

/** Throws unless JSON gives the value back as it is. */
function expectPlain(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw notPlain(path, String(value));
      return;
    case 'object': {
      if (value === null) return;
      if (depth > MAX_DEPTH) throw notPlain(path.slice(0, 100), `nested more than ${MAX_DEPTH} deep, or within itself`);
      if ('toJSON' in value) throw notPlain(path, 'an object with toJSON');
      if (Array.isArray(value)) {
        for (let index = 0; index < value.length; index++) expectPlain(value[index], `${path}[${index}]`, depth + 1);
        return;
      }
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) throw notPlain(path, `an instance of ${value.constructor.name}`);
      for (const [key, item] of Object.entries(value)) {
        if (item !== undefined) expectPlain(item, `${path}.${key}`, depth + 1);
      }
      return;
    }
    default:
      throw notPlain(path, typeof value);
  }
}

function notPlain(path: string, what: string): TypeError {
  return new TypeError(
    `structured: the value${path === '' ? '' : ` at ${path}`} is ${what}, which JSON does not give back; name a serde for it`,
  );
}

// --- JSON ---

function parseJson(
  serde: string,
  bytes: Buffer,
  start: number,
  end: number,
  largeIntegers: NonNullable<JsonOptions['largeIntegers']>,
): unknown {
  const text = readUtf8(bytes, start, end);
  try {
    if (largeIntegers === 'round' || !MAY_BE_LARGE.test(text)) return JSON.parse(text);
    return parseExactly(text, largeIntegers === 'bigint');
  } catch (error) {
    throw new MalformedError(`${serde}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Every whole number of fewer digits is exact. Digits within strings match too, and cost only time. */
const MAY_BE_LARGE = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * A whole number is exact when its own text is what the number it becomes is written as: so two that are read are never
 * one, and what `JSON.stringify` wrote can always be read.
 */
function parseExactly(text: string, bigints: boolean): unknown {
  const revive = (key: string, value: unknown, context: { readonly source?: string }): unknown => {
    const { source } = context;
    if (typeof value !== 'number' || source === undefined || !INTEGER.test(source)) return value;
    if (Number.isSafeInteger(value) || String(value) === source) return value;
    if (bigints) return BigInt(source);
    throw new RangeError(
      `the number ${source}${key === '' ? '' : ` of "${key}"`} would become ${value}: read it with json({ largeIntegers: 'bigint' }), or accept that with 'round'`,
    );
  };
  // The third parameter is not in TypeScript's declarations yet.
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** `JSON.stringify` with bigints as numbers. */
function stringifyBigInts(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? rawJson(item.toString()) : item));
}

/** Not in TypeScript's declarations yet either. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Objects of which JSON would write {} without a word. */
function isEmptyInJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Map || value instanceof Set || value instanceof ArrayBuffer || isPromise(value);
}

// --- shared ---

/** A promise where a value should be. */
export function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function expectBytes(serde: string, wanted: number, found: number): void {
  if (found !== wanted) throw new MalformedError(`${serde}: ${found} bytes where there must be ${wanted}`);
}

function noEncoding(serde: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`${serde}: expected ${wanted}, got ${nameOf(value)}`);
}
