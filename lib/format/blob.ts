import { crc32 } from 'node:zlib';

/**
 * What stored blobs hold: the number of each kind, and the version of its format that this build writes. It reads that and
 * all before it. A format changes with its own version: the others' blobs stay what they are.
 */
export const BLOB_FORMATS = {
  exchange: { number: 1, version: 1, what: 'an exchange' },
  output: { number: 2, version: 1, what: 'staged output' },
  /** 2 since a snapshot says the kinds of its states, 3 since it may say what waits for a time in each key group. */
  state: { number: 3, version: 3, what: 'a snapshot of state' },
  manifest: { number: 4, version: 1, what: 'a manifest' },
} as const;
export type BlobKind = keyof typeof BLOB_FORMATS;

/**
 * The envelope of every stored blob, little-endian:
 *
 *     0  magic "1FLW"        4  format's version     5  kind        6  zero (2 bytes)
 *     8  payload bytes (4)  12  CRC-32 of the payload (4)          16  payload
 *
 * The checksum is the CRC-32 of zlib, not the CRC-32C of Kafka's batches: it detects the same damage, and Node has it
 * natively, several times faster than a CRC-32C in JavaScript can be. From version 2 on it begins with the version, so that
 * damage does not make one version of another.
 */
const MAGIC = Buffer.from('1FLW', 'latin1');
const HEADER_BYTES = 16;

/** A blob is not what it should be. Nothing was read from it. */
export class CorruptBlobError extends Error {
  override readonly name = 'CorruptBlobError';
  readonly blob: string;
  constructor(blob: string, kind: BlobKind, what: string) {
    super(`blob ${blob} (expected: ${kind}) cannot be used: ${what}`);
    this.blob = blob;
  }
}

/** Wraps the payload as a blob of its kind, in parts that are to be written one behind the other: the payload's own are not copied. */
export function sealBlob(kind: BlobKind, payload: readonly Uint8Array[]): Uint8Array[] {
  const payloadBytes = bytesOf(payload);
  if (payloadBytes > 0xffffffff) throw new RangeError(`an ${kind} blob of ${payloadBytes} bytes: the limit is 4 GiB`);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  const { number, version } = BLOB_FORMATS[kind];
  header[4] = version;
  header[5] = number;
  header.writeUInt32LE(payloadBytes, 8);
  header.writeUInt32LE(
    payload.reduce((crc, part) => crc32(part, crc), seedOf(version)),
    12,
  );
  return [header, ...payload];
}

/** How many bytes the parts have together. */
export function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** Bytes before the payload. */
export const PAYLOAD_OFFSET = HEADER_BYTES;

/** Verifies the blob and returns its payload: a view on `bytes`. Throws `CorruptBlobError`; `name` is for its message. */
export function openBlob(kind: BlobKind, bytes: Buffer, name: string): Buffer {
  const payload = openBlobStart(kind, bytes, name);
  const payloadBytes = bytes.readUInt32LE(8);
  if (payloadBytes !== payload.length) {
    throw new CorruptBlobError(name, kind, `its header speaks of ${payloadBytes} bytes of payload and there are ${payload.length}`);
  }
  const expected = bytes.readUInt32LE(12);
  const found = crc32(payload, seedOf(bytes.readUInt8(4)));
  if (found !== expected)
    throw new CorruptBlobError(name, kind, `its checksum is ${found.toString(16)} instead of ${expected.toString(16)}`);
  return payload;
}

/**
 * The beginning of a blob of which only that much was read: verifies the header, and returns what there is of the payload,
 * which no checksum of the blob covers. Throws `CorruptBlobError`.
 */
export function openBlobStart(kind: BlobKind, bytes: Buffer, name: string): Buffer {
  if (bytes.length < HEADER_BYTES) throw new CorruptBlobError(name, kind, `${bytes.length} bytes are less than its header`);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new CorruptBlobError(name, kind, 'it was not written by Onceflow (wrong magic)');
  const { number, version, what } = BLOB_FORMATS[kind];
  const foundKind = bytes.readUInt8(5);
  if (foundKind !== number) throw new CorruptBlobError(name, kind, `it is of kind ${kindName(foundKind)}`);
  const foundVersion = bytes.readUInt8(4);
  if (foundVersion > version) {
    throw new CorruptBlobError(
      name,
      kind,
      `it is ${what} of format version ${foundVersion}, and this build reads ${version === 1 ? 'version 1' : `versions 1 to ${version}`}: run the build that wrote it, or a later one`,
    );
  }
  if (foundVersion === 0 || bytes.readUInt16LE(6) !== 0) throw new CorruptBlobError(name, kind, 'its header is damaged');
  return bytes.subarray(HEADER_BYTES);
}

function kindName(number: number): string {
  for (const [name, format] of Object.entries(BLOB_FORMATS)) if (format.number === number) return name;
  return `${number} (unknown)`;
}

/** Where the checksum of a blob of that version begins. */
function seedOf(version: number): number {
  return version === 1 ? 0 : version;
}
