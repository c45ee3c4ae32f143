import type { Serde } from '../../../../lib/format/serde.ts';
import type { StateDeclaration } from '../../../../lib/state/columns/columns.ts';
import type { Kept } from '../blobs.ts';
import type { Ages, Item } from './ages.ts';
import { copied, decoded, encoded } from './rows.ts';
import { TimersHandle } from './timers.ts';
import { WaitingHandle } from './waiting.ts';

/** One state of one key, while one record is worked on: what the job's author is given. */
export interface Handle {
  /** What it holds when the record is done with; undefined: nothing. */
  takeBack(): Kept | undefined;
}

export function openHandle<K extends StateDeclaration['kind']>(declared: StateDeclaration<K>, kept: Kept | undefined, ages: Ages): Handle {
  return handles[declared.kind](declared, kept, ages);
}

/** A new kind of state is a line here: without it this does not compile. */
const handles: { readonly [K in StateDeclaration['kind']]: (declared: StateDeclaration<K>, kept: Kept | undefined, ages: Ages) => Handle } =
  {
    value: ({ serdes: [serde], initial }, kept, ages) => new ValueHandle(serde, kept as Buffer | undefined, ages, initial),
    reducing: ({ serdes: [serde], reduce }, kept, ages) =>
      new FoldHandle(serde, kept as Buffer | undefined, ages, {
        first: (value) => value,
        next: reduce,
        result: (reduced) => reduced,
      }),
    aggregating: ({ serdes: [serde], initial, add, result = (accumulator: unknown) => accumulator }, kept, ages) =>
      new FoldHandle(serde, kept as Buffer | undefined, ages, {
        first: (value) => add(fresh(serde, initial), value),
        next: add,
        result,
      }),
    list: ({ serdes: [serde] }, kept, ages) => new ListHandle(serde, (kept ?? []) as readonly Buffer[], ages),
    timers: (_, kept) => new TimersHandle((kept ?? new Map()) as ReadonlyMap<string, Buffer>),
    waiting: ({ serdes: [serde] }, kept) => new WaitingHandle(serde, (kept ?? new Map()) as ReadonlyMap<string, Buffer>),
    map: ({ serdes: [key, value] }, kept, ages) => new MapHandle(key, value, (kept ?? new Map()) as ReadonlyMap<string, Buffer>, ages),
  };

/** An object is made anew each time, so that no two keys share one. */
function fresh(serde: Serde<unknown>, initial: unknown): unknown {
  if (typeof initial === 'function') return (initial as () => unknown)();
  return typeof initial === 'object' && initial !== null ? decoded(serde, encoded(serde, initial)) : initial;
}

class ValueHandle implements Handle {
  readonly #serde: Serde<unknown>;
  readonly #ages: Ages;
  readonly #initial: unknown;
  #item: Item | undefined;
  /** An initial value that was given out. */
  #lent: { readonly value: object; readonly before: Buffer } | undefined;

  constructor(serde: Serde<unknown>, kept: Buffer | undefined, ages: Ages, initial: unknown) {
    this.#serde = serde;
    this.#ages = ages;
    this.#initial = initial;
    this.#item = kept === undefined ? undefined : ages.read(serde, kept);
  }

