import { gzipSync } from 'node:zlib';
import { BATCH } from './batch-layout.ts';

const GZIP = 1;

/** A record batch with its records compressed, which every broker and client reads. The CRC is left to who stamps it. */
export function gzipBatch(batch: Buffer): Buffer {
  const packed = Buffer.concat([batch.subarray(0, BATCH.records), gzipSync(batch.subarray(BATCH.records))]);
  packed.writeInt32BE(packed.length - BATCH.lengthEnd, BATCH.length);
  packed.writeInt16BE(packed.readInt16BE(BATCH.attributes) | GZIP, BATCH.attributes);
  return packed;
}
