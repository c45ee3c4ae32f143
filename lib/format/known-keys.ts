import { ByteWriter } from './byte-writer.ts';
import { murmur2 } from './murmur2.ts';
import type { Serde } from './serde.ts';
import { SHORT_STRING, ShortStrings } from './short-strings.ts';

/**
 * Numbers keys 0, 1, 2 … as they are met, and remembers for each what is computed once for a distinct key: its
 * encoding, hash and target.
 *
 * A primitive key is found by its value; any other by its encoding, which then has to be made for each row.
 */
export class KnownKeys {
  /** Encodings, back to back. */
  bytes: Buffer;
  /** By key number, like all that follows: where its encoding ends (and the next one starts). */
  ends = new Uint32Array(1024);
  hashes = new Int32Array(1024);
  targets = new Uint16Array(1024);
  /** 1: the key's encoding reads back as the very same value. */
  exact = new Uint8Array(1024);
  size = 0;

  readonly #serde: Serde<unknown>;
  readonly #targetOf: (hash: number) => number;
  readonly #encodings = new ByteWriter();
  readonly #shortStrings = new ShortStrings();
  readonly #primitives = new Map<unknown, number>();
  /** By the encoding as latin1. */
  readonly #objects = new Map<string, number>();

  constructor(serde: Serde<unknown>, targetOf: (hash: number) => number) {
    this.#serde = serde;
    this.#targetOf = targetOf;
    this.bytes = this.#encodings.bytes;
  }

  /** The key's number. Throws what the serde throws for a key that it has not met. */
  numberOf(key: unknown): number {
    if (typeof key === 'string' && key.length <= SHORT_STRING) {
      const number = this.#shortStrings.find(key);
      return number < 0 ? this.#learn(key) : number;
    }
    return this.#numberOfOther(key);
  }

  start(number: number): number {
    return number === 0 ? 0 : this.ends[number - 1]!;
  }

  forget(): void {
    this.size = 0;
    this.#shortStrings.clear();
    this.#primitives.clear();
    this.#objects.clear();
  }

  #numberOfOther(key: unknown): number {
    if (typeof key !== 'object') return this.#primitives.get(key) ?? this.#learn(key);
    // First it is encoded: that may give the encodings another buffer.
    const end = this.#encode(key);
    const identity = this.#encodings.bytes.toString('latin1', this.start(this.size), end);
    const known = this.#objects.get(identity);
    if (known !== undefined) return known;
    this.#objects.set(identity, this.size);
    return this.#add(false);
  }

  #learn(key: unknown): number {
    // -0 and 0 are one key in a Map: let them be one in bytes too.
    const end = this.#encode(key === 0 ? 0 : key);
    // Not `key` itself is kept: a word cut out of a line would keep the whole line alive.
    const copy = this.#serde.read(this.#encodings.bytes, this.start(this.size), end);
    const exact = copy === key;
    const identity = exact ? copy : key;
    if (typeof identity === 'string' && identity.length <= SHORT_STRING) this.#shortStrings.add(identity, this.size);
    else this.#primitives.set(identity, this.size);
    return this.#add(exact);
  }

  /** Encodes a key behind those that are known, and returns where it ends. */
  #encode(key: unknown): number {
    const out = this.#encodings;
    out.position = this.start(this.size);
    this.#serde.write(key, out);
    return out.position;
  }

  /** Adds the key that was encoded last. */
  #add(exact: boolean): number {
    const number = this.size;
    if (number === this.ends.length) this.#grow();
    this.bytes = this.#encodings.bytes;
    this.ends[number] = this.#encodings.position;
    const hash = murmur2(this.bytes, this.start(number), this.#encodings.position);
    this.hashes[number] = hash;
    this.targets[number] = this.#targetOf(hash);
    this.exact[number] = exact ? 1 : 0;
    this.size = number + 1;
    return number;
  }

  #grow(): void {
    const size = this.ends.length * 2;
    this.ends = enlarged(this.ends, new Uint32Array(size));
    this.hashes = enlarged(this.hashes, new Int32Array(size));
    this.targets = enlarged(this.targets, new Uint16Array(size));
    this.exact = enlarged(this.exact, new Uint8Array(size));
  }
}

export function enlarged<A extends Uint32Array | Uint16Array | Uint8Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
