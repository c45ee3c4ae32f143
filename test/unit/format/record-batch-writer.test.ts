import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordBatchWriter, RecordTooLargeError } from '../../../lib/format/record-batch-writer.ts';
import type { RecordHeader } from '../../../lib/format/record-header.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { bytes, int64, utf8 } from '../../../lib/format/serdes.ts';
import { batchesOf, stampBatch } from '../../../lib/format/stamp-batches.ts';
import { fixtures, fromBase64 } from './kafka-fixtures.ts';
import { asLog, type PlainRecord, plainHeader, readAll } from './record-sets.ts';

const T = 1_700_000_000_000;

interface Input {
  readonly timestampMs: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly RecordHeader[];
}

const someBytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(62, 63, 64, 65, 127, 128, 8191, 8192, 9000).map((length) => new Uint8Array(length).fill(7)) },
);
const anyInput: fc.Arbitrary<Input> = fc.record({
  timestampMs: fc.oneof(fc.integer({ min: T - 1000, max: T + 1000 }), fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })),
  key: fc.option(someBytes, { nil: undefined }),
  value: fc.option(someBytes, { nil: undefined }),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 80, unit: 'binary' }), value: fc.option(someBytes, { nil: undefined }) }), {
    maxLength: 3,
    size: 'small',
  }),
});

function appendAll(writer: RecordBatchWriter, inputs: readonly Input[]): void {
  for (const { timestampMs, key, value, headers } of inputs) writer.append(timestampMs, key, bytes, value, bytes, headers);
}

function expected(inputs: readonly Input[]): PlainRecord[] {
  const text = (part: Uint8Array | undefined) => (part === undefined ? null : Buffer.from(part).toString('latin1'));
  return inputs.map(({ timestampMs, key, value, headers }, offset) => ({
    offset,
    timestamp: timestampMs,
    key: text(key),
    value: text(value),
    headers: headers.map(plainHeader),
  }));
}

test("a batch is byte for byte that of Kafka's Java client", () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
  for (const [, timestamp, key, value, headers] of fixtures.small.records) {
    const part = (base64: string | null) => (base64 === null ? undefined : fromBase64(base64));
    const pairs = headers.map(([headerKey, headerValue]) => ({ key: fromBase64(headerKey).toString(), value: part(headerValue) }));
    writer.append(timestamp, part(key), bytes, part(value), bytes, pairs);
  }
  const batch = writer.finish();
  stampBatch(batch, 0, batch.length, { producerId: 4_000_000_001n, producerEpoch: 3, baseSequence: 2147483647 });
  expect(batch.toString('base64')).toBe(fixtures.transactional.bytes);
});

test('what was appended is read back, in order, whatever the batches are cut into', () => {
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 60 }), fc.integer({ min: 40_000, max: 80_000 }), (inputs, maxBatchBytes) => {
      const writer = new RecordBatchWriter({ maxBatchBytes });
      appendAll(writer, inputs);
      expect(writer.records).toBe(inputs.length);
      expect(readAll(asLog(writer.finish())).read).toEqual(expected(inputs));
    }),
    { numRuns: 200 },
  );
});

test('no batch is larger than maxBatchBytes, and none could have held the next record', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 300 }), (sizes) => {
      const writer = new RecordBatchWriter({ maxBatchBytes: 600 });
      for (const size of sizes) writer.append(T, undefined, undefined, 'v'.repeat(size), utf8);
      const spans = batchesOf(writer.finish());
      expect(spans.reduce((sum, { records }) => sum + records, 0)).toBe(sizes.length);
      let next = 0;
      for (const { start, end, records } of spans) {
        expect(end - start).toBeLessThanOrEqual(600);
        next += records;
        const nextSize = sizes[next];
        if (nextSize !== undefined) expect(end - start + nextSize + 10).toBeGreaterThan(600);
      }
    }),
  );
});

test('a record that no batch can hold is refused with its size, the limit and the setting', () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  writer.append(T, undefined, undefined, 'before', utf8);
  const append = () => writer.append(T, undefined, undefined, 'x'.repeat(2000), utf8);
  expect(append).toThrow(RecordTooLargeError);
  expect(append).toThrow(/takes 2070 bytes .* limit is 1000: raise the sink topic's max\.message\.bytes/);
  writer.append(T, undefined, undefined, 'after', utf8);
  expect(readAll(asLog(writer.finish())).read.map(({ value }) => value)).toEqual(['before', 'after']);
});

test('a record of exactly the limit is written', () => {
  const probe = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
  probe.append(T, 'key', utf8, 'x'.repeat(500), utf8);
  const size = probe.finish().length;
  new RecordBatchWriter({ maxBatchBytes: size }).append(T, 'key', utf8, 'x'.repeat(500), utf8);
  expect(() => new RecordBatchWriter({ maxBatchBytes: size - 1 }).append(T, 'key', utf8, 'x'.repeat(500), utf8)).toThrow(
    RecordTooLargeError,
  );
});

test('two records share a batch when it is of exactly the limit, and not when it is one byte larger', () => {
  const write = (maxBatchBytes: number) => {
    const writer = new RecordBatchWriter({ maxBatchBytes });
    for (const value of ['x'.repeat(40), 'y'.repeat(50)]) writer.append(T, undefined, undefined, value, utf8);
    return writer.finish();
  };
  const size = write(1_000_000).length;
  expect(batchesOf(write(size))).toHaveLength(1);
  expect(batchesOf(write(size - 1))).toHaveLength(2);
});

