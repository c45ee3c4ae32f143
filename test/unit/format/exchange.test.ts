import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExchangeReader } from '../../../lib/format/exchange-reader.ts';
import { ExchangeWriter } from '../../../lib/format/exchange-writer.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { bytes, customSerde, float64, json, structured, utf8 } from '../../../lib/format/serdes.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';

interface Row {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
}

function writer(key: Serde<unknown>, targets = 3, value: Serde<unknown> = structured) {
  return new ExchangeWriter({ key, value, targets, targetOf: (hash) => (hash & 0x7fffffff) % targets });
}

function write(to: ExchangeWriter, rows: readonly Row[]): (Buffer | undefined)[] {
  to.begin();
  for (const { key, value, timestamp } of rows) to.append(key, value, timestamp);
  expect(to.rows).toBe(rows.length);
  return to.finish().map((parts) => (parts === undefined ? undefined : Buffer.concat(parts)));
}

function read(segment: Buffer | undefined, key: Serde<unknown>, value: Serde<unknown> = structured, reader = new ExchangeReader()): Row[] {
  if (segment === undefined) return [];
  reader.open(segment, 'test');
  const rows: Row[] = [];
  while (reader.next()) {
    const start = reader.keyStarts[reader.keyIndex] ?? 0;
    const end = reader.keyEnds[reader.keyIndex] ?? 0;
    expect(reader.hashes[reader.keyIndex]).toBe(murmur2(segment, start, end));
    const rowKey = key.read(segment, start, end);
    rows.push({
      key: rowKey,
      value: reader.valueIsKey ? rowKey : value.read(segment, reader.valueStart, reader.valueEnd),
      timestamp: reader.timestamp,
    });
  }
  expect(rows.length).toBe(reader.rows);
  return rows;
}

const keyText = fc.oneof(fc.constantFrom('a', 'b', 'c', ''), fc.string({ unit: 'grapheme' }));
const row = fc
  .record({
    key: keyText,
    other: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer(), fc.constant(null)),
    same: fc.boolean(),
    timestamp: fc.constantFrom(-1, 5, 6, 1_700_000_000_000),
  })
  .map(({ key, other, same, timestamp }): Row => ({ key, value: same ? key : other, timestamp }));

test('what is written comes back in order, by target, in every epoch of a warm writer', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 40 }), { minLength: 1, maxLength: 3 }), (epochs) => {
      const warm = writer(utf8);
      const reader = new ExchangeReader();
      for (const rows of epochs) {
        const segments = write(warm, rows);
        const target = (key: unknown) => (murmur2(Buffer.from(String(key)), 0, Buffer.byteLength(String(key))) & 0x7fffffff) % 3;
        for (const [index, segment] of segments.entries())
          expect(read(segment, utf8, structured, reader)).toEqual(rows.filter(({ key }) => target(key) === index));
      }
    }),
  );
});

test('a value that is its key costs one byte a row, and a key its bytes once', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({ key: `key-${index % 10}`, value: `key-${index % 10}`, timestamp: 1 }));
  const [segment] = write(writer(utf8, 1), rows);
  expect(segment?.length).toBe(24 + 10 * (1 + 5 + 4) + 1000 + (8 + 2));
});

test('timestamps cost as many runs as they change', () => {
  const [segment] = write(
    writer(utf8, 1),
    [1, 1, 2, 2, 2, 1].map((timestamp) => ({ key: '', value: '', timestamp })),
  );
  expect(segment?.readUInt32LE(16)).toBe(3);
});

test('object keys are one key when their bytes are equal, and number keys by value, -0 as 0', () => {
  const objects = [1, 2, 1].map((byte) => ({ key: Buffer.from([byte]), value: byte, timestamp: 1 }));
  const [segment] = write(writer(bytes, 1), objects);
  expect(segment?.readUInt32LE(0)).toBe(2);
  expect(read(segment, bytes)).toEqual(objects);

  const [numbers] = write(
    writer(float64, 1),
    [-0, 0, Number.NaN, Number.NaN, 0].map((key) => ({ key, value: 'v', timestamp: 1 })),
  );
  expect(numbers?.readUInt32LE(0)).toBe(2);
  expect(read(numbers, float64).map(({ key }) => key)).toEqual([0, 0, Number.NaN, Number.NaN, 0]);
});

test('NaN is one key, whatever its bits and in whatever process it was met first', () => {
  const nans = [Number.NaN, Number.POSITIVE_INFINITY - Number.POSITIVE_INFINITY];
  const segments = nans.map((key) => write(writer(float64, 1), [{ key, value: 'v', timestamp: 1 }])[0]);
  expect(segments[0]?.equals(segments[1] ?? Buffer.of())).toBe(true);
});

test('thousands of keys each have their own place in the dictionary', () => {
  const rows = Array.from({ length: 6000 }, (_, index) => ({ key: `key-${index % 3000}`, value: `key-${index % 3000}`, timestamp: 1 }));
  expect(read(write(writer(utf8, 1), rows)[0], utf8)).toEqual(rows);
});

test('thousands of object keys each are one key, however often their encodings outgrow the buffer', () => {
  const rows = Array.from({ length: 6000 }, (_, index) => ({ key: [index % 3000, 'day'], value: index, timestamp: 1 }));
  const [segment] = write(writer(json(), 1), rows);
  expect(segment?.readUInt32LE(0)).toBe(3000);
  expect(read(segment, json())).toEqual(rows);
});

