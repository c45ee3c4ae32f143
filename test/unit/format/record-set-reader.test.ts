import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { RecordBatchWriter } from '../../../lib/format/record-batch-writer.ts';
import { RecordSetReader } from '../../../lib/format/record-set-reader.ts';
import { utf8 } from '../../../lib/format/serdes.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { type Codec, fixtures, fromBase64 } from './kafka-fixtures.ts';
import { asLog, describeT3, type PlainRecord, readAll, recrc } from './record-sets.ts';

const T = 1_700_000_000_000;
const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const CODEC_BITS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
const HEADER_BYTES = 61;

function latin1(base64: string | null): string | null {
  return base64 === null ? null : fromBase64(base64).toString('latin1');
}

function fixtureRecords(records: typeof fixtures.small.records): PlainRecord[] {
  return records.map(([offset, timestamp, key, value, headers]) => ({
    offset,
    timestamp,
    key: latin1(key),
    value: latin1(value),
    headers: headers.map(([headerKey, headerValue]) => [fromBase64(headerKey).toString(), latin1(headerValue)] as const),
  }));
}

const small = fixtureRecords(fixtures.small.records);

const LARGE_OFFSET = 4_000_000_000_000;
const large: PlainRecord[] = Array.from({ length: 600 }, (_, i) => ({
  offset: LARGE_OFFSET + i,
  timestamp: T + i,
  key: i % 3 === 0 ? null : `key-${i % 10}`,
  value:
    `The quick brown fox jumps over the lazy dog, time and again, round ${i % 50}` +
    '. The five boxing wizards jump quickly; pack my box with five dozen liquor jugs.'.repeat(5),
  headers: [],
}));

/** The batch with other bytes for its records, compressed or not. */
function withRecords(batch: Buffer, codec: Codec, records: Buffer): Buffer {
  const changed = Buffer.concat([batch.subarray(0, HEADER_BYTES), records]);
  changed.writeInt32BE(changed.length - 12, 8);
  changed.writeInt16BE((changed.readInt16BE(21) & ~7) | CODEC_BITS[codec], 21);
  return recrc(changed);
}

/** Batches of `perBatch` records each, values '0', '1', '2', … at offsets from `baseOffset`. */
function log(count: number, perBatch: number, baseOffset = 0): Buffer {
  const parts: Buffer[] = [];
  for (let first = 0; first < count; first += perBatch) {
    const writer = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
    for (let index = first; index < Math.min(count, first + perBatch); index++) writer.append(T, undefined, undefined, String(index), utf8);
    parts.push(Buffer.from(writer.finish()));
  }
  return asLog(Buffer.concat(parts), baseOffset);
}

for (const codec of CODECS) {
  test(`a batch of Kafka's Java client is read: ${codec}`, () => {
    expect(readAll(fromBase64(fixtures.small[codec]))).toEqual({ read: small, nextOffset: 50 });
  });
}

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`a large batch of Kafka's Java client is read, at offsets beyond 32 bits: ${codec}`, () => {
    expect(readAll(fromBase64(fixtures.large[codec]))).toEqual({ read: large, nextOffset: LARGE_OFFSET + 600 });
  });
}

test('snappy without the chunk framing of Java is read', () => {
  expect(readAll(withRecords(fromBase64(fixtures.large.gzip), 'snappy', fromBase64(fixtures.rawSnappy))).read).toEqual(large);
});

for (const [kind, frame] of Object.entries(fixtures.lz4Frames)) {
  test(`lz4 frames of other writers are read: ${kind}`, () => {
    expect(readAll(withRecords(fromBase64(fixtures.large.gzip), 'lz4', fromBase64(frame))).read).toEqual(large);
  });
}

test('where the topic says LogAppendTime, every record has the time of the append', () => {
  const { read } = readAll(fromBase64(fixtures.logAppendTime.bytes));
  expect(read.map(({ timestamp }) => timestamp)).toEqual(small.map(() => fixtures.logAppendTime.timestamp));
});

test('aborted transactions and control batches are left out, in whatever order the broker lists the aborted', () => {
  const { bytes, aborted, committed, nextOffset } = fixtures.transactions;
  const list = aborted.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset }));
  for (const order of [list, list.toReversed()]) {
    const result = readAll(fromBase64(bytes), { from: 100, aborted: order });
    expect(result.read.map(({ offset, value }) => [offset, value])).toEqual(committed);
    expect(result.nextOffset).toBe(nextOffset);
  }
});

test('what was aborted in one response is not remembered in the next', () => {
  const { bytes, aborted } = fixtures.transactions;
  const list = aborted.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset }));
  const reader = new RecordSetReader();
  // Ends before the marker of producer 1, so that its transaction is still open in the reader.
  readAll(fromBase64(bytes), { from: 100, to: 105, aborted: list }, reader);
  const { read } = readAll(fromBase64(bytes), { from: 100, aborted: [{ producerId: 2n, firstOffset: 108 }] }, reader);
  expect(read.map(({ value }) => value)).toEqual(['a1', 'a2', 'b1', 'b2', 'n1', 'c1']);
});

