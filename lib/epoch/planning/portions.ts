/** A request takes 6 MB on Lambda; this leaves room for what else it says. */
const PORTION_BYTES = 1024 * 1024;

/**
 * What is sent in one list, in as many lists as keep a request small: a committable names every partition that it wrote, and a
 * wide sink of a wide topic has many. One that is larger by itself is a list of its own.
 */
export function portionsOf<T>(items: readonly T[], mostBytes = PORTION_BYTES): T[][] {
  const portions: T[][] = [];
  let left = 0;
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item));
    const last = portions.at(-1);
    if (last === undefined || bytes > left) {
      portions.push([item]);
      left = mostBytes - bytes;
    } else {
      last.push(item);
      left -= bytes;
    }
  }
  return portions;
}