test('the buffer grows in time, also for records without any content', () => {
  for (const maxBatchBytes of [100, 1_000_000]) {
    const writer = new RecordBatchWriter({ maxBatchBytes });
    for (let index = 0; index < 20_000; index++) writer.append(T, undefined, undefined, undefined, utf8);
    const { read } = readAll(asLog(writer.finish()));
    expect(read).toHaveLength(20_000);
    expect(read.every(({ key, value, headers }) => key === null && value === null && headers.length === 0)).toBe(true);
  }
});

test('a record whose serde throws leaves no trace', () => {
  const failing: Serde<string> = {
    name: 'failing',
    write: (value, out) => {
      out.utf8(value);
      throw new TypeError('no encoding');
    },
    read: utf8.read,
  };
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  expect(() => writer.append(T, 'k', failing, 'v', utf8)).toThrow('no encoding');
  expect(writer.finish().length).toBe(0);
  writer.append(T, 'k1', utf8, 'v1', utf8);
  expect(() => writer.append(T, 'k', utf8, 'v', failing)).toThrow('no encoding');
  writer.append(T, 'k2', utf8, 'v2', utf8);
  expect(writer.records).toBe(2);
  expect(readAll(asLog(writer.finish())).read.map(({ key }) => key)).toEqual(['k1', 'k2']);
});

test('headers say: transactional, CreateTime, not compressed, producer blank, the highest timestamp', () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  for (const timestamp of [T + 5, T + 9, T]) writer.append(timestamp, undefined, undefined, 1, int64);
  const batch = writer.finish();
  expect(batch.readInt32BE(8)).toBe(batch.length - 12);
  expect(batch.readInt8(16)).toBe(2);
  expect(batch.readInt16BE(21)).toBe(0x10);
  expect(batch.readInt32BE(23)).toBe(2);
  expect(batch.readBigInt64BE(27)).toBe(BigInt(T + 5));
  expect(batch.readBigInt64BE(35)).toBe(BigInt(T + 9));
  expect(batch.readBigInt64BE(43)).toBe(-1n);
  expect(batch.readInt16BE(51)).toBe(-1);
  expect(batch.readInt32BE(53)).toBe(-1);
  expect(batch.readInt32BE(57)).toBe(3);
});

test('timestamps too far apart for one batch are put into two', () => {
  const inputs = [0, Number.MAX_SAFE_INTEGER, -1].map((timestampMs) => ({ timestampMs, key: undefined, value: undefined, headers: [] }));
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  appendAll(writer, inputs);
  const log = asLog(writer.finish());
  expect(batchesOf(log).length).toBe(3);
  expect(readAll(log).read).toEqual(expected(inputs));
});

test('a writer is used again after reset, and goes on after finish', () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  writer.append(T, undefined, undefined, 'one', utf8);
  writer.finish();
  writer.append(T, undefined, undefined, 'two', utf8);
  expect(readAll(asLog(writer.finish())).read.map(({ value }) => value)).toEqual(['one', 'two']);
  writer.reset();
  expect([writer.records, writer.bytes, writer.finish().length]).toEqual([0, 0, 0]);
  writer.append(T, undefined, undefined, 'three', utf8);
  expect(readAll(asLog(writer.finish())).read.map(({ value }) => value)).toEqual(['three']);
});

test('timestamps that are no numbers of milliseconds are refused', () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  for (const timestamp of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64]) {
    expect(() => writer.append(timestamp, undefined, undefined, 'v', utf8)).toThrow(RangeError);
  }
});

test('a key without a serde for keys is refused', () => {
  expect(() => new RecordBatchWriter({ maxBatchBytes: 1000 }).append(T, 'k', undefined, 'v', utf8)).toThrow('no serde for keys');
});

test('every timestamp that was read from Kafka can be written, beside any other', () => {
  const odd = [-62_135_596_800_000, 2 ** 63, -(2 ** 63), 1_700_000_000_123_456_800, 2 ** 53, 2 ** 63 - 1024, -1, 0, T];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...odd), { minLength: 1, maxLength: 12 }), (timestamps) => {
      const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
      for (const timestamp of timestamps) writer.append(timestamp, undefined, undefined, 'v', utf8);
      expect(readAll(asLog(writer.finish())).read.map(({ timestamp }) => timestamp)).toEqual(timestamps);
      expect(writer.records).toBe(timestamps.length);
    }),
  );
});

test.each<[string, unknown]>([
  ['a string', 'abc'],
  ['an ArrayBuffer', new ArrayBuffer(3)],
  ['a list of numbers', [1, 2, 3]],
  ['null', null],
])('a header whose value is %s is refused with its key, and never written as something else', (_what, value) => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  const headers = [{ key: 'trace', value: value as never }];
  expect(() => writer.append(T, undefined, undefined, 'v', utf8, headers)).toThrow(/^header trace: expected a Uint8Array, got /);
  expect([writer.records, writer.finish().length]).toEqual([0, 0]);
});

test('a header whose key is no string is refused', () => {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1000 });
  expect(() => writer.append(T, undefined, undefined, 'v', utf8, [{ key: 5 as never, value: undefined }])).toThrow(TypeError);
});
