import { ATTRIBUTE, BATCH } from './batch-layout.ts';

export type TransactionEnd = 'commit' | 'abort';

const ABORT = 0;
const COMMIT = 1;

/**
 * How the first transaction of a producer ends in a run of record batches: by its first control record at or behind `from`.
 * Undefined when there is none among the whole batches.
 */
export function endOfTransaction(records: Buffer, producerId: bigint, from: number): TransactionEnd | undefined {
  for (let at = 0; at + BATCH.records <= records.length; ) {
    const end = at + BATCH.lengthEnd + records.readInt32BE(at + BATCH.length);
    if (end > records.length || end <= at) return undefined;
    const isControl = (records.readInt16BE(at + BATCH.attributes) & ATTRIBUTE.control) !== 0;
    const isBehind = Number(records.readBigInt64BE(at + BATCH.baseOffset)) >= from;
    if (isControl && isBehind && records.readBigInt64BE(at + BATCH.producerId) === producerId) {
      const type = controlType(records, at + BATCH.records);
      if (type === COMMIT) return 'commit';
      if (type === ABORT) return 'abort';
    }
    at = end;
  }
  return undefined;
}

/**
 * Who wrote the record at this offset; undefined when it is not among the whole heads of batches. The end of a transaction is no
 * record of anybody: a topic that was made anew may hold one of ours where our record was.
 */
export function writerOf(records: Buffer, offset: number): { readonly producerId: bigint; readonly producerEpoch: number } | undefined {
  for (let at = 0; at + BATCH.records <= records.length; at += BATCH.lengthEnd + Math.max(records.readInt32BE(at + BATCH.length), 1)) {
    const last = Number(records.readBigInt64BE(at + BATCH.baseOffset)) + records.readInt32BE(at + BATCH.lastOffsetDelta);
    const isControl = (records.readInt16BE(at + BATCH.attributes) & ATTRIBUTE.control) !== 0;
    if (last >= offset && isControl) return undefined;
    if (last >= offset)
      return { producerId: records.readBigInt64BE(at + BATCH.producerId), producerEpoch: records.readInt16BE(at + BATCH.producerEpoch) };
  }
  return undefined;
}

/** A control record's key is its version and its type, two bytes each. Before it: length, attributes, two deltas, its own length. */
function controlType(records: Buffer, start: number): number {
  let at = afterVarint(records, start) + 1;
  for (let fields = 3; fields > 0; fields--) at = afterVarint(records, at);
  return records.readInt16BE(at + 2);
}

function afterVarint(records: Buffer, start: number): number {
  let at = start;
  while ((records[at] ?? 0) >= 0x80) at++;
  return at + 1;
}
