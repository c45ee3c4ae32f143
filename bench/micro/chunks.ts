import { BATCH } from '../../lib/format/batch-layout.ts';
import { RecordBatchWriter } from '../../lib/format/record-batch-writer.ts';
import { utf8 } from '../../lib/format/serdes.ts';
import { batchesOf, stampBatch } from '../../lib/format/stamp-batches.ts';
import { zipfWords } from './words.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;
const BATCH_BYTES = 128 * 1024;
const LINES_A_MS = 100;

/** One fetch response of one partition. */
export interface Chunk {
  readonly records: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Fetch responses of one partition, enough for `words` words. */
export function drawChunks(words: number, chunkBytes: number = CHUNK_BYTES): Chunk[] {
  const text = zipfWords(7);
  const writer = new RecordBatchWriter({ maxBatchBytes: BATCH_BYTES });
  const chunks: Chunk[] = [];
  let lines = 0;
  while (text.words < words) {
    const from = lines;
    writer.reset();
    while (writer.bytes < chunkBytes && text.words < words) {
      writer.append(1_700_000_000_000 + Math.floor(lines / LINES_A_MS), undefined, undefined, text.line(), utf8);
      lines++;
    }
    const records = Buffer.from(writer.finish());
    let offset = from;
    for (const { start, end, records: count } of batchesOf(records)) {
      stampBatch(records, start, end, { producerId: -1n, producerEpoch: -1, baseSequence: -1 });
      records.writeBigInt64BE(BigInt(offset), start + BATCH.baseOffset);
      offset += count;
    }
    chunks.push({ records, from, to: lines });
  }
  return chunks;
}
