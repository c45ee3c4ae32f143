import { crc32c } from '../../../lib/format/crc32c.ts';
import type { RecordHeader } from '../../../lib/format/record-header.ts';
import { type RecordSetOptions, RecordSetReader } from '../../../lib/format/record-set-reader.ts';
import { batchesOf } from '../../../lib/format/stamp-batches.ts';

/** A record as tests compare it. */
export interface PlainRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

export const describeT3 = () => 'topic t, partition 3';

/** Reads all that the range holds; strings are the bytes as latin1. */
export function readAll(records: Buffer, options: Partial<RecordSetOptions> = {}, reader = new RecordSetReader()) {
  const read: PlainRecord[] = [];
  reader.open(records, { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [], describe: describeT3, ...options });
  while (reader.next()) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
    read.push({
      offset: reader.offset,
      timestamp: reader.timestamp,
      key: keyStart === -1 ? null : bytes.toString('latin1', keyStart, keyEnd),
      value: valueStart === -1 ? null : bytes.toString('latin1', valueStart, valueEnd),
      headers: reader.headers().map(plainHeader),
    });
  }
  return { read, nextOffset: reader.nextOffset };
}

export function plainHeader({ key, value }: RecordHeader): readonly [string, string | null] {
  return [key, value === undefined ? null : Buffer.from(value).toString('latin1')];
}

/** Gives batches, one after the other, the offsets that a broker would, and valid CRCs. Changes `batches`. */
export function asLog(batches: Buffer, baseOffset = 0): Buffer {
  let offset = baseOffset;
  for (const { start, end, records } of batchesOf(batches)) {
    batches.writeBigInt64BE(BigInt(offset), start);
    recrc(batches, start, end);
    offset += records;
  }
  return batches;
}

/** Makes the CRC of a batch right again after a change within it. */
export function recrc(bytes: Buffer, start = 0, end = bytes.length): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, start + 21, end), start + 17);
  return bytes;
}
