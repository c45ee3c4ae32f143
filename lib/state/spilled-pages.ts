import { ByteWriter } from '../format/byte-writer.ts';
import type { SpilledRows } from '../ports/spilled-rows.ts';
import { Cursor } from './snapshot/cursor.ts';

/** A page takes about so much: what it costs to put one on disk is shared by all that is in it, and one is gone through to find a key. */
const PAGE_BYTES = 1024;
/** Shorter runs of bytes are copied one by one: a call costs more. */
const SHORT_BYTES = 32;

/** Entries of one key group, as a payload has them: `bytes[froms[i], tos[i])` is one, of the key `bytes[starts[i], ends[i])`. */
export interface GroupEntries {
  readonly bytes: Buffer;
  /** Of a delta: it may hold of a key only what has changed. */
  readonly isDelta: boolean;
  readonly froms: number[];
  readonly tos: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/**
 * Key groups on disk as a snapshot had them, by a hash of the key in pages: how many bytes its base's entries take (u32), these, and behind them those of
 * its deltas, oldest first. A restart takes in a page at once, and makes nothing of any key. What is taken of a key is gone from its page.
 */
export class SpilledPages {
  readonly #rows: SpilledRows;
  readonly #states: number;
  readonly #groups = new Map<number, Group>();
  readonly #cursor: Cursor;
  readonly #out = new ByteWriter();
  #size = 0;

  /** @param states so many parts an entry has */
  constructor(uid: string, rows: SpilledRows, states: number) {
    this.#rows = rows;
    this.#states = states;
    this.#cursor = new Cursor(Buffer.alloc(0), `a page of the state of ${uid}`);
  }

  /** Entries that are here: of a key that deltas have changed there are several. */
  get size(): number {
    return this.#size;
  }

  /** Takes in a key group that it has nothing of: a base's entries, and behind them those of its deltas, oldest first. */
  take(keyGroup: number, layers: readonly GroupEntries[]): void {
    const bytes = layers.reduce((sum, { froms, tos }) => froms.reduce((all, from, index) => all + (tos[index] as number) - from, sum), 0);
    const count = Math.ceil(bytes / PAGE_BYTES);
    if (count === 0) return;
    const pages = layers.map((layer) => pagesOf(layer, count));
    const sizes = new Uint32Array(count);
    const baseSizes = new Uint32Array(count);
    layers.forEach(({ isDelta, froms, tos }, layer) => {
      const of = pages[layer] as Uint32Array;
      for (let index = 0; index < of.length; index++) {
        const page = of[index] as number;
        const entryBytes = (tos[index] as number) - (froms[index] as number);
        sizes[page] = (sizes[page] as number) + entryBytes;
        if (!isDelta) baseSizes[page] = (baseSizes[page] as number) + entryBytes;
      }
    });
    const out = Buffer.allocUnsafe(bytes + count * HEAD_BYTES);
    const ends = new Uint32Array(count);
    for (let page = 0, at = 0; page < count; page++) {
      at = out.writeUInt32LE(baseSizes[page] as number, at);
      ends[page] = at;
      at += sizes[page] as number;
    }
    layers.forEach(({ bytes: from, froms, tos }, layer) => {
      const of = pages[layer] as Uint32Array;
      for (let index = 0; index < of.length; index++) {
        const page = of[index] as number;
        ends[page] = copy(from, froms[index] as number, tos[index] as number, out, ends[page] as number);
      }
    });
    for (let page = 0; page < count; page++) {
      const end = ends[page] as number;
      const size = sizes[page] as number;
      if (size > 0) this.#rows.putPage(keyGroup, page, out.subarray(end - size - HEAD_BYTES, end));
    }
    const entries = layers.reduce((sum, { froms }) => sum + froms.length, 0);
    this.#groups.set(keyGroup, { pages: count, entries });
    this.#size += entries;
  }

