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
const lz4Block = Buffer.alloc(LZ4_BLOCK_BYTES);
/** By the format no match begins within the last 12 bytes of a block, and decoders refuse it. lz4js keeps away from the last 9 alone. */
const LZ4_KEPT_BYTES = 3;
/** In four bits: the rest of the number follows, byte by byte. */
const LZ4_MORE = 15;

function lz4Frame(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [LZ4_FRAME_HEADER];
  for (const part of inParts(bytes, LZ4_BLOCK_BYTES)) {
    lz4Places.fill(0);
    const size = compressBlock(part, lz4Block, 0, part.length - LZ4_KEPT_BYTES, lz4Places);
    const packed = size === 0 || size >= part.length - LZ4_KEPT_BYTES ? undefined : withKeptBytes(lz4Block.subarray(0, size), part);
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(packed === undefined ? part.length + LZ4_IS_PLAIN : packed.length);
    parts.push(length, packed ?? part);
  }
  return Buffer.concat([...parts, LZ4_END]);
}

/** The block with the bytes of `part` that were kept back, as literals of its last sequence, which has literals alone. */
function withKeptBytes(block: Buffer, part: Buffer): Buffer {
  let last = 0;
  let literals = 0;
  for (let at = 0; at < block.length; ) {
    last = at;
    const token = block.readUInt8(at);
    const run = lz4Number(block, at + 1, token >>> 4);
    literals = run.value;
    at = run.end + literals;
    // The distance of a match has two bytes, and its length may have more.
    if (at < block.length) at = lz4Number(block, at + 2, token & LZ4_MORE).end;
  }
  const count = literals + LZ4_KEPT_BYTES;
  const head =
    count < LZ4_MORE
      ? [count << 4]
      : [LZ4_MORE << 4, ...new Array(Math.floor((count - LZ4_MORE) / 255)).fill(255), (count - LZ4_MORE) % 255];
  return Buffer.concat([block.subarray(0, last), Buffer.from(head), part.subarray(part.length - count)]);
}

/** A number whose first four bits are these, and where it ends. */
function lz4Number(block: Buffer, at: number, first: number): { readonly value: number; readonly end: number } {
  if (first < LZ4_MORE) return { value: first, end: at };
  let value = first;
  for (let end = at; ; ) {
    const byte = block.readUInt8(end++);
    value += byte;
    if (byte < 255) return { value, end };
  }
}
