import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ATTRIBUTE, BATCH } from './batch-layout.ts';
import { batchesOf } from './stamp-batches.ts';

export type BatchCompression = 'gzip' | 'zstd';

/** By the codec's number in a batch's attributes. */
const CODECS = {
  gzip: { number: 1, compress: (bytes: Buffer) => gzipSync(bytes) },
  zstd: { number: 4, compress: (bytes: Buffer) => zstdCompressSync(bytes) },
} as const;

/** A record batch with its records compressed, which every broker and client of this codec reads. The CRC is left to who stamps it. */
export function compressBatch(batch: Buffer, by: BatchCompression): Buffer {
  const { number, compress } = CODECS[by];
  const packed = Buffer.concat([batch.subarray(0, BATCH.records), compress(batch.subarray(BATCH.records))]);
  packed.writeInt32BE(packed.length - BATCH.lengthEnd, BATCH.length);
  packed.writeInt16BE(packed.readInt16BE(BATCH.attributes) | number, BATCH.attributes);
  return packed;
}

/** Batches back to back, each compressed; one that is so already, or would not get smaller, stays as it is. */
export function compressBatches(batches: Buffer, by: BatchCompression): Buffer {
  const parts = batchesOf(batches).map(({ start, end }) => {
    const batch = batches.subarray(start, end);
    if ((batch.readInt16BE(BATCH.attributes) & ATTRIBUTE.compression) !== 0) return batch;
    const packed = compressBatch(batch, by);
    return packed.length < batch.length ? packed : batch;
  });
  return Buffer.concat(parts);
}
