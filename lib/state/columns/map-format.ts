import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Cursor } from '../snapshot/cursor.ts';
import { readEncoded, readSized, writeSized } from './encoding.ts';
import { SortedEntries } from './sorted-entries.ts';
import type { Translate } from './translation.ts';

/*
 * Entries of a key in a snapshot: the form; then
 *
 *   0, all entries    their count; of each its key and its value
 *   1, what changed   the count of all entries there are then; the count of those that have changed; of each its key and its value,
 *                     behind (length + 1), or 0 when it is gone
 *
 * Keys are behind their length and ascending by their bytes, values behind their length. Another form is a later build's.
 */
export const ALL = 0;
export const CHANGED_ENTRIES = 1;
const LEAST_ENTRY_BYTES = 2;
const asItIs: Translate = (kept) => kept;

export function writeAll(entries: SortedEntries, out: ByteWriter): void {
  out.varint(ALL);
  out.varint(entries.size);
  entries.forEach((key, value) => {
    writeSized(key, out);
    writeSized(value, out);
  });
}

export function writeChanged(entries: SortedEntries, changed: ReadonlySet<string>, out: ByteWriter): void {
  out.varint(CHANGED_ENTRIES);
  out.varint(entries.size);
  out.varint(changed.size);
  for (const key of [...changed].sort()) {
    writeSized(key, out);
    const value = entries.get(key);
    if (value === undefined) out.varint(0);
    else writeSized(value, out, 1);
  }
}

/** How keys and values are taken in. */
export interface EntryTranslation {
  readonly key?: Translate | undefined;
  readonly value?: Translate | undefined;
}

export function readAll(cursor: Cursor, { key: ofKey = asItIs, value: ofValue = asItIs }: EntryTranslation = {}): SortedEntries {
  const entries = new SortedEntries();
  const size = cursor.count(LEAST_ENTRY_BYTES);
  for (let left = size; left > 0; left--) {
    const key = ofKey(readSized(cursor));
    entries.set(key, ofValue(readSized(cursor)));
  }
  if (entries.size !== size)
    throw cursor.malformed(`has a map of ${size} entries, of which ${size - entries.size} have the keys of others by now`);
  return entries;
}

export function readChanged(
  cursor: Cursor,
  entries: SortedEntries,
  { key: ofKey = asItIs, value: ofValue = asItIs }: EntryTranslation = {},
): SortedEntries {
  const size = cursor.varint();
  for (let left = cursor.count(LEAST_ENTRY_BYTES); left > 0; left--) {
    const key = ofKey(readSized(cursor));
    const valueBytes = cursor.sizePlusOne() - 1;
    if (valueBytes < 0) entries.delete(key);
    else entries.set(key, ofValue(readEncoded(cursor, valueBytes)));
  }
  if (entries.size !== size) throw cursor.malformed(`says that a map has ${size} entries, and it has ${entries.size}`);
  return entries;
}
