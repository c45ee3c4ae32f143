import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Cursor } from '../snapshot/cursor.ts';
import { readEncoded, readSized, writeSized } from './encoding.ts';
import { SortedEntries } from './sorted-entries.ts';

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

export function readAll(cursor: Cursor): SortedEntries {
  const entries = new SortedEntries();
  for (let left = cursor.count(LEAST_ENTRY_BYTES); left > 0; left--) entries.set(readSized(cursor), readSized(cursor));
  return entries;
}

export function readChanged(cursor: Cursor, entries: SortedEntries): SortedEntries {
  const size = cursor.varint();
  for (let left = cursor.count(LEAST_ENTRY_BYTES); left > 0; left--) {
    const key = readSized(cursor);
    const valueBytes = cursor.sizePlusOne() - 1;
    if (valueBytes < 0) entries.delete(key);
    else entries.set(key, readEncoded(cursor, valueBytes));
  }
  if (entries.size !== size) throw cursor.malformed(`says that a map has ${size} entries, and it has ${entries.size}`);
  return entries;
}
