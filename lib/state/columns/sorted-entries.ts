import { ENTRIES_BYTES, MOST_WEIGHED, weighValue } from './weights.ts';

/** So many entries a chunk holds at most: its keys and values move when one is put in. */
const CHUNK_ENTRIES = 128;
const CHUNK_LENGTH = CHUNK_ENTRIES * 2;
/** Keys and values. */
const WEIGHED_IN_CHUNK = 8;

/**
 * Texts by text, in the order of the keys' code units; of latin1 that is the order of bytes. Always in order: an iteration sorts
 * nothing. Entries lie in chunks, key and value by turns, found by two binary searches: 16 bytes an entry besides its texts.
 */
export class SortedEntries {
  /** Ascending, none of them empty. */
  readonly #chunks: string[][] = [];
  #size = 0;
  /** Another one whenever entries have moved. */
  #version = 0;

  get size(): number {
    return this.#size;
  }

  /** Undefined: there are no entries. */
  firstKey(): string | undefined {
    return this.#chunks[0]?.[0];
  }

  /** The last key that is not behind this one, if there is any. */
  keyUpTo(key: string): string | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const at = placeIn(chunk, key);
    return chunk[at] === key ? key : chunk[at - 2];
  }

  /** The first key that is behind this one, if there is any. */
  keyBehind(key: string): string | undefined {
    const index = this.#chunkOf(key);
    return this.#chunks[index]?.[this.#behind(index, key)] ?? this.#chunks[index + 1]?.[0];
  }

  get(key: string): string | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const at = placeIn(chunk, key);
    return chunk[at] === key ? chunk[at + 1] : undefined;
  }

  set(key: string, value: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([key, value]);
    } else {
      const at = placeIn(chunk, key);
      if (chunk[at] === key) {
        chunk[at + 1] = value;
        return;
      }
      if (chunk.length < CHUNK_LENGTH) chunk.splice(at, 0, key, value);
      else this.#setInFull(index, chunk, at, key, value);
    }
    this.#size++;
    this.#version++;
  }

  /** Was it there? */
  delete(key: string): boolean {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = placeIn(chunk, key);
    if (chunk[at] !== key) return false;
    if (chunk.length === 2) this.#chunks.splice(index, 1);
    else chunk.splice(at, 2);
    this.#size--;
    this.#version++;
    return true;
  }

  forEach(visit: (key: string, value: string) => void): void {
    for (const chunk of this.#chunks) for (let at = 0; at < chunk.length; at += 2) visit(chunk[at] as string, chunk[at + 1] as string);
  }

  /** Visits the values of the keys behind `from`, up to `to` and with it. Nothing is put in or taken out meanwhile. */
  forEachWithin(from: string, to: string, visit: (value: string) => void): void {
    const first = this.#chunkOf(from);
    for (let index = first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as string[];
      for (let at = index === first ? this.#behind(index, from) : 0; at < chunk.length; at += 2) {
        if ((chunk[at] as string) > to) return;
        visit(chunk[at + 1] as string);
      }
    }
  }

  /** Bytes of memory that they take, by estimate: the first entries of the first chunks speak for the others. */
  weigh(): number {
    if (this.#size === 0) return 0;
    let bytes = 0;
    let looked = 0;
    for (let index = 0; index < this.#chunks.length && looked < MOST_WEIGHED; index++) {
      const chunk = this.#chunks[index] as string[];
      for (let at = 0; at < chunk.length && at < WEIGHED_IN_CHUNK; at += 2) {
        bytes += weighValue(chunk[at]) + weighValue(chunk[at + 1]);
        looked++;
      }
    }
    return ENTRIES_BYTES + Math.ceil((bytes / looked) * this.#size);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#size = 0;
    this.#version++;
  }

  /** The keys in their order. One that is put in before it was passed is met, one that is taken out is not. */
  *keys(): Generator<string> {
    let version = this.#version;
    let index = 0;
    let at = 0;
    for (;;) {
      const chunk = this.#chunks[index];
      const key = chunk?.[at];
      if (chunk === undefined || key === undefined) return;
      yield key;
      if (version === this.#version) {
        at += 2;
      } else {
        version = this.#version;
        index = this.#chunkOf(key);
        at = this.#behind(index, key);
      }
      if (at >= (this.#chunks[index]?.length ?? 0)) {
        index++;
        at = 0;
      }
    }
  }

  /** The chunk that holds the key, if any does: the last that does not begin behind it, or the first. */
  #chunkOf(key: string): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (((chunks[middle] as string[])[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where in the chunk the keys behind this one begin. */
  #behind(index: number, key: string): number {
    const chunk = this.#chunks[index] ?? [];
    const at = placeIn(chunk, key);
    return chunk[at] === key ? at + 2 : at;
  }

  #setInFull(index: number, chunk: string[], at: number, key: string, value: string): void {
    // Behind all others: what comes in order leaves full chunks behind it.
    if (at === chunk.length && index === this.#chunks.length - 1) {
      this.#chunks.push([key, value]);
      return;
    }
    const upper = chunk.splice(CHUNK_LENGTH / 2);
    this.#chunks.splice(index + 1, 0, upper);
    if (at <= chunk.length) chunk.splice(at, 0, key, value);
    else upper.splice(at - chunk.length, 0, key, value);
  }
}

/** The index of the key in the chunk, or where it would have to be. */
function placeIn(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle * 2] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
