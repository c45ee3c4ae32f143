import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import { Cursor } from '../snapshot/cursor.ts';
import type { SnapshotPart } from '../snapshot/writer.ts';
import type { Column } from './column.ts';
import { readSized, writeSized } from './encoding.ts';
import { Loans } from './loans.ts';

/**
 * A state that holds a list of each key. In a snapshot: how many of the first entries there were before and stay (0 in a base);
 * the count of those that have changed, and of each its index and encoding; the count of those behind, and their encodings. Each
 * encoding is behind its length.
 */
export interface ListDeclaration extends DeclaredState {
  readonly kind: 'list';
  readonly serdes: readonly [Serde<unknown>];
}

/**
 * The list of one state for the key that is being worked on. An object that it gave out, or was given, may be changed in place while
 * its record is worked on: that is saved. It is of no use outside of its record: everything throws there.
 */
export interface ListState<T> extends Iterable<T> {
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
}

class ListColumn implements Column, ListState<unknown> {
  readonly handle = this;
  readonly state: ListDeclaration;
  readonly #keys: KeyIndex;
  /** By index. */
  readonly #loans: Loans<number>;
  /** Encodings, as latin1. Undefined: no entries. */
  #lists: (string[] | undefined)[] = [];
  /** By key number. */
  readonly #changes = new Map<number, Change>();

  constructor(keys: KeyIndex, state: ListDeclaration) {
    this.state = state;
    this.#keys = keys;
    this.#loans = new Loans(state.name, state.serdes[0]);
  }

  get length(): number {
    return this.#lists[currentOf(this.#keys, this.state)]?.length ?? 0;
  }

  at(index: number): unknown {
    const number = currentOf(this.#keys, this.state);
    const encoded = this.#lists[number]?.[index];
    return encoded === undefined ? undefined : this.#loans.give(number, index, encoded);
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
    const list = this.#lists[number];
    const encoded = this.#loans.take(number, list?.length ?? 0, value);
    this.#change(number);
    if (list === undefined) this.#lists[number] = [encoded];
    else list.push(encoded);
  }

  set(index: number, value: unknown): void {
    const number = currentOf(this.#keys, this.state);
    const list = this.#lists[number] ?? [];
    if (list[index] === undefined)
      throw new RangeError(`state ${this.state.name} has ${list.length} entries, and none at index ${index}: add it`);
    this.#put(number, index, this.#loans.take(number, index, value));
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
    const { kept, replaced } = part === 'base' ? NOTHING_KEPT : (this.#changes.get(number) ?? { kept: list.length, replaced: NONE });
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

  apply(number: number, bytes: Buffer, start: number, end: number): void {
    const cursor = new Cursor(bytes, `state ${this.state.name}`, start, end);
    const kept = cursor.varint();
    const list = kept === 0 ? [] : (this.#lists[number] ?? []);
    if (kept > list.length) throw cursor.malformed(`keeps ${kept} entries of a list of ${list.length}`);
    list.length = kept;
    for (let left = cursor.count(LEAST_REPLACED_BYTES); left > 0; left--) {
      const index = cursor.varint();
      if (index >= kept) throw cursor.malformed(`replaces entry ${index} of ${kept}`);
      list[index] = readSized(cursor);
    }
    for (let left = cursor.count(LEAST_ENTRY_BYTES); left > 0; left--) list.push(readSized(cursor));
    this.#lists[number] = list;
  }

  forget(number: number): void {
    this.#lists[number] = undefined;
    this.#changes.delete(number);
  }

  takeBack(): void {
    this.#loans.takeBack((number, index, encoded) => this.#put(number, index, encoded));
  }

  settle(): void {
    this.#changes.clear();
  }

  drop(): void {
    this.#lists = [];
    this.#changes.clear();
    this.#loans.drop();
  }

  #put(number: number, index: number, encoded: string): void {
    const list = this.#lists[number] as string[];
    if (encoded === list[index]) return;
    const { kept, replaced } = this.#change(number);
    if (index < kept) replaced.add(index);
    list[index] = encoded;
  }

  /** Called before the list changes. */
  #change(number: number): Change {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
    const known = this.#changes.get(number);
    if (known !== undefined) return known;
    const change = { kept: this.#lists[number]?.length ?? 0, replaced: new Set<number>() };
    this.#changes.set(number, change);
    return change;
  }
}

const NONE: ReadonlySet<number> = new Set();
const NOTHING_KEPT = { kept: 0, replaced: NONE };
const LEAST_ENTRY_BYTES = 1;
const LEAST_REPLACED_BYTES = 2;
