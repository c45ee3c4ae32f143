const BATCH_OVERHEAD_BYTES = 12;
const LAST_OFFSET_DELTA_AT = 23;

/**
 * The offset behind the last whole record batch of a Fetch response's records: where the next fetch starts, known from
 * the batch headers alone, before anything is decoded. `from` when there is no whole batch.
 */
export function endOfWholeBatches(records: Buffer, from: number): number {
  let end = from;
  for (let at = 0; at + LAST_OFFSET_DELTA_AT + 4 <= records.length; ) {
    const size = BATCH_OVERHEAD_BYTES + records.readInt32BE(at + 8);
    if (size <= BATCH_OVERHEAD_BYTES || at + size > records.length) break;
    end = Math.max(end, Number(records.readBigInt64BE(at)) + records.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1);
    at += size;
  }
  return end;
}