test('an object key that outgrows the buffer is not taken for another one whose bytes were there before', () => {
  // Behind 4000 bytes of a buffer of 4096: the long key's first 96 bytes are those of the one that was looked up last.
  const [filling, short] = [Buffer.alloc(3904, 1), Buffer.alloc(96, 2)];
  const long = Buffer.alloc(200, 3);
  const rows = [filling, short, short, long].map((key, index) => ({ key, value: index, timestamp: 1 }));
  const sizes = read(write(writer(bytes, 1), rows)[0], bytes).map(({ key }) => (key as Buffer).length);
  expect(sizes).toEqual([3904, 96, 96, 200]);
});

test('a value is not taken for its key when the key serde does not give it back', () => {
  const lowerCase = customSerde<string>({ name: 'lower', serialize: (text) => Buffer.from(text.toLowerCase()), deserialize: String });
  const [segment] = write(writer(lowerCase, 1), [{ key: 'Hello', value: 'Hello', timestamp: 1 }]);
  expect(read(segment, lowerCase)).toEqual([{ key: 'hello', value: 'Hello', timestamp: 1 }]);
});

test('too many keys are forgotten between two epochs, and learnt again', () => {
  let asked = 0;
  const targetOf = () => {
    asked++;
    return 0;
  };
  const to = new ExchangeWriter({ key: utf8 as Serde<unknown>, value: utf8 as Serde<unknown>, targets: 1, targetOf, maxKnownKeys: 5 });
  const rowsOf = (keys: string) => [...keys].map((key) => ({ key, value: `${key}!`, timestamp: 1 }));
  for (const [keys, learnt] of [
    ['abcde', 5],
    ['aebf', 1],
    ['abcdef', 6],
    ['g', 1],
    ['abcg', 3],
  ] as const) {
    asked = 0;
    expect(read(write(to, rowsOf(keys))[0], utf8, utf8)).toEqual(rowsOf(keys));
    expect(asked).toBe(learnt);
  }
});

test('rows of an epoch that was not finished are gone', () => {
  const to = writer(utf8, 1, utf8);
  to.begin();
  to.append('lost', 'lost', 1);
  expect(() => to.append('k', 7, 1)).toThrow(TypeError);
  expect(read(write(to, [{ key: 'k', value: 'v', timestamp: 2 }])[0], utf8, utf8)).toEqual([{ key: 'k', value: 'v', timestamp: 2 }]);
  expect(read(write(to, [{ key: 'lost', value: 'v', timestamp: 2 }])[0], utf8, utf8)).toEqual([{ key: 'lost', value: 'v', timestamp: 2 }]);
});

test('a target without rows has no segment', () => {
  expect(write(writer(utf8, 3), [])).toEqual([undefined, undefined, undefined]);
});

function sample(): Buffer {
  const rows = Array.from({ length: 50 }, (_, index) => ({
    key: `k${index % 7}`,
    value: index % 3 === 0 ? `k${index % 7}` : 'v'.repeat(index * 4),
    timestamp: index >> 3,
  }));
  const [segment] = write(writer(utf8, 1, utf8), rows);
  if (segment === undefined) throw new Error('no segment');
  return segment;
}

test('a segment that is cut off anywhere is malformed', () => {
  const segment = sample();
  for (let length = 0; length < segment.length; length++) {
    expect(() => read(Buffer.from(segment.subarray(0, length)), utf8, utf8)).toThrow(MalformedError);
  }
});

test('garbage ends in a MalformedError or in rows, never in another error or an endless loop', () => {
  const segment = sample();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(segment.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const damaged = Buffer.from(segment);
      for (const [at, byte] of changes) damaged[at] = byte;
      const reader = new ExchangeReader();
      try {
        reader.open(damaged, 'test');
        while (reader.next()) {
          expect(
            reader.valueIsKey || (reader.valueStart >= 24 && reader.valueEnd <= damaged.length && reader.valueStart <= reader.valueEnd),
          ).toBe(true);
          expect(reader.keyIndex).toBeLessThan(reader.keys);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
        expect(String(error)).toContain('test: the exchange segment');
      }
    }),
    { numRuns: 2000 },
  );
});

test.each<[string, (segment: Buffer) => void, RegExp]>([
  ['fewer timestamps than rows', (segment) => segment.writeUInt32LE(segment.readUInt32LE(16) - 1, 16), /more rows than timestamps/],
  ['more timestamps than rows', (segment) => segment.writeUInt32LE(segment.readUInt32LE(8) - 1, 8), /bytes behind its last row/],
  ['fewer keys than the dictionary holds', (segment) => segment.writeUInt32LE(segment.readUInt32LE(0) - 1, 0), /bytes behind its last key/],
  ['a billion keys', (segment) => segment.writeUInt32LE(1e9, 0), /counts more keys/],
  ['a dictionary of 4 GiB', (segment) => segment.writeUInt32LE(0xffffffff, 4), /its header says/],
])('a segment whose header speaks of %s is malformed', (_, damage, message) => {
  const segment = sample();
  damage(segment);
  expect(() => read(segment, utf8, utf8)).toThrow(message);
});
