import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { bytes, customSerde, float64, int32, int64, json, structured, utf8 } from '../../../lib/format/serdes.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { fixtures, fromBase64 } from './kafka-fixtures.ts';

/** The encoding of a value, between other bytes so that a serde that looks beyond its own is caught. */
function surrounded<T>(serde: Serde<T>, value: T): { all: Buffer; start: number; end: number } {
  const out = new ByteWriter(1);
  out.raw(Buffer.from([0x31, 0xff]));
  const start = out.position;
  serde.write(value, out);
  const end = out.position;
  out.raw(Buffer.from([0x32, 0xff]));
  return { all: out.view(), start, end };
}

function encode<T>(serde: Serde<T>, value: T): Buffer {
  const { all, start, end } = surrounded(serde, value);
  return all.subarray(start, end);
}

function readWhole<T>(serde: Serde<T>, from: Buffer): T {
  return serde.read(from, 0, from.length);
}

function roundTrip<T>(serde: Serde<T>, value: T): T {
  const { all, start, end } = surrounded(serde, value);
  return serde.read(all, start, end);
}

function everyValueComesBack<T>(serde: Serde<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(roundTrip(serde, value)).toStrictEqual(value);
    }),
    { numRuns: 500 },
  );
}

/** JSON text has no -0. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const anyText = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ maxLength: 100, unit: 'binary' }), fc.string({ unit: 'grapheme' }));

test("int32, int64, float64 and utf8 are byte for byte those of Kafka's Java serializers", () => {
  for (const [value, base64] of fixtures.int32) {
    expect(encode(int32, value).toString('base64')).toBe(base64);
    expect(readWhole(int32, fromBase64(base64))).toBe(value);
  }
  for (const [value, base64] of fixtures.int64) {
    expect(encode(int64, value).toString('base64')).toBe(base64);
    expect(readWhole(int64, fromBase64(base64))).toBe(value);
  }
  for (const [value, base64] of fixtures.float64) {
    expect(encode(float64, value).toString('base64')).toBe(base64);
    expect(readWhole(float64, fromBase64(base64))).toBe(value);
  }
  for (const [value, base64] of fixtures.utf8) {
    expect(encode(utf8, value).toString('base64')).toBe(base64);
    expect(readWhole(utf8, fromBase64(base64))).toBe(value);
  }
});

test('every value comes back from its own serde', () => {
  everyValueComesBack(utf8, anyText);
  everyValueComesBack(int32, fc.integer());
  everyValueComesBack(int64, fc.maxSafeInteger());
  everyValueComesBack(float64, fc.double());
  everyValueComesBack(
    bytes,
    fc.uint8Array().map((array) => Buffer.from(array)),
  );
  everyValueComesBack(json<unknown>(), fc.jsonValue().map(withoutNegativeZero));
});

test('utf8: strings of every length come back, plain or not, at every place of the odd character', () => {
  for (let length = 0; length < 130; length++) {
    const plain = 'abcdefghij'.repeat(13).slice(0, length);
    expect(roundTrip(utf8, plain)).toBe(plain);
    for (const odd of ['é', '日', '🔑', '\u0080', '\ufffd', '\u0000']) {
      const at = (length * 7) % (length + 1);
      const text = plain.slice(0, at) + odd + plain.slice(at);
      expect(roundTrip(utf8, text)).toBe(text);
    }
  }
});

test('utf8: bytes that are no UTF-8 are an error, whatever the length around them', () => {
  const invalid = [[0x80], [0xff], [0xc3], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x94], [0xf4, 0x90, 0x80, 0x80]];
  for (const sequence of invalid) {
    for (const before of [0, 1, 5, 11, 12, 30, 31, 32, 33, 100]) {
      for (const after of [0, 1, 5, 40]) {
        const text = Buffer.concat([Buffer.alloc(before, 'a'), Buffer.from(sequence), Buffer.alloc(after, 'b')]);
        expect(() => readWhole(utf8, text)).toThrow(MalformedError);
      }
    }
  }
});

test('utf8: half a surrogate pair has no encoding', () => {
  expect(() => encode(utf8, 'a\ud800b')).toThrow(TypeError);
  expect(() => encode(utf8, `${'x'.repeat(100)}\udfff`)).toThrow('half a surrogate pair');
});

test('numbers that an integer serde cannot hold are refused, not rounded', () => {
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) expect(() => encode(int32, value)).toThrow(RangeError);
  for (const value of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => encode(int64, value)).toThrow(RangeError);
  for (const base64 of fixtures.int64Outside) expect(() => readWhole(int64, fromBase64(base64))).toThrow(/int64: -?9\d{15,18} is outside/);
});

test('values of another type are refused with what was expected and what came', () => {
  const anything = (value: unknown) => value as never;
  expect(() => encode(utf8, anything(5))).toThrow(new TypeError('utf8: expected a string, got number'));
  expect(() => encode(int32, anything('5'))).toThrow(new TypeError('int32: expected an integer, got string'));
  expect(() => encode(int64, anything(5n))).toThrow(new TypeError('int64: expected an integer, got bigint'));
  expect(() => encode(float64, anything(null))).toThrow(new TypeError('float64: expected a number, got null'));
  expect(() => encode(bytes, anything('text'))).toThrow(new TypeError('bytes: expected a Uint8Array, got string'));
  expect(() => encode(json<unknown>(), undefined)).toThrow(new TypeError('json: expected a value that JSON can express, got undefined'));
});

test('encodings of the wrong length are refused', () => {
  for (const length of [0, 3, 5, 8])
    expect(() => readWhole(int32, Buffer.alloc(length))).toThrow(`int32: ${length} bytes where there must be 4`);
  for (const length of [0, 4, 7, 9])
    expect(() => readWhole(int64, Buffer.alloc(length))).toThrow(`int64: ${length} bytes where there must be 8`);
  for (const length of [0, 4, 7, 9])
    expect(() => readWhole(float64, Buffer.alloc(length))).toThrow(`float64: ${length} bytes where there must be 8`);
});

test('text that is no JSON is refused', () => {
  expect(() => readWhole(json(), Buffer.from('{"a":'))).toThrow(MalformedError);
  expect(() => readWhole(json(), Buffer.from([0x22, 0xff, 0x22]))).toThrow(MalformedError);
});

test('bytes that were read may be kept: they are a copy', () => {
  const source = Buffer.from('abc');
  const copy = readWhole(bytes, source);
  const custom = readWhole(customSerde({ name: 'c', serialize: (value: Buffer) => value, deserialize: (value) => value }), source);
  source.fill(0);
  expect([Buffer.from(copy).toString(), custom.toString()]).toEqual(['abc', 'abc']);
});

test('structured: every value of the listed kinds comes back as it was', () => {
  everyValueComesBack(
    structured,
    fc.oneof(
      anyText,
      fc.double(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constantFrom<unknown>(
        null,
        undefined,
        -0,
        2 ** 52,
        -(2 ** 52),
        2 ** 52 - 1,
        1 - 2 ** 52,
        Number.MAX_SAFE_INTEGER,
        Number.MIN_SAFE_INTEGER,
      ),
      fc.bigInt(),
      fc.date({ noInvalidDate: false }),
      fc.uint8Array().map((array) => Buffer.from(array)),
      fc.jsonValue().map(withoutNegativeZero),
    ),
  );
});

test('structured: small integers and short words take few bytes', () => {
  expect([encode(structured, 1), encode(structured, -64), encode(structured, 'word')].map(({ length }) => length)).toEqual([2, 2, 5]);
});

test('structured: what JSON would change in silence is refused, with the path to it', () => {
  class Point {
    readonly x = 1;
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const cases: [unknown, string][] = [
    [{ a: [1, new Date(0)] }, 'at .a[1] is an object with toJSON'],
    [{ when: { ok: Number.NaN } }, 'at .when.ok is NaN'],
    [[undefined], 'at [0] is undefined'],
    [{ n: 5n }, 'at .n is bigint'],
    [{ f: () => 0 }, 'at .f is function'],
    [new Map([[1, 2]]), 'the value is an instance of Map'],
    [[new Set()], 'at [0] is an instance of Set'],
    [{ p: new Point() }, 'at .p is an instance of Point'],
    [{ b: Buffer.of(1) }, 'at .b is an object with toJSON'],
    [cycle, 'nested more than 1000 deep, or within itself'],
  ];
  for (const [value, message] of cases) {
    expect(() => encode(structured, value)).toThrow(TypeError);
    expect(() => encode(structured, value)).toThrow(message);
  }
  expect(() => encode(structured, Symbol('s'))).toThrow('structured: expected a value with an encoding, got symbol');
  expect(roundTrip(structured, { a: 1, gone: undefined })).toEqual({ a: 1 });
});

test('structured: any bytes are a value or a MalformedError', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), fc.uint8Array({ maxLength: 20 }), (tag, rest) => {
      const source = Buffer.from([tag, ...rest]);
      try {
        readWhole(structured, source);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }),
    { numRuns: 2000 },
  );
  expect(() => readWhole(structured, Buffer.alloc(0))).toThrow('not even a tag');
  expect(() => readWhole(structured, Buffer.of(99))).toThrow('unknown tag 99');
  expect(() => readWhole(structured, Buffer.of(3, 0))).toThrow('1 bytes where there must be 0');
  expect(() => readWhole(structured, Buffer.of(4, 2, 2))).toThrow('no integer behind its tag');
  expect(() => readWhole(structured, Buffer.from([8, ...Buffer.from('12x')]))).toThrow('no decimal digits');
});

test('a custom serde says its name when it cannot read', () => {
  const point = customSerde<{ x: number }>({
    name: 'point',
    serialize: ({ x }) => Buffer.from([x]),
    deserialize: (from) => {
      if (from.length !== 1) throw new Error(`${from.length} coordinates`);
      return { x: from.readUInt8(0) };
    },
  });
  expect(roundTrip(point, { x: 7 })).toEqual({ x: 7 });
  expect(() => readWhole(point, Buffer.alloc(3))).toThrow(new MalformedError('point: 3 coordinates'));
});

/** Numbers that are all NaN, with the bits that arithmetic, the literal, and a stranger give. */
function everyNaN(): number[] {
  const strange = new Float64Array(new BigUint64Array([0x7ff0_0000_0000_0001n, 0xffff_ffff_ffff_ffffn]).buffer);
  return [Number.NaN, Number.POSITIVE_INFINITY - Number.POSITIVE_INFINITY, ...strange];
}

