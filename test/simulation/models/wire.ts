/*
 * Kafka's record batches (message format v2) as the models and the checker write and read them: on their own, so that a
 * fault in the engine's codecs cannot hide itself.
 */

const HEADER_BYTES = 61;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

export interface WireBatch {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly control: 'commit' | 'abort' | undefined;
  readonly records: number;
  /** In their order; none of a control batch. */
  readonly content: readonly WireRecord[];
}

/** A record as it is on the wire. */
export interface WireRecord {
  readonly key: Buffer | undefined;
  /** Undefined: a tombstone. */
  readonly value: Buffer | undefined;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | undefined }[];
  readonly timestamp: number;
}

interface BatchHeader {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence?: number;
  readonly transactional: boolean;
  readonly timestampMs: number;
}

export function encodeBatch(header: BatchHeader, values: readonly string[]): Buffer {
  return assembled(
    header,
    0,
    values.map((value, index) => record(index, undefined, Buffer.from(value))),
  );
}

/** The control batch that ends a transaction in a partition. */
export function encodeMarker(header: BatchHeader, how: 'commit' | 'abort'): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(how === 'commit' ? 1 : 0, 2);
  return assembled({ ...header, transactional: true }, CONTROL, [record(0, key, Buffer.alloc(6))]);
}

function assembled(header: BatchHeader, attributes: number, records: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  const body = Buffer.concat(records);
  head.writeInt32BE(HEADER_BYTES - 12 + body.length, 8);
  head[16] = 2;
  head.writeInt16BE(attributes | (header.transactional ? TRANSACTIONAL : 0), 21);
  head.writeInt32BE(records.length - 1, 23);
  head.writeBigInt64BE(BigInt(Math.floor(header.timestampMs)), 27);
  head.writeBigInt64BE(BigInt(Math.floor(header.timestampMs)), 35);
  head.writeBigInt64BE(header.producerId, 43);
  head.writeInt16BE(header.producerEpoch, 51);
  head.writeInt32BE(header.baseSequence ?? -1, 53);
  head.writeInt32BE(records.length, 57);
  const batch = Buffer.concat([head, body]);
  batch.writeUInt32BE(checksum(batch, 21), 17);
  return batch;
}

function record(offsetDelta: number, key: Buffer | undefined, value: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    signed(0),
    signed(offsetDelta),
    signed(key === undefined ? -1 : key.length),
    key ?? Buffer.alloc(0),
    signed(value.length),
    value,
    signed(0),
  ]);
  return Buffer.concat([signed(body.length), body]);
}

function signed(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value >= 0 ? value * 2 : -value * 2 - 1; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}

/** One whole batch. Throws when its checksum is wrong; staged output that is not `sealed` has none yet. */
export function decodeBatch(batch: Buffer, sealed = true): WireBatch {
  if (sealed && checksum(batch, 21) !== batch.readUInt32BE(17)) throw new Error('a record batch with a wrong checksum');
  const attributes = batch.readInt16BE(21);
  if ((attributes & 7) !== 0) throw new Error('a compressed record batch');
  const control = (attributes & CONTROL) !== 0;
  const records = batch.readInt32BE(57);
  const baseTimestamp = Number(batch.readBigInt64BE(27));
  const content: WireRecord[] = [];
  let type = -1;
  let at = HEADER_BYTES;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = batch[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const sized = (): Buffer | undefined => {
    const size = next();
    if (size < 0) return undefined;
    at += size;
    return batch.subarray(at - size, at);
  };
  for (let left = records; left > 0; left--) {
    const end = next() + at;
    at++;
    const timestamp = baseTimestamp + next();
    next();
    const key = sized();
    if (control) type = key?.readInt16BE(2) ?? -1;
    else {
      const value = sized();
      const headers: { key: string; value: Buffer | undefined }[] = [];
      for (let count = next(); count > 0; count--) headers.push({ key: String(sized()), value: sized() });
      content.push({ key, value, headers, timestamp });
    }
    at = end;
  }
  return {
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: control ? (type === 1 ? 'commit' : 'abort') : undefined,
    records,
    content,
  };
}

/** The batches in a buffer that holds whole ones. */
export function splitBatches(bytes: Buffer): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    batches.push(bytes.subarray(at, end));
    at = end;
  }
  return batches;
}

/** CRC-32C of everything from `start`. */
function checksum(bytes: Buffer, start: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < bytes.length; at++) crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});
