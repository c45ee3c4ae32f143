/**
 * Nanoseconds a record and megabytes a second of the byte formats: `npx node bench/micro/codec.ts [name part]`.
 * Each figure is the best of many rounds, which are short so that some are not interrupted on a busy machine; compare
 * figures of one machine in one hour only.
 */
import { crc32 } from 'node:zlib';
import { openBlob, sealBlob } from '../../lib/format/blob.ts';
import { ByteWriter } from '../../lib/format/byte-writer.ts';
import { crc32c } from '../../lib/format/crc32c.ts';
import { murmur2 } from '../../lib/format/murmur2.ts';
import { RecordBatchWriter } from '../../lib/format/record-batch-writer.ts';
import { RecordSetReader } from '../../lib/format/record-set-reader.ts';
import type { Serde } from '../../lib/format/serde.ts';
import { int64, structured, utf8 } from '../../lib/format/serdes.ts';
import { batchesOf, stampBatch } from '../../lib/format/stamp-batches.ts';
import { measure } from './measure.ts';

const T = 1_700_000_000_000;

const COUNT = 20_000;
const words = Array.from({ length: 1000 }, (_, index) =>
  `word${index}:::${String(index * 7).padStart(4, '0')}`.slice(0, 12).padEnd(12, 'x'),
);

const writer = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
function fill(key: boolean, serde: Serde<string>, values: readonly string[]): Buffer {
  writer.reset();
  appendAll(key, serde, values);
  return writer.finish();
}

/** Nothing behind the loop: code there, not yet seen to run, would have V8 drop the loop's machine code every time. */
function appendAll(key: boolean, serde: Serde<string>, values: readonly string[]): void {
  for (let index = 0; index < COUNT; index++) {
    const value = values[index % values.length];
    writer.append(T + (index >> 6), key ? value : undefined, serde, value, serde);
  }
}

const plain = Buffer.from(fill(false, utf8, words));
measure('append: 12-byte ASCII value, no key', COUNT, plain.length, () => fill(false, utf8, words));
measure('append: 12-byte ASCII value and key', COUNT, 0, () => fill(true, utf8, words));
const longer = words.map((word) => word.repeat(8));
measure('append: 96-byte ASCII value, no key', COUNT, 0, () => fill(false, utf8, longer));
const beyond = words.map((word) => Buffer.from(`${word}é`).toString());
measure('append: 13-character value, one beyond ASCII', COUNT, 0, () => fill(false, utf8, beyond));

measure('stamp (per record of a 12-byte value)', COUNT, plain.length, () => {
  for (const { start, end } of batchesOf(plain)) stampBatch(plain, start, end, { producerId: 1n, producerEpoch: 0, baseSequence: 0 });
});

function asLog(batches: Buffer): Buffer {
  let offset = 0;
  for (const { start, end, records } of batchesOf(batches)) {
    stampBatch(batches, start, end, { producerId: 1n, producerEpoch: 0, baseSequence: offset });
    batches.writeBigInt64BE(BigInt(offset), start);
    offset += records;
  }
  return batches;
}

const fifty = words.map((word) => word.repeat(5).slice(0, 50));
const reader = new RecordSetReader();
const options = { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [], describe: () => 'bench' };
let sink = 0;
for (const [name, values] of [
  ['12', words],
  ['50', fifty],
  ['500', words.map((word) => word.repeat(42).slice(0, 500))],
] as const) {
  const set = asLog(Buffer.from(fill(false, utf8, values)));
  measure(`read: ${name}-byte value, bounds only`, COUNT, set.length, () => {
    reader.open(set, options);
    while (reader.next()) sink += reader.valueEnd - reader.valueStart;
  });
  measure(`read: ${name}-byte value, as a string`, COUNT, set.length, () => {
    reader.open(set, options);
    while (reader.next()) sink += utf8.read(reader.bytes, reader.valueStart, reader.valueEnd).length;
  });
}

const megabyte = Buffer.from(plain.subarray(0, 1 << 20));
measure('crc32c: 1 MiB', 1, megabyte.length, () => {
  sink += crc32c(megabyte, 0, megabyte.length);
});
measure('zlib.crc32: 1 MiB (blob envelope)', 1, megabyte.length, () => {
  sink += crc32(megabyte);
});
for (const size of [32, 128, 512, 4096]) {
  measure(`crc32c: ${size} bytes`, 2_000, 2_000 * size, () => {
    for (let index = 0; index < 2_000; index++) sink += crc32c(megabyte, index & 1023, (index & 1023) + size);
  });
}
measure('seal a blob of 1 MiB', 1, megabyte.length, () => {
  sink += sealBlob('output', [megabyte]).length;
});
const blob = Buffer.concat(sealBlob('output', [megabyte]));
measure('open a blob of 1 MiB', 1, megabyte.length, () => {
  sink += openBlob('output', blob, 'bench').length;
});
measure('murmur2: 12 bytes', COUNT, 0, () => {
  for (let index = 0; index < COUNT; index++) sink += murmur2(megabyte, index, index + 12);
});

const out = new ByteWriter(1 << 20);
function serde<T>(name: string, of: Serde<T>, values: readonly T[]): void {
  const ends: number[] = [0];
  out.reset();
  for (const value of values) {
    of.write(value, out);
    ends.push(out.position);
  }
  const encoded = Buffer.from(out.view());
  const times = Math.round(COUNT / values.length);
  measure(`${name}: write`, times * values.length, 0, () => {
    for (let round = 0; round < times; round++) {
      out.reset();
      for (const value of values) of.write(value, out);
    }
  });
  measure(`${name}: read`, times * values.length, 0, () => {
    for (let round = 0; round < times; round++) {
      for (let index = 0; index < values.length; index++)
        if (of.read(encoded, ends[index] ?? 0, ends[index + 1] ?? 0) === undefined) sink++;
    }
  });
}
for (const length of [4, 8, 12, 16, 24, 32, 48, 64, 100])
  serde(
    `utf8 ASCII ${length}`,
    utf8,
    words.map((word) => word.repeat(9).slice(0, length)),
  );
serde(
  'utf8 12, one beyond ASCII',
  utf8,
  words.map((word) => `${word.slice(1)}é`),
);
serde(
  'int64',
  int64,
  words.map((_, index) => index * 1_000_003),
);
serde('structured string 12', structured, words);
serde(
  'structured integer',
  structured,
  words.map((_, index) => index * 1003),
);
serde(
  'structured object',
  structured,
  words.map((word, count) => ({ word, count })),
);
if (sink === 0.5) console.log(sink);