test('NaN has one encoding, so that it is one key, also after a restart', () => {
  for (const serde of [float64, structured as Serde<number>]) {
    const encodings = everyNaN().map((nan) => encode(serde, nan).toString('hex'));
    expect(new Set(encodings).size).toBe(1);
  }
  expect(encode(float64, everyNaN()[1] ?? 0).toString('hex')).toBe('7ff8000000000000');
  expect(Object.is(roundTrip(float64, -0), -0)).toBe(true);
});

describe('json and whole numbers beyond 2^53', () => {
  const ids = '{"id":9007199254740993,"near":[9007199254740992,12345678901234567890]}';

  it('refuses one that would become another, so that two ids are never one key', () => {
    expect(() => readWhole(json(), Buffer.from(ids))).toThrow(
      new MalformedError(
        `json: the number 9007199254740993 of "id" would become 9007199254740992: read it with json({ largeIntegers: 'bigint' }), or accept that with 'round'`,
      ),
    );
    expect(() => readWhole(json(), Buffer.from('-9007199254740993'))).toThrow(MalformedError);
  });

  it('reads them as bigints where that is asked for, and writes them as numbers', () => {
    const exact = json<{ id: bigint; near: unknown[] }>({ largeIntegers: 'bigint' });
    const value = readWhole(exact, Buffer.from(ids));
    expect(value).toEqual({ id: 9007199254740993n, near: [9007199254740992, 12345678901234567890n] });
    expect(encode(exact, value).toString()).toBe(ids);
  });

  it('rounds them only where that is asked for', () => {
    expect(readWhole(json<{ id: number }>({ largeIntegers: 'round' }), Buffer.from(ids)).id).toBe(9007199254740992);
  });

  it('reads whatever it wrote, and no two texts as one number', () => {
    const text = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), text, text, (number, one, other) => {
        expect(roundTrip(json<number>(), number)).toBe(number === 0 ? 0 : number);
        const read = (source: string): unknown => {
          try {
            return readWhole(json(), Buffer.from(source));
          } catch {
            return source;
          }
        };
        if (one !== other) expect(read(one)).not.toBe(read(other));
      }),
    );
  });

  it('leaves digits alone that are no whole number', () => {
    const text = '{"card":"4111111111111111111","pi":3.14159265358979323846,"far":1e300,"gone":0.00000000000000000001}';
    expect(readWhole(json(), Buffer.from(text))).toEqual(JSON.parse(text));
  });
});

