import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import { Cursor } from '../snapshot/cursor.ts';
import type { SnapshotPart } from '../snapshot/writer.ts';
import type { Column } from './column.ts';
import { readSized, writeSized } from './encoding.ts';
import { type Lifetime, lifetimeOf, Oldest } from './lifetime.ts';
import { Loans } from './loans.ts';
import type { Translation } from './translation.ts';
import { ENTRIES_BYTES, MOST_WEIGHED, weighValue } from './weights.ts';

/**
 * A state that holds a list of each key. In a snapshot: how many of the first entries there were before and stay (0 in a base);
 * the count of those that have changed, and of each its index and encoding; the count of those behind, and their encodings. Each
 * encoding is behind its length.
 *
 * Of a state with a time to live all this is behind a time, which is behind its length (0: none): of the entries that there were before,
 * those are gone that were last written before that. What is left is what the rest is about.
 */
export interface ListDeclaration extends DeclaredState {
  readonly kind: 'list';
  readonly serdes: readonly [Serde<unknown>];
}

/**
 * The list of one state for the key that is being worked on. An object that it gave out, or was given, may be changed in place while
 * its record is worked on: that is saved. It is of no use outside of its record: everything throws there.
 *
 * @example
 * const mean = (prices: ListState<number>) => [...prices].reduce((sum, price) => sum + price, 0) / prices.length;
 */
export interface ListState<T> extends Iterable<T> {
  /** So many entries there are. */
  readonly length: number;
  /** Undefined beyond the end. */
  at(index: number): T | undefined;
  /** Adds an entry behind the others. */
  add(value: T): void;
  /** Puts another in place of an entry. Throws `RangeError` when there is none at that index. */
  set(index: number, value: T): void;
  /** Takes all entries away: when no state is left, the key costs nothing. */
  clear(): void;
}

export function openListColumn(keys: KeyIndex, state: ListDeclaration): Column {
  return new ListColumn(keys, state);
}

/** What has become of a list since the last snapshot. */
interface Change {
  /** So many of its first entries are in the last snapshot, but for those that were replaced. */
  kept: number;
  readonly replaced: Set<number>;
  /** Of those that were in the last snapshot, what is less than this has expired. */
  readonly bound: string;
}

class ListColumn implements Column, ListState<unknown> {
  readonly handle = this;
  readonly state: ListDeclaration;
  readonly #keys: KeyIndex;
  /** By index. */
  readonly #loans: Loans<number>;
  readonly #lifetime: Lifetime;
  readonly #oldest: Oldest;
  /** What is kept of entries, as latin1. Undefined: there are none. */
  #lists: (string[] | undefined)[] = [];
  /** By key number. */
  readonly #changes = new Map<number, Change>();

  constructor(keys: KeyIndex, state: ListDeclaration) {
    this.state = state;
    this.#keys = keys;
    this.#loans = new Loans(state.name, state.serdes[0]);
    this.#lifetime = lifetimeOf(keys, state);
    this.#oldest = new Oldest(this.#lifetime);
  }

  get length(): number {
    return this.#livingOf(currentOf(this.#keys, this.state))?.length ?? 0;
  }

