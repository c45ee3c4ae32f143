import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import type { Due } from '../../protocol/event-time.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import { Cursor } from '../snapshot/cursor.ts';
import type { SnapshotPart } from '../snapshot/writer.ts';
import { inOrder, QUEUED_BYTES, TIME_BYTES, TimerQueue, timeIn } from '../timer-queue.ts';
import type { Column } from './column.ts';
import { decode, encode } from './encoding.ts';
import { ALL, CHANGED_ENTRIES, readAll, readChanged, writeAll, writeChanged } from './map-format.ts';
import { SortedEntries } from './sorted-entries.ts';
import type { Translation } from './translation.ts';

/**
 * A state that holds rows of each key until their time has come. In a snapshot as a map (`map-format.ts`): by time (7 bytes, in order) and
 * origin, the row's value.
 */
export interface WaitingDeclaration extends DeclaredState {
  readonly kind: 'waiting';
  /** Of the values. */
  readonly serdes: readonly [Serde<unknown>];
}

/** A row whose time has come, taken out. */
export interface WaitingRow {
  readonly timeMs: number;
  readonly origin: string;
  readonly value: unknown;
  /** Of its key. */
  readonly number: number;
  /** The key's bytes as latin1. */
  readonly id: string;
}

/** The rows that wait in an operator subtask. */
export interface WaitingColumn extends Column {
  /** Of the current key. Throws `StateValueError` when the value cannot be encoded. */
  put(timeMs: number, origin: string, value: unknown): void;
  /** The time of the first. Undefined: none waits. */
  firstMs(): number | undefined;
  /** Takes out the first: by time, then by key group and key, then by origin. */
  takeFirst(): WaitingRow | undefined;
}

export function openWaitingColumn(keys: KeyIndex, state: WaitingDeclaration): WaitingColumn {
  return new RowsColumn(keys, state);
}

class RowsColumn implements WaitingColumn {
  /** Of no use to the user's functions. */
  readonly handle = undefined;
  readonly state: WaitingDeclaration;
  readonly #keys: KeyIndex;
  /** By key number. Undefined: none. */
  #rows: (SortedEntries | undefined)[] = [];
  /** By key number: rows that came or went since the last snapshot. */
  readonly #changes = new Map<number, Set<string>>();
  /** Of each key the times of its rows. */
  readonly #queue = new TimerQueue();

  constructor(keys: KeyIndex, state: WaitingDeclaration) {
    this.state = state;
    this.#keys = keys;
  }

  put(timeMs: number, origin: string, value: unknown): void {
    const number = currentOf(this.#keys, this.state);
    const encoded = encode(this.state.name, this.state.serdes[0], value);
    const rows = this.#rows[number] ?? new SortedEntries();
    let row = inOrder(timeMs) + origin;
    // A topic that was made anew has records at the places of others.
    while (rows.get(row) !== undefined) row += NEXT;
    this.#change(number, row);
    this.#rows[number] = rows;
    rows.set(row, encoded);
    this.#queue.add(this.#place(number, timeMs));
  }

  firstMs(): number | undefined {
    return this.#queue.first()?.timeMs;
  }

  takeFirst(): WaitingRow | undefined {
    const first = this.#queue.first();
    if (first === undefined) return undefined;
    const { timeMs, keyGroup, id } = first;
    const number = this.#keys.find(keyGroup, id);
    const rows = number === undefined ? undefined : this.#rows[number];
    const row = rows?.firstKey();
    const encoded = row === undefined ? undefined : rows?.get(row);
    if (number === undefined || rows === undefined || row === undefined || encoded === undefined)
      throw new Error(`${this.#keys.uid}: a key has no rows for a time at which some wait`);
    this.#change(number, row);
    rows.delete(row);
    const next = rows.firstKey();
    if (next === undefined) this.#rows[number] = undefined;
    if (next === undefined || timeIn(next) !== timeMs) this.#queue.delete(first);
    return { timeMs, origin: row.slice(TIME_BYTES), value: decode(this.state.name, this.state.serdes[0], encoded), number, id };
  }

  due(): Due | undefined {
    const eventMs = this.firstMs();
    return eventMs === undefined ? undefined : { eventMs };
  }

  dueOf(number: number): Due | undefined {
    const first = this.#rows[number]?.firstKey();
    return first === undefined ? undefined : { eventMs: timeIn(first) };
  }

  /** Each time has a place in the queue as well: counted as if each row had one of its own. */
  weigh(number: number): number {
    const rows = this.#rows[number];
    return rows === undefined ? 0 : rows.weigh() + rows.size * (QUEUED_BYTES + this.#keys.idOf(number).length);
  }

  /** The rows of the current key, in their order. */
  read(): readonly { readonly timeMs: number; readonly value: unknown }[] {
    const read: { timeMs: number; value: unknown }[] = [];
    this.#rows[currentOf(this.#keys, this.state)]?.forEach((row, encoded) => {
      read.push({ timeMs: timeIn(row), value: decode(this.state.name, this.state.serdes[0], encoded) });
    });
    return read;
  }

  extend(): void {
    this.#rows.push(undefined);
  }

  isEmpty(number: number): boolean {
    return this.#rows[number] === undefined;
  }

  write(number: number, out: ByteWriter, part: SnapshotPart): boolean {
    const rows = this.#rows[number];
    if (rows === undefined) return false;
    if (part === 'base') writeAll(rows, out);
    else writeChanged(rows, this.#changes.get(number) ?? UNCHANGED, out);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number, translation?: Translation): void {
    const value = translation?.[0];
    const cursor = new Cursor(bytes, `state ${this.state.name}`, start, end);
    const form = cursor.varint();
    const before = this.#rows[number] ?? new SortedEntries();
    this.#unqueue(number);
    if (form === ALL) this.#rows[number] = readAll(cursor, { value });
    else if (form === CHANGED_ENTRIES) this.#rows[number] = readChanged(cursor, before, { value });
    else throw cursor.malformed(`has rows in form ${form}, which this build does not know`);
    if (this.#rows[number]?.size === 0) this.#rows[number] = undefined;
    this.#rows[number]?.forEach((row) => {
      this.#queue.add(this.#place(number, timeIn(row)));
    });
  }

  forget(number: number): void {
    this.#unqueue(number);
    this.#rows[number] = undefined;
    this.#changes.delete(number);
  }

  takeBack(): void {}

  settle(): void {
    this.#changes.clear();
  }

  drop(): void {
    this.#rows = [];
    this.#changes.clear();
    this.#queue.clear();
  }

  #unqueue(number: number): void {
    this.#rows[number]?.forEach((row) => {
      this.#queue.delete(this.#place(number, timeIn(row)));
    });
  }

  #place(number: number, timeMs: number) {
    return { timeMs, keyGroup: this.#keys.keyGroupOf(number), id: this.#keys.idOf(number) };
  }

  /** Called before a row comes or goes. */
  #change(number: number, row: string): void {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
    const changed = this.#changes.get(number);
    if (changed === undefined) this.#changes.set(number, new Set([row]));
    else changed.add(row);
  }
}

const NEXT = '\0\0\0\0';
const UNCHANGED: ReadonlySet<string> = new Set();
