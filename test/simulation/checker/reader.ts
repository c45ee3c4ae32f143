import type { Partition, StoredBatch } from '../models/partition.ts';
import { decodeBatch, type WireRecord } from '../models/wire.ts';
import { textOf } from './texts.ts';

export interface ReadRecord {
  readonly offset: number;
  /** The value as text; empty where it has none. */
  readonly value: string;
  readonly text: string;
  readonly content: WireRecord;
  readonly producer: string;
}

/** A record of a batch, and its text. */
interface Content {
  readonly content: WireRecord;
  readonly text: string;
}

const decoded = new WeakMap<StoredBatch, readonly Content[]>();

function contentOf(batch: StoredBatch): readonly Content[] {
  const known = decoded.get(batch);
  if (known !== undefined) return known;
  const found = decodeBatch(batch.bytes).content.map((content) => ({ content, text: textOf(content) }));
  decoded.set(batch, found);
  return found;
}

/** Of each record in the batch. */
export function textsOf(batch: StoredBatch): readonly string[] {
  return contentOf(batch).map(({ text }) => text);
}

/** The records in [from, to) as a `read_committed` reader sees them: judged by the markers in the log itself. */
export function readCommitted(partition: Partition, from: number, to: number): ReadRecord[] {
  const fates = fatesOf(partition.batches);
  const found: ReadRecord[] = [];
  partition.batches.forEach((batch, index) => {
    if (batch.control !== undefined || batch.lastOffset < from || batch.baseOffset >= to) return;
    if (batch.transactional && fates[index] !== 'commit') return;
    const producer = `${batch.producerId}/${batch.producerEpoch}`;
    contentOf(batch).forEach(({ content, text }, position) => {
      const offset = batch.baseOffset + position;
      if (offset >= from && offset < to) found.push({ offset, value: String(content.value ?? ''), text, content, producer });
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