test.each<[string, unknown, string]>([
  ['a string', 'abc', 'string'],
  ['an ArrayBuffer', new ArrayBuffer(2), 'ArrayBuffer'],
  ['a promise', Promise.resolve(Buffer.of(1)), 'Promise'],
  ['a list of numbers', [1, 2], 'Array'],
  ['nothing', undefined, 'undefined'],
])('a custom serde whose serialize returns %s is refused with its name, and never written as something else', (_what, result, name) => {
  const custom = customSerde<number>({ name: 'mine', serialize: () => result as never, deserialize: () => 0 });
  expect(() => encode(custom, 1)).toThrow(new TypeError(`mine: expected a Uint8Array from serialize, got ${name}`));
});

test('a custom serde whose deserialize returns a promise is an error, not a value', () => {
  const custom = customSerde<unknown>({ name: 'mine', serialize: () => Buffer.of(), deserialize: () => Promise.resolve(1) });
  expect(() => readWhole(custom, Buffer.of(1))).toThrow(/^mine: deserialize returned a promise/);
});

test.each([new Map([[1, 2]]), new Set([1]), Promise.resolve(1), new ArrayBuffer(1)])('json: %s would become {} and is refused', (value) => {
  expect(() => encode(json<unknown>(), value)).toThrow(/^json: expected a value that JSON can express, got /);
});
