/**
 * CRC-32C (Castagnoli), the checksum of Kafka's record batches. Long inputs are taken sixteen bytes a step, as four
 * aligned words and sixteen tables; words are read in the machine's order, which must be little-endian.
 */

/** Below this a view on the words costs more than it saves. */
const WORDS_FROM_BYTES = 192;

/** The checksum of `bytes[start, end)`. `seed` is the checksum of what comes before, to go on with. */
export const crc32c = overTables();

/** Within a function: of a constant of the module a bundler makes a variable, and an engine looks at that each time, for a quarter of the time. */
function overTables() {
  /** Sixteen tables of 256 entries, back to back: table k advances a byte by k more bytes. */
  const T = makeTables();

  function overWords(seed: number, words: Int32Array): number {
    let crc = seed;
    for (let i = 0; i < words.length; i += 4) {
      const a = crc ^ words[i]!;
      const b = words[i + 1]!;
      const c = words[i + 2]!;
      const d = words[i + 3]!;
      crc =
        T[3840 | (a & 0xff)]! ^
        T[3584 | ((a >>> 8) & 0xff)]! ^
        T[3328 | ((a >>> 16) & 0xff)]! ^
        T[3072 | (a >>> 24)]! ^
        T[2816 | (b & 0xff)]! ^
        T[2560 | ((b >>> 8) & 0xff)]! ^
        T[2304 | ((b >>> 16) & 0xff)]! ^
        T[2048 | (b >>> 24)]! ^
        T[1792 | (c & 0xff)]! ^
        T[1536 | ((c >>> 8) & 0xff)]! ^
        T[1280 | ((c >>> 16) & 0xff)]! ^
        T[1024 | (c >>> 24)]! ^
        T[768 | (d & 0xff)]! ^
        T[512 | ((d >>> 8) & 0xff)]! ^
        T[256 | ((d >>> 16) & 0xff)]! ^
        T[d >>> 24]!;
    }
    return crc;
  }

  function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
    let crc = ~seed;
    let at = start;
    if (end - start >= WORDS_FROM_BYTES) {
      while (((bytes.byteOffset + at) & 3) !== 0) crc = (crc >>> 8) ^ T[(crc ^ bytes[at++]!) & 0xff]!;
      const steps = (end - at) >>> 4;
      crc = overWords(crc, new Int32Array(bytes.buffer, bytes.byteOffset + at, steps << 2));
      at += steps << 4;
    }
    for (const last = end - 7; at < last; at += 8) {
      const a = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
      crc =
        T[1792 | (a & 0xff)]! ^
        T[1536 | ((a >>> 8) & 0xff)]! ^
        T[1280 | ((a >>> 16) & 0xff)]! ^
        T[1024 | (a >>> 24)]! ^
        T[768 | bytes[at + 4]!]! ^
        T[512 | bytes[at + 5]!]! ^
        T[256 | bytes[at + 6]!]! ^
        T[bytes[at + 7]!]!;
    }
    while (at < end) crc = (crc >>> 8) ^ T[(crc ^ bytes[at++]!) & 0xff]!;
    return ~crc >>> 0;
  }

  return crc32c;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256]!;
    tables[index] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}
