/*
 * What is held takes in memory, by estimate. A text takes 16 bytes and its characters, in steps of 8; what refers to it 8.
 */
const TEXT_BYTES = 28;
const NUMBER_BYTES = 20;
/** An array or a map of entries, before it has any. */
export const ENTRIES_BYTES = 96;

/** So many entries are looked at. */
export const MOST_WEIGHED = 16;

/** Of one value: a text by its length, a number, or what takes about as much. */
export function weighValue(value: unknown): number {
  if (value === undefined) return 0;
  return typeof value === 'string' ? TEXT_BYTES + value.length : NUMBER_BYTES;
}
