import type { Serde } from '../../../../lib/format/serde.ts';
import type { StateDeclaration } from '../../../../lib/state/columns/columns.ts';
import type { Kept } from '../blobs.ts';
import { decoded, encoded } from './rows.ts';
import { TimersHandle } from './timers.ts';
import { WaitingHandle } from './waiting.ts';

/** One state of one key, while one record is worked on: what the job's author is given. */
export interface Handle {
  /** What it holds when the record is done with; undefined: nothing. */
  takeBack(): Kept | undefined;
}

export function openHandle<K extends StateDeclaration['kind']>(declared: StateDeclaration<K>, kept: Kept | undefined): Handle {
  return handles[declared.kind](declared, kept);
}

/** A new kind of state is a line here: without it this does not compile. */
const handles: { readonly [K in StateDeclaration['kind']]: (declared: StateDeclaration<K>, kept: Kept | undefined) => Handle } = {
  value: ({ serdes: [serde], initial }, kept) => new ValueHandle(serde, kept as Buffer | undefined, initial),
  reducing: ({ serdes: [serde], reduce }, kept) =>
    new FoldHandle(serde, kept as Buffer | undefined, {
      first: (value) => value,
      next: reduce,
      result: (reduced) => reduced,
    }),
  aggregating: ({ serdes: [serde], initial, add, result = (accumulator: unknown) => accumulator }, kept) =>
    new FoldHandle(serde, kept as Buffer | undefined, {
      first: (value) => add(fresh(serde, initial), value),
      next: add,
      result,
    }),
  list: ({ serdes: [serde] }, kept) => new ListHandle(serde, (kept ?? []) as readonly Buffer[]),
  timers: (_, kept) => new TimersHandle((kept ?? new Map()) as ReadonlyMap<string, Buffer>),
  waiting: ({ serdes: [serde] }, kept) => new WaitingHandle(serde, (kept ?? new Map()) as ReadonlyMap<string, Buffer>),
  map: ({ serdes: [key, value] }, kept) => new MapHandle(key, value, (kept ?? new Map()) as ReadonlyMap<string, Buffer>),
};

/** An object is made anew each time, so that no two keys share one. */
function fresh(serde: Serde<unknown>, initial: unknown): unknown {
  if (typeof initial === 'function') return (initial as () => unknown)();
  return typeof initial === 'object' && initial !== null ? decoded(serde, encoded(serde, initial)) : initial;
}

class ValueHandle implements Handle {
  readonly #serde: Serde<unknown>;
  readonly #initial: unknown;
  #kept: Buffer | undefined;
  #lent: { readonly value: unknown; readonly before: Buffer | undefined } | undefined;

  constructor(serde: Serde<unknown>, kept: Buffer | undefined, initial: unknown) {
    this.#serde = serde;
    this.#kept = kept;
    this.#initial = initial;
  }

