import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH } from '../../../lib/format/batch-layout.ts';
import { type BatchCompression, compressBatch } from '../../../lib/format/compress.ts';
import { decompress } from '../../../lib/format/decompress.ts';

const NUMBERS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
const codecs = Object.keys(NUMBERS) as BatchCompression[];

/** The records of a compressed batch of these bytes, as they go to the broker. */
function packed(records: Buffer, codec: BatchCompression): Buffer {
  const batch = compressBatch(Buffer.concat([Buffer.alloc(BATCH.records), records]), codec);
  expect(batch.readInt16BE(BATCH.attributes)).toBe(NUMBERS[codec]);
  expect(batch.readInt32BE(BATCH.length)).toBe(batch.length - BATCH.lengthEnd);
  return batch.subarray(BATCH.records);
}

/** Of everything that codecs treat differently: runs, repetitions near and far, noise, and lengths around those of blocks. */
const contents = fc
  .array(
    fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 40_000 })).map(([byte, length]) => Buffer.alloc(length, byte)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2_000 })).map(([unit, times]) => {
        return Buffer.concat(Array.from({ length: times }, () => unit));
      }),
      fc.integer({ min: 1, max: 70_000 }).map((length) => Buffer.from(Array.from({ length }, (_, at) => (at * at * 2_654_435_761) >>> 24))),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

describe.each(codecs)('%s', (codec) => {
  it('gives back what was compressed, whatever it is, and whatever was compressed before', () => {
    fc.assert(
      fc.property(contents, (bytes) => {
        expect(decompress(NUMBERS[codec], packed(bytes, codec), bytes.length + 1).equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

/**
 * How far from the end of a block its last match begins, less the four bytes that it has at least: by a walk through its sequences, written anew.
 */
function lastLiteralsIn(block: Buffer): number {
  let at = 0;
  let made = 0;
  let lastMatch = Number.NEGATIVE_INFINITY;
  const more = (first: number) => {
    let sum = first;
    if (first === 15) for (let byte = 255; byte === 255; sum += byte) byte = block[at++] ?? 0;
    return sum;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = more(token >> 4);
    at += literals;
    made += literals;
    if (at >= block.length) break;
    at += 2;
    lastMatch = made;
    made += more(token & 15) + 4;
  }
  return made - lastMatch - 4;
}

describe('the form that readers in Java take', () => {
  const bytes = Buffer.concat([
    Buffer.alloc(100_000, 'word'),
    Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * at * 2_654_435_761) >>> 24)),
  ]);

  it('of lz4 is one frame of independent blocks of 64 KiB at most, with the checksum of its head', () => {
    const frame = packed(bytes, 'lz4');
    expect(frame.subarray(0, 7).toString('hex')).toBe('04224d18604082');
    const sizes: number[] = [];
    let at = 7;
    for (let size = frame.readUInt32LE(at); size !== 0; size = frame.readUInt32LE(at)) {
      sizes.push(size & 0x7fffffff);
      // Each is whole by itself.
      const block = Buffer.concat([frame.subarray(0, 7), frame.subarray(at, at + 4 + (size & 0x7fffffff)), Buffer.alloc(4)]);
      expect(decompress(3, block, 65_536).length).toBeLessThanOrEqual(65_536);
      at += 4 + (size & 0x7fffffff);
    }
    expect(at + 4).toBe(frame.length);
    expect(sizes.length).toBe(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
  });

  it('of lz4 has no match within the last 12 bytes of a block', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const frame = packed(content, 'lz4');
        for (let at = 7, size = frame.readUInt32LE(at); size !== 0; size = frame.readUInt32LE(at)) {
          const bytesOfBlock = size & 0x7fffffff;
          const isPlain = size > 0x7fffffff;
          if (!isPlain) expect(lastLiteralsIn(frame.subarray(at + 4, at + 4 + bytesOfBlock))).toBeGreaterThanOrEqual(8);
          at += 4 + bytesOfBlock;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of snappy is chunks of 32 KiB behind the head of snappy-java', () => {
    const chunks = packed(bytes, 'snappy');
    expect(chunks.subarray(0, 16).toString('latin1')).toBe('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01');
    let count = 0;
    for (let at = 16; at < chunks.length; at += 4 + chunks.readInt32BE(at)) count++;
    expect(count).toBe(Math.ceil(bytes.length / 32_768));
  });
});
