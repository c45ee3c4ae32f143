import type { Serde } from '../../format/serde.ts';
import { hasPrimitives } from '../../format/serdes.ts';
import { decode, encode, freeze, isObject } from './encoding.ts';

/**
 * The objects of a state's entries that user code has: given out, or given to the state. They may be changed in place until they
 * are taken back: then each is encoded, compared with what is kept, and frozen, so that who changes it later finds out. An entry has
 * one object at a time. Values that are no objects cannot be changed in place, and are not remembered.
 */
export class Loans<Entry> {
  readonly #name: string;
  readonly #serde: Serde<unknown>;
  readonly #canBeObjects: boolean;
  /** By key number and entry. */
  readonly #objects = new Map<number, Map<Entry, unknown>>();

  /** @param name the state's */
  constructor(name: string, serde: Serde<unknown>) {
    this.#name = name;
    this.#serde = serde;
    this.#canBeObjects = !hasPrimitives(serde);
  }

  /** The value to give out of an entry with this encoding. */
  give(number: number, entry: Entry, encoded: string): unknown {
    if (!this.#canBeObjects) return decode(this.#name, this.#serde, encoded);
    const known = this.#objects.get(number)?.get(entry);
    if (known !== undefined) return known;
    const value = decode(this.#name, this.#serde, encoded);
    if (isObject(value)) this.#remember(number, entry, value);
    return value;
  }

  /** The encoding of a value that user code puts into an entry. Throws `StateValueError`. */
  take(number: number, entry: Entry, value: unknown): string {
    const encoded = encode(this.#name, this.#serde, value);
    if (!this.#canBeObjects) return encoded;
    if (isObject(value)) this.#remember(number, entry, value);
    else this.forget(number, entry);
    return encoded;
  }

  /** The entry is gone; without one, all entries of the key are. */
  forget(number: number, entry?: Entry): void {
    if (entry === undefined) this.#objects.delete(number);
    else this.#objects.get(number)?.delete(entry);
  }

  /** The records are done with. `put` is given what each object is now. Throws `StateValueError`. */
  takeBack(put: (number: number, entry: Entry, encoded: string) => void): void {
    for (const [number, objects] of this.#objects) {
      for (const [entry, value] of objects) {
        put(number, entry, encode(this.#name, this.#serde, value));
        freeze(value);
      }
    }
    this.#objects.clear();
  }

  drop(): void {
    this.#objects.clear();
  }

  #remember(number: number, entry: Entry, value: object): void {
    const objects = this.#objects.get(number);
    if (objects === undefined) this.#objects.set(number, new Map([[entry, value]]));
    else objects.set(entry, value);
  }
}