  get(): unknown {
    if (this.#lent !== undefined) return this.#lent.value;
    const value = this.#kept === undefined ? fresh(this.#serde, this.#initial) : decoded(this.#serde, this.#kept);
    // An object that is changed in place is saved; an initial value that is only read is not.
    if (typeof value === 'object' && value !== null) this.#lent = { value, before: encoded(this.#serde, value) };
    return value;
  }

  set(value: unknown): void {
    if (value === undefined) throw new TypeError('a state cannot be set to undefined');
    this.#lent = { value, before: undefined };
  }

  update(change: (value: unknown) => unknown): unknown {
    const value = change(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    this.#lent = undefined;
    this.#kept = undefined;
  }

  takeBack(): Buffer | undefined {
    if (this.#lent === undefined) return this.#kept;
    const { value, before } = this.#lent;
    const after = encoded(this.#serde, value);
    return before?.equals(after) ? this.#kept : after;
  }
}

/** How values become one. */
interface Fold {
  first(value: unknown): unknown;
  next(folded: unknown, value: unknown): unknown;
  result(folded: unknown): unknown;
}

class FoldHandle implements Handle {
  readonly #serde: Serde<unknown>;
  readonly #fold: Fold;
  #folded: unknown;

  constructor(serde: Serde<unknown>, kept: Buffer | undefined, fold: Fold) {
    this.#serde = serde;
    this.#fold = fold;
    this.#folded = kept === undefined ? undefined : decoded(serde, kept);
  }

  get(): unknown {
    return this.#folded === undefined ? undefined : this.#fold.result(this.#folded);
  }

  add(value: unknown): void {
    this.#folded = this.#folded === undefined ? this.#fold.first(value) : this.#fold.next(this.#folded, value);
  }

  clear(): void {
    this.#folded = undefined;
  }

  takeBack(): Buffer | undefined {
    return this.#folded === undefined ? undefined : encoded(this.#serde, this.#folded);
  }
}

class ListHandle implements Handle {
  readonly #serde: Serde<unknown>;
  #items: unknown[];

  constructor(serde: Serde<unknown>, kept: readonly Buffer[]) {
    this.#serde = serde;
    this.#items = kept.map((item) => decoded(serde, item));
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): unknown {
    return this.#items[index];
  }

  add(value: unknown): void {
    this.#items.push(value);
  }

  set(index: number, value: unknown): void {
    if (!(index in this.#items)) throw new RangeError(`a list of ${this.length} has no entry ${index}`);
    this.#items[index] = value;
  }

  clear(): void {
    this.#items = [];
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#items.values();
  }

  takeBack(): readonly Buffer[] | undefined {
    return this.length === 0 ? undefined : this.#items.map((item) => encoded(this.#serde, item));
  }
}

class MapHandle implements Handle {
  readonly #key: Serde<unknown>;
  readonly #value: Serde<unknown>;
  /** By the key's bytes, as latin1. */
  readonly #entries: Map<string, unknown>;

  constructor(key: Serde<unknown>, value: Serde<unknown>, kept: ReadonlyMap<string, Buffer>) {
    this.#key = key;
    this.#value = value;
    this.#entries = new Map([...kept].map(([name, bytes]) => [name, decoded(value, bytes)]));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: unknown): unknown {
    return this.#entries.get(this.#nameOf(key));
  }

  has(key: unknown): boolean {
    return this.#entries.has(this.#nameOf(key));
  }

  set(key: unknown, value: unknown): void {
    if (value === undefined) throw new TypeError('an entry cannot be set to undefined');
    this.#entries.set(this.#nameOf(key), value);
  }

  delete(key: unknown): boolean {
    return this.#entries.delete(this.#nameOf(key));
  }

  *entries(): Generator<[unknown, unknown]> {
    for (let name = this.#nextName(undefined); name !== undefined; name = this.#nextName(name))
      yield [decoded(this.#key, Buffer.from(name, 'latin1')), this.#entries.get(name)];
  }

  keys(): IteratorObject<unknown> {
    return this.entries().map(([key]) => key);
  }

  values(): IteratorObject<unknown> {
    return this.entries().map(([, value]) => value);
  }

  [Symbol.iterator](): IteratorObject<[unknown, unknown]> {
    return this.entries();
  }

  clear(): void {
    this.#entries.clear();
  }

  takeBack(): ReadonlyMap<string, Buffer> | undefined {
    return this.size === 0 ? undefined : new Map([...this.#entries].map(([name, value]) => [name, encoded(this.#value, value)]));
  }

  /** The least of those that are greater, byte by byte. */
  #nextName(last: string | undefined): string | undefined {
    const bytesOf = (name: string) => Buffer.from(name, 'latin1');
    const behind = [...this.#entries.keys()].filter((name) => last === undefined || Buffer.compare(bytesOf(name), bytesOf(last)) > 0);
    return behind.reduce<string | undefined>(
      (least, name) => (least !== undefined && Buffer.compare(bytesOf(least), bytesOf(name)) < 0 ? least : name),
      undefined,
    );
  }

  #nameOf(key: unknown): string {
    return encoded(this.#key, key === 0 ? 0 : key).toString('latin1');
  }
}
