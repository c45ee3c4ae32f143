/**
 * What compression costs and saves of a sink's output, in nanoseconds and bytes a record: `npx node bench/micro/compression.ts [name part]`.
 * Each figure is the best of many rounds; compare figures of one machine in one hour only.
 */
import { type BatchCompression, compressBatches } from '../../lib/format/compress.ts';
import { decompress } from '../../lib/format/decompress.ts';
import { RecordBatchWriter } from '../../lib/format/record-batch-writer.ts';
import type { Serde } from '../../lib/format/serde.ts';
import { json, utf8 } from '../../lib/format/serdes.ts';
import { batchesOf } from '../../lib/format/stamp-batches.ts';
import { measure } from './measure.ts';
import { zipfWords } from './words.ts';

const T = 1_700_000_000_000;
const COUNT = 20_000;
const ROUNDS = 100;
const CODECS: Readonly<Record<BatchCompression, number>> = { snappy: 2, lz4: 3, gzip: 1, zstd: 4 };

function batches<V>(serde: Serde<V>, valueAt: (index: number) => V): Buffer {
  const writer = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
  for (let index = 0; index < COUNT; index++) writer.append(T + (index >> 6), undefined, undefined, valueAt(index), serde);
  return Buffer.from(writer.finish());
}

const source = zipfWords(1);
const words: string[] = [];
while (words.length < COUNT) words.push(...source.line().split(' '));
const counts = new Map<string, number>();
const counted = words.map((word) => {
  const count = (counts.get(word) ?? 0) + 1;
  counts.set(word, count);
  return `${word}:::${count}`;
});
const order = (index: number) => ({
  id: `order-${(index * 2_654_435_761) >>> 0}`,
  user: words[index],
  cents: (index * 7919) % 100_000,
  at: new Date(T + index * 17).toISOString(),
  items: [{ sku: `sku-${index % 300}`, count: (index % 5) + 1 }],
});

const outputs = {
  'word count': batches(utf8, (index) => counted[index] as string),
  'JSON orders': batches(json(), order),
};

let sink = 0;
for (const [name, plain] of Object.entries(outputs)) {
  console.log(`${name}: ${(plain.length / COUNT).toFixed(1)} bytes a record, not compressed`);
  for (const [codec, number] of Object.entries(CODECS) as [BatchCompression, number][]) {
    const packed = compressBatches(plain, codec);
    console.log(`${name}: ${codec}: ${(packed.length / COUNT).toFixed(1)} bytes a record`);
    measure(
      `${name}: ${codec}: compress`,
      COUNT,
      plain.length,
      () => {
        sink += compressBatches(plain, codec).length;
      },
      ROUNDS,
    );
    const spans = batchesOf(packed);
    measure(
      `${name}: ${codec}: decompress`,
      COUNT,
      plain.length,
      () => {
        for (const { start, end } of spans) sink += decompress(number, packed.subarray(start + 61, end), 1 << 24).length;
      },
      ROUNDS,
    );
  }
}
if (sink === 0.5) console.log(sink);
