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
