import type { Partition, StoredBatch } from '../models/partition.ts';
import { decodeBatch } from '../models/wire.ts';

export interface ReadRecord {
  readonly offset: number;
  readonly value: string;
  readonly producer: string;
}

const decoded = new WeakMap<StoredBatch, readonly string[]>();

export function valuesOf(batch: StoredBatch): readonly string[] {
  const known = decoded.get(batch);
  if (known !== undefined) return known;
  const { values } = decodeBatch(batch.bytes);
  decoded.set(batch, values);
  return values;
}

/** The records in [from, to) as a `read_committed` reader sees them: judged by the markers in the log itself. */
export function readCommitted(partition: Partition, from: number, to: number): ReadRecord[] {
  const fates = fatesOf(partition.batches);
  const found: ReadRecord[] = [];
  partition.batches.forEach((batch, index) => {
    if (batch.control !== undefined || batch.lastOffset < from || batch.baseOffset >= to) return;
    if (batch.transactional && fates[index] !== 'commit') return;
    valuesOf(batch).forEach((value, position) => {
      const offset = batch.baseOffset + position;
      if (offset >= from && offset < to) found.push({ offset, value, producer: `${batch.producerId}/${batch.producerEpoch}` });
    });
  });
  return found;
}

/** How the transaction of each batch ended: by the next marker of its producer, or not yet. */
function fatesOf(batches: readonly StoredBatch[]): ('commit' | 'abort' | undefined)[] {
  const next = new Map<bigint, 'commit' | 'abort'>();
  const fates: ('commit' | 'abort' | undefined)[] = new Array(batches.length).fill(undefined);
  for (let index = batches.length - 1; index >= 0; index--) {
    const batch = batches[index] as StoredBatch;
    if (batch.control !== undefined) next.set(batch.producerId, batch.control);
    else if (batch.transactional) fates[index] = next.get(batch.producerId);
  }
  return fates;
}