  get(): unknown {
    if (this.#item !== undefined) return this.#ages.give(this.#item);
    if (this.#lent !== undefined) return this.#lent.value;
    const value = fresh(this.#serde, this.#initial);
    // An object that is changed in place is saved; an initial value that is only read is not.
    if (typeof value === 'object' && value !== null) this.#lent = { value, before: encoded(this.#serde, value) };
    return value;
  }

  set(value: unknown): void {
    if (value === undefined) throw new TypeError('a state cannot be set to undefined');
    this.#item = this.#ages.written(value);
    this.#lent = undefined;
  }

  update(change: (value: unknown) => unknown): unknown {
    const value = change(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    this.#item = undefined;
    this.#lent = undefined;
  }

  takeBack(): Buffer | undefined {
    if (this.#item !== undefined) return this.#ages.write(this.#serde, this.#item);
    if (this.#lent === undefined || this.#lent.before.equals(encoded(this.#serde, this.#lent.value))) return undefined;
    return this.#ages.write(this.#serde, this.#ages.written(this.#lent.value));
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
  readonly #ages: Ages;
  readonly #fold: Fold;
  #folded: Item | undefined;

  constructor(serde: Serde<unknown>, kept: Buffer | undefined, ages: Ages, fold: Fold) {
    this.#serde = serde;
    this.#ages = ages;
    this.#fold = fold;
    this.#folded = kept === undefined ? undefined : ages.read(serde, kept);
  }

  get(): unknown {
    return this.#folded === undefined ? undefined : this.#fold.result(this.#ages.give(this.#folded));
  }

  add(value: unknown): void {
    this.#folded = this.#ages.written(this.#folded === undefined ? this.#fold.first(value) : this.#fold.next(this.#folded.value, value));
  }

  clear(): void {
    this.#folded = undefined;
  }

  takeBack(): Buffer | undefined {
    return this.#folded === undefined ? undefined : this.#ages.write(this.#serde, this.#folded);
  }
}

class ListHandle implements Handle {
  readonly #serde: Serde<unknown>;
  readonly #ages: Ages;
  #items: Item[];

  constructor(serde: Serde<unknown>, kept: readonly Buffer[], ages: Ages) {
    this.#serde = serde;
    this.#ages = ages;
    this.#items = kept.map((item) => ages.read(serde, item));
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): unknown {
    const item = this.#items[index];
    return item === undefined ? undefined : this.#ages.give(item);
  }

  add(value: unknown): void {
    this.#items.push(this.#ages.written(value));
  }

  set(index: number, value: unknown): void {
    if (!(index in this.#items)) throw new RangeError(`a list of ${this.length} has no entry ${index}`);
    this.#items[index] = this.#ages.written(value);
  }

  clear(): void {
    this.#items = [];
  }

  *[Symbol.iterator](): Iterator<unknown> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  takeBack(): readonly Buffer[] | undefined {
    return this.length === 0 ? undefined : this.#items.map((item) => this.#ages.write(this.#serde, item));
  }
}

class MapHandle implements Handle {
  readonly #key: Serde<unknown>;
  readonly #value: Serde<unknown>;
  readonly #ages: Ages;
  /** By the key's bytes, as latin1. */
  readonly #entries: Map<string, Item>;

  constructor(key: Serde<unknown>, value: Serde<unknown>, kept: ReadonlyMap<string, Buffer>, ages: Ages) {
    this.#key = key;
    this.#value = value;
    this.#ages = ages;
    this.#entries = new Map([...kept].map(([name, bytes]) => [name, ages.read(value, bytes)]));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: unknown): unknown {
    return this.#give(this.#nameOf(key));
  }

  has(key: unknown): boolean {
    return this.#entries.has(this.#nameOf(key));
  }

  set(key: unknown, value: unknown): void {
    if (value === undefined) throw new TypeError('an entry cannot be set to undefined');
    this.#entries.set(this.#nameOf(key), this.#ages.written(value));
  }

  delete(key: unknown): boolean {
    return this.#entries.delete(this.#nameOf(key));
  }

  entries(): IteratorObject<[unknown, unknown]> {
    return this.#names().map((name) => [this.#keyOf(name), this.#give(name)]);
  }

  keys(): IteratorObject<unknown> {
    return this.#names().map((name) => this.#keyOf(name));
  }

  values(): IteratorObject<unknown> {
    return this.#names().map((name) => this.#give(name));
  }

  [Symbol.iterator](): IteratorObject<[unknown, unknown]> {
    return this.entries();
  }

  clear(): void {
    this.#entries.clear();
  }

  /* What the engine's own joins ask of a map besides. */

  firstKey(): unknown {
    return this.#keyOrNone(this.#nextName(undefined));
  }

  keyBehind(key: unknown): unknown {
    return this.#keyOrNone(this.#nextName(this.#nameOf(key)));
  }

  keyUpTo(key: unknown): unknown {
    const name = this.#nameOf(key);
    if (this.#entries.has(name)) return key;
    return this.#keyOrNone(
      [...this.#names()].findLast((each) => Buffer.compare(Buffer.from(each, 'latin1'), Buffer.from(name, 'latin1')) < 0),
    );
  }

  copyOf(key: unknown): unknown {
    return copied(this.get(key));
  }

  takeBack(): ReadonlyMap<string, Buffer> | undefined {
    return this.size === 0 ? undefined : new Map([...this.#entries].map(([name, item]) => [name, this.#ages.write(this.#value, item)]));
  }

  *#names(): Generator<string> {
    for (let name = this.#nextName(undefined); name !== undefined; name = this.#nextName(name)) yield name;
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

  #give(name: string): unknown {
    const item = this.#entries.get(name);
    return item === undefined ? undefined : this.#ages.give(item);
  }

  #keyOrNone(name: string | undefined): unknown {
    return name === undefined ? undefined : this.#keyOf(name);
  }

  #keyOf(name: string): unknown {
    return decoded(this.#key, Buffer.from(name, 'latin1'));
  }

  #nameOf(key: unknown): string {
    return encoded(this.#key, key === 0 ? 0 : key).toString('latin1');
  }
}