  at(index: number): unknown {
    const number = currentOf(this.#keys, this.state);
    const kept = this.#livingOf(number)?.[index];
    if (kept === undefined) return undefined;
    this.#put(number, index, kept, this.#lifetime.read(kept));
    return this.#loans.give(number, index, this.#lifetime.encodingOf(kept));
  }

  *[Symbol.iterator](): Iterator<unknown> {
    const number = currentOf(this.#keys, this.state);
    for (let index = 0; index < this.length; index++) {
      if (this.#keys.current !== number) this.#keys.scope.refuse(this.#keys.uid, `an iterator of state ${this.state.name}`);
      yield this.at(index);
    }
  }

  add(value: unknown): void {
    const number = currentOf(this.#keys, this.state);
    const list = this.#livingOf(number);
    const kept = this.#lifetime.written(this.#loans.take(number, list?.length ?? 0, value));
    this.#change(number);
    if (list === undefined) this.#lists[number] = [kept];
    else list.push(kept);
  }

  set(index: number, value: unknown): void {
    const number = currentOf(this.#keys, this.state);
    const list = this.#livingOf(number) ?? [];
    const kept = list[index];
    if (kept === undefined) throw new RangeError(`state ${this.state.name} has ${list.length} entries, and none at index ${index}: add it`);
    this.#put(number, index, kept, this.#lifetime.written(this.#loans.take(number, index, value)));
  }

  clear(): void {
    const number = currentOf(this.#keys, this.state);
    if (this.#lists[number] === undefined) return;
    const change = this.#change(number);
    change.kept = 0;
    change.replaced.clear();
    this.#lists[number] = undefined;
    this.#loans.forget(number);
  }

  extend(): void {
    this.#lists.push(undefined);
  }

  read(): unknown {
    return [...this];
  }

  isEmpty(number: number): boolean {
    return this.#lists[number] === undefined;
  }

  write(number: number, out: ByteWriter, part: SnapshotPart): boolean {
    const list = this.#lists[number];
    if (list === undefined) return false;
    const change = part === 'base' ? NOTHING_KEPT : this.#changes.get(number);
    const { kept, replaced, bound } = change ?? { kept: list.length, replaced: NONE, bound: '' };
    if (this.#lifetime.ends) writeSized(bound, out);
    out.varint(kept);
    out.varint(replaced.size);
    for (const index of replaced) {
      out.varint(index);
      writeSized(list[index] as string, out);
    }
    out.varint(list.length - kept);
    for (let index = kept; index < list.length; index++) writeSized(list[index] as string, out);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number, translation?: Translation): void {
    const translate = translation?.[0];
    const readEntry = () => (translate === undefined ? readSized(cursor) : translate(readSized(cursor)));
    const cursor = new Cursor(bytes, `state ${this.state.name}`, start, end);
    const bound = this.#lifetime.ends ? readSized(cursor) : '';
    const before = this.#lists[number] ?? [];
    const left = bound === '' ? before : before.filter((each) => each >= bound);
    const kept = cursor.varint();
    const list = kept === 0 ? [] : left;
    if (kept > list.length) throw cursor.malformed(`keeps ${kept} entries of a list of ${list.length}`);
    list.length = kept;
    for (let left = cursor.count(LEAST_REPLACED_BYTES); left > 0; left--) {
      const index = cursor.varint();
      if (index >= kept) throw cursor.malformed(`replaces entry ${index} of ${kept}`);
      list[index] = readEntry();
    }
    for (let left = cursor.count(LEAST_ENTRY_BYTES); left > 0; left--) list.push(readEntry());
    this.#lists[number] = list;
  }

  forget(number: number): void {
    this.#lists[number] = undefined;
    this.#changes.delete(number);
    this.#oldest.forget(number);
  }

  weigh(number: number): number {
    const list = this.#lists[number];
    if (list === undefined) return 0;
    let bytes = ENTRIES_BYTES;
    // Of a long list some entries speak for the others.
    const step = Math.ceil(list.length / MOST_WEIGHED);
    for (let index = 0; index < list.length; index += step) bytes += weighValue(list[index]) * step;
    return bytes;
  }

  forgetExpired(number: number): void {
    const list = this.#lists[number];
    if (list !== undefined) this.#keep(number, this.#livingIn(list));
  }

  takeBack(): void {
    this.#loans.takeBack((number, index, encoded) => {
      const kept = this.#lists[number]?.[index] as string;
      this.#put(number, index, kept, this.#lifetime.inPlaceOf(kept, encoded));
    });
  }

  settle(): void {
    this.#changes.clear();
  }

  drop(): void {
    this.#lists = [];
    this.#changes.clear();
    this.#oldest.drop();
    this.#loans.drop();
  }

  /** The key's list. What of it has expired is taken away, before anything else of it changes in an epoch. */
  #livingOf(number: number): string[] | undefined {
    const list = this.#lists[number];
    if (list === undefined || !this.#oldest.mayBeOver(number)) return list;
    const living = this.#livingIn(list);
    if (living.length < list.length) {
      if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
      this.#changes.set(number, { kept: living.length, replaced: new Set(), bound: this.#lifetime.bound() });
    }
    this.#keep(number, living);
    return this.#lists[number];
  }

  #livingIn(list: readonly string[]): string[] {
    return list.filter((kept) => !this.#lifetime.isOver(kept));
  }

  #keep(number: number, living: string[]): void {
    this.#oldest.saw(number, living);
    this.#lists[number] = living.length === 0 ? undefined : living;
  }

  /** Puts `next` in place of `before`. */
  #put(number: number, index: number, before: string, next: string): void {
    if (before === next) return;
    const { kept, replaced } = this.#change(number);
    if (index < kept) replaced.add(index);
    (this.#lists[number] as string[])[index] = next;
  }

  /** Called before the list changes. */
  #change(number: number): Change {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
    const known = this.#changes.get(number);
    if (known !== undefined) return known;
    const change = { kept: this.#lists[number]?.length ?? 0, replaced: new Set<number>(), bound: '' };
    this.#changes.set(number, change);
    return change;
  }
}

const NONE: ReadonlySet<number> = new Set();
const NOTHING_KEPT = { kept: 0, replaced: NONE, bound: '' };
const LEAST_ENTRY_BYTES = 1;
const LEAST_REPLACED_BYTES = 2;