test('only an abort marker ends an aborted transaction', () => {
  const { bytes } = fixtures.transactions;
  // Producer 2 is said to have begun to abort at 102: the commit marker at 107 does not make d1 visible.
  const aborted = [{ producerId: 2n, firstOffset: 102 }];
  expect(readAll(fromBase64(bytes), { from: 100, aborted }).read.map(({ value }) => value)).toEqual(['a1', 'a2', 'n1', 'c1']);
});

test('a response that starts within an aborted transaction leaves out the rest of it', () => {
  const whole = fromBase64(fixtures.transactions.bytes);
  const second = 12 + whole.readInt32BE(8);
  const aborted = [
    { producerId: 1n, firstOffset: 50 },
    { producerId: 2n, firstOffset: 108 },
  ];
  expect(readAll(whole, { from: 101, aborted }).read.map(({ value }) => value)).toEqual(['b1', 'b2', 'n1', 'c1']);
  expect(readAll(whole.subarray(second), { from: 102, aborted }).read.map(({ value }) => value)).toEqual(['b1', 'b2', 'n1', 'c1']);
});

test('compacted batches are read, empty ones too, and the offset goes on behind what was removed', () => {
  const result = readAll(fromBase64(fixtures.compacted.bytes), { from: 200 });
  expect(result.read).toEqual(fixtureRecords(fixtures.compacted.records));
  expect(result.nextOffset).toBe(209);
});

test('a range gives the records from its first offset to before its last, wherever batches begin', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.nat(45), fc.nat(45), (count, perBatch, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const { read, nextOffset } = readAll(log(count, perBatch), { from, to });
      const wanted = Array.from({ length: count }, (_, index) => index).filter((index) => index >= from && index < to);
      expect(read.map(({ offset, value }) => [offset, value])).toEqual(wanted.map((index) => [index, String(index)]));
      expect(nextOffset).toBe(Math.max(from, Math.min(to, count)));
    }),
    { numRuns: 300 },
  );
});

test('nextOffset follows the records one by one', () => {
  const reader = new RecordSetReader();
  reader.open(log(3, 2), { from: 1, to: 10, aborted: [], describe: describeT3 });
  const seen = [reader.nextOffset];
  while (reader.next()) seen.push(reader.nextOffset);
  expect(seen).toEqual([1, 2, 3]);
  expect([reader.next(), reader.nextOffset]).toEqual([false, 3]);
});

test('a range whose end was compacted away is done at the next batch', () => {
  const set = Buffer.concat([log(2, 2, 10), log(2, 2, 50)]);
  expect(readAll(set, { from: 10, to: 40 })).toMatchObject({ nextOffset: 40, read: [{ offset: 10 }, { offset: 11 }] });
});

test('what is behind the range is not looked at', () => {
  const behind = log(2, 2, 12);
  behind[70] = 0xff;
  expect(readAll(Buffer.concat([log(2, 2, 10), behind]), { from: 10, to: 12 })).toMatchObject({ nextOffset: 12, read: [{}, {}] });
});

test('a range that ends within a batch, or in a batch of markers, is done', () => {
  const { bytes } = fixtures.transactions;
  expect(readAll(fromBase64(bytes), { from: 103, to: 104 })).toMatchObject({ nextOffset: 104, read: [{ offset: 103 }] });
  expect(readAll(fromBase64(bytes), { from: 107, to: 108 })).toEqual({ nextOffset: 108, read: [] });
});

test('the last batch is left out when it is cut off, and read by the next fetch', () => {
  const set = log(6, 3, 20);
  const secondStart = 12 + set.readInt32BE(8);
  for (let length = 0; length < set.length; length++) {
    const { read, nextOffset } = readAll(set.subarray(0, length), { from: 20 });
    const whole = length < secondStart ? 0 : 3;
    expect(read).toHaveLength(whole);
    expect(nextOffset).toBe(20 + whole);
  }
});

test('one flipped bit in what the CRC covers is found, in every batch that is read', () => {
  const set = Buffer.concat([log(3, 3), log(3, 3, 3)]);
  const second = set.length / 2;
  for (let bit = (second + 17) * 8; bit < set.length * 8; bit++) {
    const damaged = Buffer.from(set);
    damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => readAll(damaged)).toThrow(/^topic t, partition 3: CRC-32C [0-9a-f]{8} instead of [0-9a-f]{8}.*batch at offset 3\b/);
  }
});

test('a batch below the range is verified before its offsets are believed', () => {
  const set = log(3, 3);
  set.writeInt32BE(0, 23); // says that its last offset is 0
  expect(() => readAll(set, { from: 1 })).toThrow('CRC-32C');
});

