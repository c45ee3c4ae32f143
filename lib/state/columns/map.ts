import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import { Cursor } from '../snapshot/cursor.ts';
import type { SnapshotPart } from '../snapshot/writer.ts';
import type { Column } from './column.ts';
import { decode, encodeKey, freeze } from './encoding.ts';
import { type Lifetime, lifetimeOf, Oldest } from './lifetime.ts';
import { Loans } from './loans.ts';
import { ALL, CHANGED_ENTRIES, readAll, readChanged, writeAll, writeChanged } from './map-format.ts';
import { SortedEntries } from './sorted-entries.ts';
import type { Translation } from './translation.ts';

/** A state that holds a map of each key. In a snapshot: `map-format.ts`. */
export interface MapDeclaration extends DeclaredState {
  readonly kind: 'map';
  /** Of the keys, and of the values. */
  readonly serdes: readonly [Serde<unknown>, Serde<unknown>];
}

/**
 * The map of one state for the key that is being worked on. Its entries' keys are told apart by the bytes that their serde writes,
 * and everything goes through the entries in the order of these bytes. An object that it gave out as a value, or was given, may be
 * changed in place while its record is worked on: that is saved. A key that it gives out is a copy. It is of no use outside of its
 * record: everything throws there.
 *
 * @example
 * const seen = (pages: MapState<string, number>, page: string) => pages.set(page, (pages.get(page) ?? 0) + 1);
 */
export interface MapState<K, V> extends Iterable<[K, V]> {
  /** So many entries there are. */
  readonly size: number;
  /** Undefined when there is no such entry. */
  get(key: K): V | undefined;
  /** Is there an entry of this key? It is not read, and does not live longer for it. */
  has(key: K): boolean;
  /** Throws `TypeError` for undefined: what is not there is deleted. */
  set(key: K, value: V): void;
  /** Was the entry there? */
  delete(key: K): boolean;
  /** What is set or deleted meanwhile is met or not, as it lies before or behind the present entry. */
  keys(): IteratorObject<K, undefined>;
  /** As `keys`. */
  values(): IteratorObject<V, undefined>;
  /** As `keys`. */
  entries(): IteratorObject<[K, V], undefined>;
  /** Takes all entries away: when no state is left, the key costs nothing. */
  clear(): void;
}

/** What the engine's own operators do with a map besides. Its keys lie in the order of their bytes. */
export interface OrderedMap<K, V> extends MapState<K, V> {
  /** Undefined, here and below: there is none. */
  firstKey(): K | undefined;
  /** The last key that is not behind this one. */
  keyUpTo(key: K): K | undefined;
  /** The first key that is behind this one. */
  keyBehind(key: K): K | undefined;
  /** The value as it was set or taken back last. What is changed of this one is not saved. */
  copyOf(key: K): V | undefined;
  /** Visits copies of the values whose keys are behind `from`, up to `to` and with it, in their order. Nothing is set or deleted meanwhile. */
  eachCopyWithin(from: K, to: K, visit: (value: V) => void): void;
}

export function openMapColumn(keys: KeyIndex, state: MapDeclaration): Column {
  return new MapColumn(keys, state);
}

/** Keys of the entries that have changed since the last snapshot; `all`: what that has of the map is of no use any more. */
type Change = Set<string> | 'all';

class MapColumn implements Column, OrderedMap<unknown, unknown> {
  readonly handle = this;
  readonly state: MapDeclaration;
  readonly #keys: KeyIndex;
  readonly #keySerde: Serde<unknown>;
  /** By the key of the entry. */
  readonly #loans: Loans<string>;
  readonly #lifetime: Lifetime;
  readonly #oldest: Oldest;
  /** What is kept of values, by encodings, as latin1. */
  #maps: (SortedEntries | undefined)[] = [];
  /** By key number. */
  readonly #changes = new Map<number, Change>();

  constructor(keys: KeyIndex, state: MapDeclaration) {
    this.state = state;
    this.#keys = keys;
    this.#keySerde = state.serdes[0];
    this.#loans = new Loans(state.name, state.serdes[1]);
    this.#lifetime = lifetimeOf(keys, state);
    this.#oldest = new Oldest(this.#lifetime);
  }

