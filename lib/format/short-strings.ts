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
  /** The packed string. */
  #first = 0;
  #second = 0;
  #third = 0;

  /** The number of `text`, or -1. */
  find(text: string): number {
    if (!this.#pack(text)) return this.#others.get(text) ?? -1;
    const length = text.length;
    const first = this.#first;
    const second = this.#second;
    const third = this.#third;
    const slots = this.#slots;
    let at = slotOf(first, second, third, slots.length);
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const entry = slots[at + 3]!;
      if (entry === 0) break;
      if (slots[at] === first && slots[at + 1] === second && slots[at + 2] === third && (entry & 15) === length) return (entry >>> 4) - 1;
      at = (at + SLOT) & (slots.length - 1);
    }
    return this.#others.get(text) ?? -1;
  }

  /** `text` must be new, and `number` below 2^27 - 1. */
  add(text: string, number: number): void {
    if ((this.#used + 1) * SLOT * 3 > this.#slots.length * 2) this.#grow();
    if (!this.#pack(text) || !this.#place((number + 1) * 16 + text.length)) this.#others.set(text, number);
  }

  clear(): void {
    this.#slots.fill(0);
    this.#used = 0;
    this.#others.clear();
  }

  /** False when a character does not fit. */
  #pack(text: string): boolean {
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
    this.#first = first;
    this.#second = second;
    this.#third = third;
    return all <= 0xff;
  }

  /** Puts the packed string into a slot; false when it finds none. */
  #place(entry: number): boolean {
    const slots = this.#slots;
    let at = slotOf(this.#first, this.#second, this.#third, slots.length);
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      if (slots[at + 3] === 0) {
        slots[at] = this.#first;
        slots[at + 1] = this.#second;
        slots[at + 2] = this.#third;
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
      this.#first = before[at]!;
      this.#second = before[at + 1]!;
      this.#third = before[at + 2]!;
      if (!this.#place(entry)) this.#others.set(this.#unpack(entry & 15), (entry >>> 4) - 1);
    }
  }

  #unpack(length: number): string {
    const words = [this.#first, this.#second, this.#third];
    const units = Array.from({ length }, (_, index) => {
      const inWord = Math.min(length - (index & ~3), 4);
      return (words[index >> 2]! >>> (8 * (inWord - 1 - (index & 3)))) & 0xff;
    });
    return String.fromCharCode(...units);
  }
}

/** `slotsLength` is a power of two. */
function slotOf(first: number, second: number, third: number, slotsLength: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) << 2) & (slotsLength - 1);
}