test('garbage with a right CRC is an error or a record, but nothing outside of the batch is touched', () => {
  const reader = new RecordSetReader();
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.integer({ min: -1, max: 9 }),
      fc.integer({ min: 0, max: 7 }),
      (garbage, count, codec) => {
        const batch = Buffer.concat([log(1, 1).subarray(0, HEADER_BYTES), garbage]);
        batch.writeInt32BE(batch.length - 12, 8);
        batch.writeInt16BE(codec, 21);
        batch.writeInt32BE(9, 23);
        batch.writeInt32BE(count, 57);
        const set = Buffer.concat([recrc(batch), log(5, 5, 10)]);
        try {
          readAll(set, {}, reader);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('records that contradict their batch are refused', () => {
  const change = (edit: (batch: Buffer) => void) => () => {
    const batch = log(3, 3);
    edit(batch);
    return readAll(recrc(batch));
  };
  const first = HEADER_BYTES;
  expect(change((batch) => batch.writeInt32BE(2, 57))).toThrow('8 bytes behind the last record of a batch');
  expect(change((batch) => batch.writeInt32BE(4, 57))).toThrow('a number that does not end');
  expect(change((batch) => (batch[first] = 120))).toThrow('a record of 60 bytes that ends outside its batch');
  expect(change((batch) => batch.writeInt32BE(1, 23))).toThrow('offset delta 2 after 1 in a batch whose last is 1');
  expect(change((batch) => (batch[first + 8 + 3] = 0))).toThrow('offset delta 0 after 0');
  expect(change((batch) => (batch[first + 4] = 3))).toThrow('a key of -2 bytes');
  expect(change((batch) => (batch[first + 4] = 60))).toThrow('a key of 30 bytes that ends outside its record');
  expect(change((batch) => (batch[first + 5] = 60))).toThrow('a value that ends outside its record');
  expect(change((batch) => (batch[first + 5] = 3))).toThrow('a value of -2 bytes');
  expect(change((batch) => (batch[first + 7] = 1))).toThrow('a record with -1 headers');
  expect(change((batch) => batch.writeInt32BE(-1, 23))).toThrow('last offset delta -1');
});

test('batches out of order are refused', () => {
  expect(() => readAll(Buffer.concat([log(3, 3, 10), log(3, 3, 12)]))).toThrow('behind a batch that ended at 12');
});

test('an offset beyond 2^53 is refused instead of rounded', () => {
  const offset = log(1, 1);
  offset.writeBigInt64BE(2n ** 53n, 0);
  expect(() => readAll(offset)).toThrow('beyond 2^53');
});

describe('a timestamp that Kafka holds', () => {
  const LONG_MIN = -(2n ** 63n);
  const LONG_MAX = 2n ** 63n - 1n;

  /** Records with these timestamps as a Java producer writes them: differences wrap around. */
  function batchOf(...timestamps: readonly bigint[]): Buffer {
    const batch = log(timestamps.length, timestamps.length);
    const records = timestamps.map((timestamp, index) => {
      const delta = BigInt.asIntN(64, timestamp - (timestamps[0] ?? 0n));
      const body = Buffer.concat([Buffer.of(0), varint(delta), Buffer.of(index * 2, 1, 2, 0x30 + index, 0)]);
      return Buffer.concat([varint(BigInt(body.length)), body]);
    });
    const changed = Buffer.concat([batch.subarray(0, HEADER_BYTES), ...records]);
    changed.writeInt32BE(changed.length - 12, 8);
    changed.writeBigInt64BE(timestamps[0] ?? 0n, 27);
    changed.writeBigInt64BE(
      timestamps.reduce((most, each) => (each > most ? each : most), LONG_MIN),
      35,
    );
    return recrc(changed);
  }

  function varint(value: bigint): Buffer {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    return Buffer.from([...bytes, Number(rest)]);
  }

  function timestampsIn(batch: Buffer): [number, bigint][] {
    const reader = new RecordSetReader();
    reader.open(batch, { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [], describe: describeT3 });
    const found: [number, bigint][] = [];
    while (reader.next()) found.push([reader.timestamp, reader.exactTimestamp()]);
    return found;
  }

  it.each([
    ["Go's zero time", [-62_135_596_800_000n, BigInt(T)]],
    ['nanoseconds', [1_700_000_000_123_456_789n, 1_700_000_000_123_456_790n]],
    ['Long.MAX', [LONG_MAX, 5n, LONG_MAX]],
    ['Long.MIN', [LONG_MIN, -1n, LONG_MAX]],
    ['between', [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 0n]],
  ])('is read, exactly and as the nearest number: %s', (_what, timestamps) => {
    expect(timestampsIn(batchOf(...timestamps))).toEqual(timestamps.map((timestamp) => [Number(timestamp), timestamp]));
  });

  it('any is read, as the time of a record and as the time of its append', () => {
    const long = fc.oneof(
      fc.bigInt({ min: LONG_MIN, max: LONG_MAX }),
      fc.bigInt({ min: -5n, max: 5n }),
      fc.constantFrom(LONG_MIN, LONG_MAX),
    );
    fc.assert(
      fc.property(fc.array(long, { minLength: 1, maxLength: 5 }), (timestamps) => {
        const batch = batchOf(...timestamps);
        expect(timestampsIn(batch).map(([, exact]) => exact)).toEqual(timestamps);
        batch.writeInt16BE(0x08, 21);
        const appended = batch.readBigInt64BE(35);
        expect(new Set(timestampsIn(recrc(batch)).map(([, exact]) => exact))).toEqual(new Set([appended]));
      }),
    );
  });
});

test('a batch of several zstd frames is read to its end, one that holds nothing among them, and the bound is that of all', () => {
  const plain = log(200, 200);
  const records = plain.subarray(HEADER_BYTES);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const frames = [records.subarray(0, 7), records.subarray(7, 500), records.subarray(500)].map((part) => zstdCompressSync(part));
  const [first, ...rest] = frames as [Buffer, ...Buffer[]];
  const batch = withRecords(plain, 'zstd', Buffer.concat([first, skippable, ...rest]));
  expect(readAll(batch).read).toEqual(readAll(plain).read);
  expect(() => readAll(batch, { maxUnpackedBytes: records.length - 1 })).toThrow(`unpacks to more than ${records.length - 1} bytes`);
  expect(readAll(batch, { maxUnpackedBytes: records.length }).read).toHaveLength(200);
  const cut = Buffer.concat(frames).subarray(0, -3);
  expect(() => readAll(withRecords(plain, 'zstd', cut))).toThrow('no valid zstd');
});

test('old message formats are named, and bytes that are no batch are refused', () => {
  expect(() => readAll(fromBase64(fixtures.magic0))).toThrow(/topic t, partition 3: message format v0.*offset 40/);
  expect(() => readAll(fromBase64(fixtures.magic1))).toThrow(/topic t, partition 3: message format v1.*offset 40/);
  expect(() => readAll(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).toThrow(MalformedError);
  const short = log(1, 1);
  short.writeInt32BE(10, 8);
  expect(() => readAll(short)).toThrow('a batch length of 10 bytes');
});

test('a batch that unpacks to more than allowed is refused, with every codec', () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const set = fromBase64(fixtures.large[codec]);
    expect(() => readAll(set, { maxUnpackedBytes: 100_000 })).toThrow(
      `topic t, partition 3: a ${codec} batch that unpacks to more than 100000 bytes (ONCEFLOW_MAX_UNPACKED_BATCH_BYTES) (batch at offset ${LARGE_OFFSET}, byte 0 of the response)`,
    );
    expect(readAll(set, { maxUnpackedBytes: 400_000 }).read).toHaveLength(600);
  }
});

test('a hostile batch that would unpack to gigabytes costs no more than the bound', () => {
  const zstd = zstdCompressSync(Buffer.alloc(80 * 1024 * 1024));
  expect(zstd.length).toBeLessThan(20_000);
  expect(() => readAll(withRecords(log(1, 1), 'zstd', zstd))).toThrow('more than 67108864 bytes');
  const snappyLength = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
  expect(() => readAll(withRecords(log(1, 1), 'snappy', snappyLength))).toThrow('more than 67108864 bytes');
});

test('compressed records that are cut off or damaged are refused, with every codec', () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const batch = fromBase64(fixtures.large[codec]);
    const records = batch.subarray(HEADER_BYTES);
    for (const length of [0, 1, 7, 20, 500, records.length - 5]) {
      expect(() => readAll(withRecords(batch, codec, records.subarray(0, length)))).toThrow(/^topic t, partition 3: .*offset 4000000000/);
    }
  }
});

test('damaged compressed records with a right CRC are a MalformedError or other records, never anything else', () => {
  const reader = new RecordSetReader();
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom('gzip', 'snappy', 'lz4', 'zstd'), edits, (codec, changes) => {
      const batch = fromBase64(fixtures.small[codec]);
      for (const [at, byte] of changes) batch[HEADER_BYTES + (at % (batch.length - HEADER_BYTES))] = byte;
      try {
        readAll(recrc(batch), { maxUnpackedBytes: 1_000_000 }, reader);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }),
    { numRuns: 1500 },
  );
  expect(readAll(fromBase64(fixtures.small.snappy), {}, reader).read).toEqual(small);
});

test('an unknown codec is named', () => {
  const batch = log(1, 1);
  batch.writeInt16BE(5, 21);
  expect(() => readAll(recrc(batch))).toThrow('compression codec 5');
});