  /** Holds these entries of a key group, each of which is all of its key, and no others. */
  replace(keyGroup: number, entries: Buffer): void {
    const layer: GroupEntries = { bytes: entries, isDelta: false, froms: [], tos: [], starts: [], ends: [] };
    this.#walk(entries, 0, entries.length, (from, start, end, to) => {
      layer.froms.push(from);
      layer.starts.push(start);
      layer.ends.push(end);
      layer.tos.push(to);
    });
    this.#rows.clearGroup(keyGroup);
    this.#size -= this.#groups.get(keyGroup)?.entries ?? 0;
    this.#groups.delete(keyGroup);
    this.take(keyGroup, [layer]);
  }

  /** What is held of the key, taken out: the oldest first. None: it is not here. */
  remove(keyGroup: number, key: string): readonly Buffer[] {
    const group = this.#groups.get(keyGroup);
    if (group === undefined) return NOTHING;
    const index = pageOfKey(key, group.pages);
    const page = this.#rows.page(keyGroup, index);
    if (page === undefined) return NOTHING;
    const found: Buffer[] = [];
    const out = this.#out;
    const baseEnd = HEAD_BYTES + page.readUInt32LE(0);
    let baseBytes = baseEnd - HEAD_BYTES;
    let kept = HEAD_BYTES;
    out.reset();
    out.u32(0);
    this.#walk(page, HEAD_BYTES, page.length, (from, start, end, to) => {
      if (!isKey(page, start, end, key)) return;
      out.raw(page.subarray(kept, from));
      kept = to;
      if (to <= baseEnd) baseBytes -= to - from;
      found.push(page.subarray(end, to));
    });
    if (found.length === 0) return NOTHING;
    out.raw(page.subarray(kept));
    out.bytes.writeUInt32LE(baseBytes, 0);
    this.#rows.putPage(keyGroup, index, out.view());
    this.#size -= found.length;
    group.entries -= found.length;
    return found;
  }

  /** Keys that deltas have changed. */
  changedKeys(keyGroup: number): ReadonlySet<string> {
    const keys = new Set<string>();
    this.#eachPage(keyGroup, (page, baseEnd) => {
      this.#walk(page, baseEnd, page.length, (_from, start, end) => keys.add(page.toString('latin1', start, end)));
    });
    return keys;
  }

  /** All keys. */
  keys(keyGroup: number): ReadonlySet<string> {
    const keys = new Set<string>();
    this.#eachPage(keyGroup, (page) => {
      this.#walk(page, HEAD_BYTES, page.length, (_from, start, end) => keys.add(page.toString('latin1', start, end)));
    });
    return keys;
  }

  /** Visits what pages have of a base: entries as a snapshot has them, and how many. */
  eachBase(keyGroup: number, visit: (entries: Buffer, count: number) => void): void {
    this.#eachPage(keyGroup, (page, baseEnd) => {
      const count = this.#walk(page, HEAD_BYTES, baseEnd);
      if (count > 0) visit(page.subarray(HEAD_BYTES, baseEnd), count);
    });
  }

  clear(): void {
    this.#groups.clear();
    this.#size = 0;
  }

  #eachPage(keyGroup: number, visit: (page: Buffer, baseEnd: number) => void): void {
    for (let index = 0; index < (this.#groups.get(keyGroup)?.pages ?? 0); index++) {
      const page = this.#rows.page(keyGroup, index);
      if (page !== undefined) visit(page, HEAD_BYTES + page.readUInt32LE(0));
    }
  }

  /** Goes over the entries of `bytes[at, end)`, and answers how many there are. */
  #walk(bytes: Buffer, at: number, end: number, visit?: (from: number, start: number, end: number, to: number) => void): number {
    const cursor = this.#cursor;
    cursor.turnTo(bytes, at, end);
    let count = 0;
    for (; cursor.position < end; count++) {
      const from = cursor.position;
      const size = cursor.size();
      const start = cursor.position;
      cursor.position = start + size;
      for (let state = 0; state < this.#states; state++) {
        const held = cursor.sizePlusOne() - 1;
        if (held > 0) cursor.position += held;
      }
      visit?.(from, start, start + size, cursor.position);
    }
    return count;
  }
}

interface Group {
  readonly pages: number;
  entries: number;
}

const HEAD_BYTES = 4;
const NOTHING: readonly Buffer[] = [];

/** By entry: the page that it is in. */
function pagesOf({ bytes, starts, ends }: GroupEntries, count: number): Uint32Array {
  const pages = new Uint32Array(starts.length);
  for (let index = 0; index < pages.length; index++) {
    let hash = 0;
    const end = ends[index] as number;
    for (let at = starts[index] as number; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), FACTOR);
    pages[index] = pageOf(hash, count);
  }
  return pages;
}

/** The same of a key's bytes as latin1. */
function pageOfKey(key: string, count: number): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), FACTOR);
  return pageOf(hash, count);
}

const FACTOR = 0x01000193;

function pageOf(hash: number, count: number): number {
  return ((hash ^ (hash >>> 15)) >>> 0) % count;
}

/** From the end on: keys are often told apart there. */
function isKey(bytes: Buffer, start: number, end: number, key: string): boolean {
  if (end - start !== key.length) return false;
  for (let index = key.length - 1; index >= 0; index--) if (bytes[start + index] !== key.charCodeAt(index)) return false;
  return true;
}

/** Answers where what is written ends. */
function copy(bytes: Buffer, from: number, to: number, out: Buffer, at: number): number {
  if (to - from > SHORT_BYTES) bytes.copy(out, at, from, to);
  else for (let index = from; index < to; index++) out[at + index - from] = bytes[index] as number;
  return at + to - from;
}
