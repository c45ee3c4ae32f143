import { gzipSync, zstdCompressSync } from 'node:zlib';
import { snappyCompressor } from 'hysnappy';
import { compressBlock } from 'lz4js';
import { ATTRIBUTE, BATCH } from './batch-layout.ts';
import { batchesOf } from './stamp-batches.ts';

export type BatchCompression = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** By the codec's number in a batch's attributes. */
const CODECS = {
  gzip: { number: 1, compress: (bytes: Buffer) => gzipSync(bytes) },
  snappy: { number: 2, compress: snappyChunks },
  lz4: { number: 3, compress: lz4Frame },
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

function inParts(bytes: Buffer, most: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / most) }, (_, part) => bytes.subarray(part * most, (part + 1) * most));
}

// --- snappy: the chunks of snappy-java ("xerial"), which Kafka's Java client writes and all others read ---

/** The magic, the version, and the oldest version that reads it. */
const XERIAL_HEADER = Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1');
/** What snappy-java takes. */
const SNAPPY_CHUNK_BYTES = 32 * 1024;
let compressSnappy: ReturnType<typeof snappyCompressor> | undefined;

function snappyChunks(bytes: Buffer): Buffer {
  compressSnappy ??= snappyCompressor();
  const parts: Uint8Array[] = [XERIAL_HEADER];
  for (const part of inParts(bytes, SNAPPY_CHUNK_BYTES)) {
    const chunk = compressSnappy(part);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(chunk.length);
    parts.push(length, chunk);
  }
  return Buffer.concat(parts);
}

// --- lz4: one frame of independent blocks: Kafka's Java client reads no others ---

const LZ4_BLOCK_BYTES = 64 * 1024;
/** The magic; version 1, independent blocks and no checksums; blocks of 64 KiB; and the checksum of these flags. */
const LZ4_FRAME_HEADER = Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const LZ4_END = Buffer.alloc(4);
const LZ4_IS_PLAIN = 0x80000000;
/** By the hash of four bytes, where they were last. */
const lz4Places = new Uint32Array(1 << 16);
/** A block that does not get smaller is not taken: its rest may be cut off here. */
const lz4Block = new Uint8Array(LZ4_BLOCK_BYTES);

function lz4Frame(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [LZ4_FRAME_HEADER];
  for (const part of inParts(bytes, LZ4_BLOCK_BYTES)) {
    lz4Places.fill(0);
    const size = compressBlock(part, lz4Block, 0, part.length, lz4Places);
    const isPlain = size === 0 || size >= part.length;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(isPlain ? part.length + LZ4_IS_PLAIN : size);
    parts.push(length, isPlain ? part : Buffer.from(lz4Block.subarray(0, size)));
  }
  return Buffer.concat([...parts, LZ4_END]);
}