  get size(): number {
    const number = currentOf(this.#keys, this.state);
    this.#sweep(number);
    return this.#maps[number]?.size ?? 0;
  }

  get(key: unknown): unknown {
    const number = currentOf(this.#keys, this.state);
    const entry = this.#entryOf(key);
    const kept = this.#read(number, entry);
    return kept === undefined ? undefined : this.#loans.give(number, entry, this.#lifetime.encodingOf(kept));
  }

  firstKey(): unknown {
    return this.#keyOrNone(this.#maps[currentOf(this.#keys, this.state)]?.firstKey());
  }

  keyUpTo(key: unknown): unknown {
    return this.#keyOrNone(this.#maps[currentOf(this.#keys, this.state)]?.keyUpTo(this.#entryOf(key)));
  }

  keyBehind(key: unknown): unknown {
    return this.#keyOrNone(this.#maps[currentOf(this.#keys, this.state)]?.keyBehind(this.#entryOf(key)));
  }

  copyOf(key: unknown): unknown {
    const encoded = this.#maps[currentOf(this.#keys, this.state)]?.get(this.#entryOf(key));
    return encoded === undefined ? undefined : decode(this.state.name, this.state.serdes[1], encoded);
  }

  eachCopyWithin(from: unknown, to: unknown, visit: (value: unknown) => void): void {
    const [name, serde] = [this.state.name, this.state.serdes[1]];
    this.#maps[currentOf(this.#keys, this.state)]?.forEachWithin(this.#entryOf(from), this.#entryOf(to), (encoded) =>
      visit(decode(name, serde, encoded)),
    );
  }

  has(key: unknown): boolean {
    const number = currentOf(this.#keys, this.state);
    const entry = this.#entryOf(key);
    return this.#living(number, entry) !== undefined;
  }

  set(key: unknown, value: unknown): void {
    const number = currentOf(this.#keys, this.state);
    if (value === undefined) throw new TypeError(`an entry of state ${this.state.name} cannot be set to undefined: use delete()`);
    const entry = this.#entryOf(key);
    const encoded = this.#loans.take(number, entry, value);
    this.#put(number, entry, this.#maps[number]?.get(entry), this.#lifetime.written(encoded));
  }

  delete(key: unknown): boolean {
    const number = currentOf(this.#keys, this.state);
    const entry = this.#entryOf(key);
    const entries = this.#maps[number];
    const kept = entries?.get(entry);
    if (entries === undefined || kept === undefined) return false;
    this.#remove(number, entries, entry);
    return !this.#lifetime.isOver(kept);
  }

  keys(): IteratorObject<unknown, undefined> {
    return this.#iterate((_number, entry) => this.#keyOf(entry));
  }

  values(): IteratorObject<unknown, undefined> {
    return this.#iterate((number, entry) => this.#valueOf(number, entry));
  }

  entries(): IteratorObject<[unknown, unknown], undefined> {
    return this.#iterate((number, entry) => [this.#keyOf(entry), this.#valueOf(number, entry)]);
  }

  [Symbol.iterator](): IteratorObject<[unknown, unknown], undefined> {
    return this.entries();
  }

  clear(): void {
    const number = currentOf(this.#keys, this.state);
    const entries = this.#maps[number];
    if (entries === undefined || entries.size === 0) return;
    this.#changeAll(number);
    this.#loans.forget(number);
    entries.clear();
  }

  extend(): void {
    this.#maps.push(undefined);
  }

  read(): unknown {
    return new Map(this);
  }

  isEmpty(number: number): boolean {
    return (this.#maps[number]?.size ?? 0) === 0;
  }

  write(number: number, out: ByteWriter, part: SnapshotPart): boolean {
    const entries = this.#maps[number];
    if (entries === undefined || entries.size === 0) return false;
    const change = part === 'base' ? 'all' : (this.#changes.get(number) ?? UNCHANGED);
    if (change === 'all') writeAll(entries, out);
    else writeChanged(entries, change, out);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number, translation: Translation = []): void {
    const [key, value] = translation;
    const cursor = new Cursor(bytes, `state ${this.state.name}`, start, end);
    const form = cursor.varint();
    if (form === ALL) this.#maps[number] = readAll(cursor, { key, value });
    else if (form === CHANGED_ENTRIES) this.#maps[number] = readChanged(cursor, this.#maps[number] ?? new SortedEntries(), { key, value });
    else throw cursor.malformed(`has a map in form ${form}, which this build does not know`);
  }

  forget(number: number): void {
    this.#maps[number] = undefined;
    this.#changes.delete(number);
    this.#oldest.forget(number);
  }

  weigh(number: number): number {
    return this.#maps[number]?.weigh() ?? 0;
  }

  forgetExpired(number: number): void {
    const entries = this.#maps[number];
    for (const entry of this.#expiredIn(number)) entries?.delete(entry);
  }

  takeBack(): void {
    this.#loans.takeBack((number, entry, encoded) => {
      const kept = this.#maps[number]?.get(entry) as string;
      this.#put(number, entry, kept, this.#lifetime.inPlaceOf(kept, encoded));
    });
  }

  settle(): void {
    for (const number of this.#changes.keys()) if (this.isEmpty(number)) this.#maps[number] = undefined;
    this.#changes.clear();
  }

  drop(): void {
    this.#maps = [];
    this.#changes.clear();
    this.#oldest.drop();
    this.#loans.drop();
  }

  #entryOf(key: unknown): string {
    return encodeKey(this.state.name, this.#keySerde, key);
  }

  #keyOrNone(entry: string | undefined): unknown {
    return entry === undefined ? undefined : this.#keyOf(entry);
  }

  #keyOf(entry: string): unknown {
    const key = decode(this.state.name, this.#keySerde, entry);
    freeze(key);
    return key;
  }

  #valueOf(number: number, entry: string): unknown {
    return this.#loans.give(number, entry, this.#lifetime.encodingOf(this.#read(number, entry) as string));
  }

  /** What is kept of the value; it is as old then as one that was read. */
  #read(number: number, entry: string): string | undefined {
    const kept = this.#living(number, entry);
    if (kept === undefined || !this.#lifetime.ends) return kept;
    const read = this.#lifetime.read(kept);
    this.#put(number, entry, kept, read);
    return read;
  }

  /** What is kept of the value. An entry that has expired is taken away. */
  #living(number: number, entry: string): string | undefined {
    const entries = this.#maps[number];
    const kept = entries?.get(entry);
    if (entries === undefined || kept === undefined || !this.#lifetime.isOver(kept)) return kept;
    this.#remove(number, entries, entry);
    return undefined;
  }

  /** Takes away all entries of the key that have expired. */
  #sweep(number: number): void {
    const entries = this.#maps[number];
    if (entries === undefined || !this.#oldest.mayBeOver(number)) return;
    const expired = this.#expiredIn(number);
    // Few are left: they are less to write than those that are gone.
    if (expired.length * 2 > entries.size) this.#changeAll(number);
    for (const entry of expired) this.#remove(number, entries, entry);
  }

  /** Keys of the entries that have expired, and are to be taken away. */
  #expiredIn(number: number): readonly string[] {
    const expired: string[] = [];
    const living: string[] = [];
    this.#maps[number]?.forEach((entry, kept) => {
      if (this.#lifetime.isOver(kept)) expired.push(entry);
      else living.push(kept);
    });
    this.#oldest.saw(number, living);
    return expired;
  }

  #remove(number: number, entries: SortedEntries, entry: string): void {
    this.#change(number, entry);
    this.#loans.forget(number, entry);
    entries.delete(entry);
  }

  /** Which key is worked on is looked at now, not at the first entry. */
  #iterate<T>(show: (number: number, entry: string) => T): IteratorObject<T, undefined> {
    const number = currentOf(this.#keys, this.state);
    this.#sweep(number);
    return this.#walk(number, show);
  }

  *#walk<T>(number: number, show: (number: number, entry: string) => T): Generator<T, undefined> {
    const entries = this.#maps[number];
    if (entries === undefined) return;
    for (const entry of entries.keys()) {
      if (this.#keys.current !== number || this.#maps[number] !== entries)
        this.#keys.scope.refuse(this.#keys.uid, `an iterator of state ${this.state.name}`);
      yield show(number, entry);
    }
  }

  /** Puts `next` in place of `kept`. */
  #put(number: number, entry: string, kept: string | undefined, next: string): void {
    if (kept === next) return;
    this.#change(number, entry);
    const entries = this.#maps[number] ?? new SortedEntries();
    entries.set(entry, next);
    this.#maps[number] = entries;
  }

  /** Called before the entry changes. */
  #change(number: number, entry: string): void {
    const change = this.#changes.get(number);
    if (change === 'all') return;
    if (change !== undefined) change.add(entry);
    else if (this.isEmpty(number)) this.#changeAll(number);
    else {
      this.#changeKey(number);
      this.#changes.set(number, new Set([entry]));
    }
  }

  #changeAll(number: number): void {
    this.#changeKey(number);
    this.#changes.set(number, 'all');
  }

  #changeKey(number: number): void {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
  }
}

const UNCHANGED: ReadonlySet<string> = new Set();
