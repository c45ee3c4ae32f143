import type { SpilledRow, SpilledRows } from '../ports/spilled-rows.ts';
import { Cursor } from './snapshot/cursor.ts';

/** A page takes about so much: what it costs to put one on disk is shared by all that is in it, and one is gone through to find a key. */
const PAGE_BYTES = 2048;

/**
 * Key groups on disk as a base had them: their entries, by a hash of the key in pages. A restart takes in a page at once, and not key by key.
 * An entry that is taken is gone from its page.
 */
export class SpilledPages {
  readonly #rows: SpilledRows;
  readonly #states: number;
  /** By key group: how many pages it has. */
  readonly #pages = new Map<number, number>();
  readonly #cursor: Cursor;
  #size = 0;

  /** @param states so many parts an entry has */
  constructor(uid: string, rows: SpilledRows, states: number) {
    this.#rows = rows;
    this.#states = states;
    this.#cursor = new Cursor(Buffer.alloc(0), `a page of the state of ${uid}`);
  }

  /** Entries that are here. */
  get size(): number {
    return this.#size;
  }

  /** Takes in a key group that it has nothing of. `entries`: `bytes[from, to)` is one, of the key `bytes[start, end)`. */
  take(keyGroup: number, bytes: Buffer, entries: readonly EntryPlace[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    const count = Math.ceil((last.to - first.from) / PAGE_BYTES);
    const pages: Buffer[][] = Array.from({ length: count }, () => []);
    for (const { from, to, start, end } of entries)
      pages[pageOf(bytes.toString('latin1', start, end), count)]?.push(bytes.subarray(from, to));
    pages.forEach((page, index) => {
      if (page.length > 0) this.#rows.putPage(keyGroup, index, Buffer.concat(page));
    });
    this.#pages.set(keyGroup, count);
    this.#size += entries.length;
  }

  /** What is held of the key, taken out. Undefined: it is not here. */
  remove(keyGroup: number, key: string): Buffer | undefined {
    const count = this.#pages.get(keyGroup);
    if (count === undefined) return undefined;
    const index = pageOf(key, count);
    const page = this.#rows.page(keyGroup, index);
    if (page === undefined) return undefined;
    const found = this.#find(page, key);
    if (found === undefined) return undefined;
    const { from, heldAt, to } = found;
    this.#rows.putPage(keyGroup, index, Buffer.concat([page.subarray(0, from), page.subarray(to)]));
    this.#size--;
    return page.subarray(heldAt, to);
  }

  /** Visits pages as they are: entries as a snapshot has them, and how many. */
  eachPage(keyGroup: number, visit: (entries: Buffer, count: number) => void): void {
    for (let index = 0; index < (this.#pages.get(keyGroup) ?? 0); index++) {
      const page = this.#rows.page(keyGroup, index);
      if (page !== undefined && page.length > 0) visit(page, this.#count(page));
    }
  }

  /** Visits all entries; those that `visit` takes out may be put elsewhere meanwhile. */
  each(keyGroup: number, visit: (row: SpilledRow) => void): void {
    this.eachPage(keyGroup, (page) => {
      for (const row of this.#entriesOf(keyGroup, page)) visit(row);
    });
  }

  clear(): void {
    this.#pages.clear();
    this.#size = 0;
  }

  #find(page: Buffer, key: string): { readonly from: number; readonly heldAt: number; readonly to: number } | undefined {
    const cursor = this.#cursor;
    cursor.turnTo(page, 0, page.length);
    while (cursor.position < page.length) {
      const from = cursor.position;
      const size = cursor.size();
      const start = cursor.position;
      const heldAt = start + size;
      this.#pass(heldAt);
      if (size === key.length && page.toString('latin1', start, heldAt) === key) return { from, heldAt, to: cursor.position };
    }
    return undefined;
  }

  #count(page: Buffer): number {
    let count = 0;
    const cursor = this.#cursor;
    cursor.turnTo(page, 0, page.length);
    for (; cursor.position < page.length; count++) {
      const size = cursor.size();
      this.#pass(cursor.position + size);
    }
    return count;
  }

  #entriesOf(keyGroup: number, page: Buffer): SpilledRow[] {
    const rows: SpilledRow[] = [];
    const cursor = this.#cursor;
    cursor.turnTo(page, 0, page.length);
    while (cursor.position < page.length) {
      const size = cursor.size();
      const start = cursor.position;
      this.#pass(start + size);
      rows.push({ keyGroup, key: page.toString('latin1', start, start + size), held: page.subarray(start + size, cursor.position) });
    }
    return rows;
  }

  /** Goes behind what the states hold. */
  #pass(heldAt: number): void {
    const cursor = this.#cursor;
    cursor.position = heldAt;
    for (let state = 0; state < this.#states; state++) {
      const bytes = cursor.sizePlusOne() - 1;
      if (bytes > 0) cursor.position += bytes;
    }
  }
}

export interface EntryPlace {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

function pageOf(key: string, count: number): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % count;
}
