import { gunzipSync, type ZstdOptions, zstdDecompressSync } from 'node:zlib';
import { snappyUncompressor } from 'hysnappy';
import { decompressBlock } from 'lz4js';
import { MalformedError } from '../protocol/malformed.ts';

/**
 * Unpacks the records of a compressed batch. `codec` is the batch's: 1 gzip, 2 snappy, 3 lz4, 4 zstd. Throws
 * `MalformedError`, also when there are more than `maxBytes`, which is found before they take memory.
 */
export function decompress(codec: number, bytes: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case 1:
      return unpack('gzip', maxBytes, () => gunzipSync(bytes, { maxOutputLength: maxBytes }));
    case 2:
      return unpack('snappy', maxBytes, () => snappy(bytes, maxBytes));
    case 3:
      return unpack('lz4', maxBytes, () => lz4Frames(bytes, maxBytes));
    case 4:
      return unpack('zstd', maxBytes, () => zstdFrames(bytes, maxBytes));
    default:
      throw new MalformedError(`compression codec ${codec}, which Kafka does not define`);
  }
}

function unpack(codec: string, maxBytes: number, run: () => Buffer): Buffer {
  try {
    return run();
  } catch (error) {
    if (error instanceof MalformedError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(codec, maxBytes);
    throw new MalformedError(`a batch that is no valid ${codec}: ${error instanceof Error ? error.message : error}`);
  }
}

function tooLarge(codec: string, maxBytes: number): MalformedError {
  return new MalformedError(`a ${codec} batch that unpacks to more than ${maxBytes} bytes (ONCEFLOW_MAX_UNPACKED_BATCH_BYTES)`);
}

// --- zstd: one frame, or several, one behind the other ---

/** Node reads one frame, and says how far it came. */
function zstdFrames(bytes: Buffer, maxBytes: number): Buffer {
  const frames: Buffer[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length || at === 0; ) {
    // `info` is not in the declarations of these functions yet.
    const options: ZstdOptions & { readonly info: true } = { maxOutputLength: Math.max(maxBytes - total, 1), info: true };
    const { buffer, engine } = zstdDecompressSync(bytes.subarray(at), options) as unknown as FrameInfo;
    if (engine.bytesWritten === 0) throw new MalformedError('a batch that is no valid zstd: a frame without bytes');
    at += engine.bytesWritten;
    total += buffer.length;
    if (total > maxBytes) throw tooLarge('zstd', maxBytes);
    frames.push(buffer);
  }
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames, total);
}

interface FrameInfo {
  readonly buffer: Buffer;
  /** `bytesWritten`: into the engine. */
  readonly engine: { readonly bytesWritten: number };
}

// --- snappy: raw, or in the chunks of snappy-java ("xerial"), which is what Kafka's Java client writes ---

const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
/** The magic, a version and the oldest compatible version; chunks, each behind its length, follow. */
const XERIAL_HEADER_BYTES = 16;
const uncompressSnappy = snappyUncompressor();

function snappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyBlock(bytes, maxBytes);
  const chunks: Buffer[] = [];
  let total = 0;
  let at = XERIAL_HEADER_BYTES;
  while (at < bytes.length) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > bytes.length) throw new MalformedError(`a snappy chunk of ${length} bytes that is cut off`);
    const chunk = snappyBlock(bytes.subarray(at, at + length), maxBytes);
    total += chunk.length;
    if (total > maxBytes) throw tooLarge('snappy', maxBytes);
    chunks.push(chunk);
    at += length;
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, total);
}

function snappyBlock(bytes: Buffer, maxBytes: number): Buffer {
  let length = 0;
  let scale = 1;
  for (let at = 0; ; at++) {
    const byte = bytes[at];
    if (byte === undefined || at === 5) throw new MalformedError('a snappy block without a length');
    length += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) break;
  }
  if (length > maxBytes) throw tooLarge('snappy', maxBytes);
  const plain = uncompressSnappy(bytes, length);
  return Buffer.from(plain.buffer, plain.byteOffset, plain.length);
}

// --- lz4: frames, as lz4-java and liblz4 write them ---

const LZ4_MAGIC = 0x184d2204;
/** By the block size code in the frame's descriptor. */
const LZ4_MAX_BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };

/**
 * The frame format around lz4 blocks. Checksums in it are passed over: the batch's CRC-32C has covered them. Blocks go
 * behind one another into one buffer, so it does not matter whether they refer to the ones before.
 */
function lz4Frames(bytes: Buffer, maxBytes: number): Buffer {
  let plain = Buffer.allocUnsafe(Math.min(maxBytes, bytes.length * 4));
  let end = 0;
  let at = 0;
  while (at < bytes.length) {
    if (bytes.readUInt32LE(at) !== LZ4_MAGIC) throw new MalformedError('a batch that is no valid lz4: no frame magic');
    const flags = bytes.readUInt8(at + 4);
    const maxBlockBytes = LZ4_MAX_BLOCK_BYTES[(bytes.readUInt8(at + 5) >>> 4) & 7];
    if (flags >>> 6 !== 1 || (flags & 1) !== 0 || maxBlockBytes === undefined) {
      throw new MalformedError(`a batch that is no valid lz4: unknown frame flags 0x${flags.toString(16)}`);
    }
    const blockChecksumBytes = (flags & 0x10) === 0 ? 0 : 4;
    const contentChecksumBytes = (flags & 0x04) === 0 ? 0 : 4;
    at += (flags & 0x08) === 0 ? 7 : 15;
    for (;;) {
      const blockSize = bytes.readUInt32LE(at);
      at += 4;
      if (blockSize === 0) break;
      const size = blockSize & 0x7fffffff;
      if (size > maxBlockBytes || at + size > bytes.length)
        throw new MalformedError(`an lz4 block of ${size} bytes that is cut off or too large`);
      if (plain.length < end + maxBlockBytes) {
        const grown = Buffer.allocUnsafe(Math.max(end + maxBlockBytes, Math.min(plain.length * 2, maxBytes)));
        plain.copy(grown, 0, 0, end);
        plain = grown;
      }
      const blockEnd = blockSize === size ? decompressBlock(bytes, plain, at, size, end) : end + bytes.copy(plain, end, at, at + size);
      if (blockEnd > end + maxBlockBytes) throw new MalformedError('a batch that is no valid lz4: a block larger than its frame allows');
      if (blockEnd > maxBytes) throw tooLarge('lz4', maxBytes);
      end = blockEnd;
      at += size + blockChecksumBytes;
    }
    at += contentChecksumBytes;
  }
  return plain.subarray(0, end);
}
