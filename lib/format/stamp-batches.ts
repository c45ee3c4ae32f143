import { MalformedError } from '../protocol/malformed.ts';
import { ATTRIBUTE, BATCH } from './batch-layout.ts';
import { crc32c } from './crc32c.ts';

/** One record batch within a run of batches: `bytes[start, end)`, header included. */
export interface BatchSpan {
  readonly start: number;
  readonly end: number;
  readonly records: number;
}

export interface BatchStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** How many records the producer has sent to the partition before. On the wire it wraps at 2^31, which is done here. */
  readonly baseSequence: number;
}

/** The batches in `bytes`, which must hold whole ones, back to back. Throws `MalformedError`. */
export function batchesOf(bytes: Buffer): BatchSpan[] {
  const spans: BatchSpan[] = [];
  let start = 0;
  while (start < bytes.length) {
    if (bytes.length - start < BATCH.records)
      throw new MalformedError(`record batch at byte ${start}: ${bytes.length - start} bytes are no whole batch header`);
    const magic = bytes[start + BATCH.magic];
    if (magic !== 2) throw new MalformedError(`record batch at byte ${start}: magic ${magic} instead of 2`);
    const end = start + BATCH.lengthEnd + bytes.readInt32BE(start + BATCH.length);
    if (end < start + BATCH.records || end > bytes.length) {
      throw new MalformedError(`record batch at byte ${start}: it ends at byte ${end} of ${bytes.length}`);
    }
    spans.push({ start, end, records: bytes.readInt32BE(start + BATCH.recordCount) });
    start = end;
  }
  return spans;
}

/** The stamp of a batch that is sent outside a transaction, by a producer without an id. */
const NO_PRODUCER: BatchStamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

/** Makes the batch `bytes[start, end)`, in place, one that belongs to no transaction. */
export function stampPlainBatch(bytes: Buffer, start: number, end: number): void {
  const at = start + BATCH.attributes;
  bytes.writeInt16BE(bytes.readInt16BE(at) & ~ATTRIBUTE.transactional, at);
  stampBatch(bytes, start, end, NO_PRODUCER);
}

/**
 * Writes the producer's identity, the sequence number and the CRC into the batch `bytes[start, end)`, in place. The
 * CRC is computed here and nowhere else on the way out: it covers these fields, so an earlier one would be wrong.
 */
export function stampBatch(bytes: Buffer, start: number, end: number, stamp: BatchStamp): void {
  bytes.writeBigInt64BE(stamp.producerId, start + BATCH.producerId);
  bytes.writeInt16BE(stamp.producerEpoch, start + BATCH.producerEpoch);
  bytes.writeInt32BE(stamp.baseSequence % 0x80000000, start + BATCH.baseSequence);
  bytes.writeUInt32BE(crc32c(bytes, start + BATCH.attributes, end), start + BATCH.crc);
}
