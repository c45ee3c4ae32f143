import { crc32 } from 'node:zlib';

/** What a stored blob holds. The numbers are part of the format. */
const KINDS = { exchange: 1, output: 2, state: 3, manifest: 4 } as const;
export type BlobKind = keyof typeof KINDS;

/**
 * The envelope of every stored blob, little-endian:
 *
 *     0  magic "1FLW"        4  format version       5  kind        6  zero (2 bytes)
 *     8  payload bytes (4)  12  CRC-32 of the payload (4)          16  payload
 *
 * The checksum is the CRC-32 of zlib, not the CRC-32C of Kafka's batches: it detects the same damage, and Node has it
 * natively, several times faster than a CRC-32C in JavaScript can be.
 */
const MAGIC = Buffer.from('1FLW', 'latin1');
const VERSION = 1;
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
  header[4] = VERSION;
  header[5] = KINDS[kind];
  header.writeUInt32LE(payloadBytes, 8);
  header.writeUInt32LE(
    payload.reduce((crc, part) => crc32(part, crc), 0),
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
  const found = crc32(payload);
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
  const version = bytes.readUInt8(4);
  if (version !== VERSION)
    throw new CorruptBlobError(name, kind, `it has format version ${version} and this build reads version ${VERSION}`);
  const foundKind = bytes.readUInt8(5);
  if (foundKind !== KINDS[kind]) throw new CorruptBlobError(name, kind, `it is of kind ${kindName(foundKind)}`);
  if (bytes.readUInt16LE(6) !== 0) throw new CorruptBlobError(name, kind, 'its header is damaged');
  return bytes.subarray(HEADER_BYTES);
}

function kindName(number: number): string {
  for (const [name, value] of Object.entries(KINDS)) if (value === number) return name;
  return `${number} (unknown)`;
}
