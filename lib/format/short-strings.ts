/** Longer strings are for a `Map`. */
export const SHORT_STRING = 12;

const FEWEST_SLOTS = 1024;
/** Numbers of a slot: three for the characters, one for (the string's number + 1) × 16 + its length. 0: free. */
const SLOT = 4;
/** A string that finds no slot within so many goes into a `Map`: hostile input cannot make a look-up slow. */
const MAX_PROBES = 16;

/**
 * Finds the numbers (≥ 0) of short strings that were just made: cut out of a line, say. A `Map` asks V8 for the hash of
 * each such string, a call into the runtime, and compares it with another string somewhere in memory. Here the
 * characters themselves are the key, four to a number, and lie in the slot (open addressing, at most two thirds full).
 */
export class ShortStrings {
  #slots = new Int32Array(SLOT * FEWEST_SLOTS);
  #used = 0;
  /** Strings that are not Latin-1, and those that found no slot. */
  readonly #others = new Map<string, number>();
  /** The string that was looked for last and not found, packed. */
  #first = 0;
  #second = 0;
  #third = 0;
  #isPacked = false;

  /**
   * The number of `text`, or -1. Packing is written out here: as a function of its own V8 calls it, and the hash, at each row, wherever it makes this
   * a part of the caller. So it did in the functions' bundle, and the source's own code took a sixth more.
   */
  find(text: string): number {
    const length = text.length;
    let first = 0;
    let second = 0;
    let third = 0;
    let all = 0;
    let index = 0;
    for (; index < length && index < 4; index++) {
      const unit = text.charCodeAt(index);
      all |= unit;
      first = (first << 8) | unit;
    }
    for (; index < length && index < 8; index++) {
      const unit = text.charCodeAt(index);
      all |= unit;
      second = (second << 8) | unit;
    }
    for (; index < length; index++) {
      const unit = text.charCodeAt(index);
      all |= unit;
      third = (third << 8) | unit;
    }
    if (all <= 0xff) {
      const slots = this.#slots;
      let at = slotOf(first, second, third, slots.length);
      for (let probes = 0; probes < MAX_PROBES; probes++) {
        const entry = slots[at + 3]!;
        if (entry === 0) break;
        if (slots[at] === first && slots[at + 1] === second && slots[at + 2] === third && (entry & 15) === length) return (entry >>> 4) - 1;
        at = (at + SLOT) & (slots.length - 1);
      }
    }
    return this.#otherwise(text, first, second, third, all);
  }

  /** `text` must be new, and `number` below 2^27 - 1. */
  add(text: string, number: number): void {
    // What is looked for and not found is packed.
    this.find(text);
    if ((this.#used + 1) * SLOT * 3 > this.#slots.length * 2) this.#grow();
    const entry = (number + 1) * 16 + text.length;
    if (!this.#isPacked || !this.#place(this.#first, this.#second, this.#third, entry)) this.#others.set(text, number);
  }

  clear(): void {
    this.#slots.fill(0);
    this.#used = 0;
    this.#others.clear();
  }

  /** It has no slot: it may be among the others, or is to be added. */
  #otherwise(text: string, first: number, second: number, third: number, all: number): number {
    this.#first = first;
    this.#second = second;
    this.#third = third;
    this.#isPacked = all <= 0xff;
    return this.#others.get(text) ?? -1;
  }

  /** Puts a packed string into a slot; false when it finds none. */
  #place(first: number, second: number, third: number, entry: number): boolean {
    const slots = this.#slots;
    let at = slotOf(first, second, third, slots.length);
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      if (slots[at + 3] === 0) {
        slots[at] = first;
        slots[at + 1] = second;
        slots[at + 2] = third;
        slots[at + 3] = entry;
        this.#used++;
        return true;
      }
      at = (at + SLOT) & (slots.length - 1);
    }
    return false;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    this.#used = 0;
    for (let at = 0; at < before.length; at += SLOT) {
      const entry = before[at + 3]!;
      if (entry === 0) continue;
      const first = before[at]!;
      const second = before[at + 1]!;
      const third = before[at + 2]!;
      if (!this.#place(first, second, third, entry)) this.#others.set(unpacked([first, second, third], entry & 15), (entry >>> 4) - 1);
    }
  }
}

function unpacked(words: readonly number[], length: number): string {
  const units = Array.from({ length }, (_, index) => {
    const inWord = Math.min(length - (index & ~3), 4);
    return ((words[index >> 2] as number) >>> (8 * (inWord - 1 - (index & 3)))) & 0xff;
  });
  return String.fromCharCode(...units);
}

/** `slotsLength` is a power of two. */
function slotOf(first: number, second: number, third: number, slotsLength: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) << 2) & (slotsLength - 1);
}
