import { expect, test } from 'vitest';
import { RecordBatchWriter } from '../../../lib/format/record-batch-writer.ts';
import { utf8 } from '../../../lib/format/serdes.ts';
import { batchesOf, stampBatch, stampPlainBatch } from '../../../lib/format/stamp-batches.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { readAll } from './record-sets.ts';

function twoBatches(): Buffer {
  const writer = new RecordBatchWriter({ maxBatchBytes: 100 });
  for (const value of ['a'.repeat(10), 'b'.repeat(10), 'c'.repeat(10)]) writer.append(0, undefined, undefined, value, utf8);
  return Buffer.from(writer.finish());
}

test('batches are found with their bounds and their counts', () => {
  const bytes = twoBatches();
  expect(batchesOf(bytes)).toEqual([
    { start: 0, end: 95, records: 2 },
    { start: 95, end: 173, records: 1 },
  ]);
});

test('a stamp writes the producer and a CRC that readers accept', () => {
  const bytes = twoBatches().subarray(95);
  expect(() => readAll(bytes)).toThrow('CRC-32C');
  stampBatch(bytes, 0, bytes.length, { producerId: 2n ** 62n, producerEpoch: 32767, baseSequence: 5 });
  expect(bytes.readBigInt64BE(43)).toBe(2n ** 62n);
  expect(bytes.readInt16BE(51)).toBe(32767);
  expect(bytes.readInt32BE(53)).toBe(5);
  expect(readAll(bytes).read).toHaveLength(1);
});

test('a batch can be stamped again under another identity', () => {
  const once = twoBatches().subarray(0, 95);
  const twice = Buffer.from(once);
  stampBatch(twice, 0, 95, { producerId: 77n, producerEpoch: 3, baseSequence: 9 });
  for (const bytes of [once, twice]) stampBatch(bytes, 0, 95, { producerId: 1n, producerEpoch: 0, baseSequence: 0 });
  expect(twice.equals(once)).toBe(true);
});

test('a batch that is stamped as plain belongs to no transaction and no producer, and readers accept it', () => {
  const bytes = twoBatches().subarray(95);
  expect(bytes.readInt16BE(21) & 0x10).toBe(0x10);
  stampPlainBatch(bytes, 0, bytes.length);
  expect([bytes.readInt16BE(21), bytes.readBigInt64BE(43), bytes.readInt16BE(51), bytes.readInt32BE(53)]).toEqual([0, -1n, -1, -1]);
  expect(readAll(bytes).read).toHaveLength(1);
});

test('sequence numbers go on at 0 after 2^31 - 1', () => {
  const bytes = twoBatches().subarray(0, 95);
  const sequences = [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5, 2 ** 33 + 6].map((baseSequence) => {
    stampBatch(bytes, 0, 95, { producerId: 1n, producerEpoch: 0, baseSequence });
    return bytes.readInt32BE(53);
  });
  expect(sequences).toEqual([2147483647, 0, 5, 6]);
});

test('bytes that are no whole batches are refused with the place', () => {
  const bytes = twoBatches();
  for (let length = 1; length < bytes.length; length++) {
    if (length === 95) continue;
    expect(() => batchesOf(bytes.subarray(0, length))).toThrow(MalformedError);
  }
  bytes[95 + 16] = 1;
  expect(() => batchesOf(bytes)).toThrow('record batch at byte 95: magic 1 instead of 2');
});
