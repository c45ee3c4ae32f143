import { byName } from '../config/by-name.ts';
import { enlarged } from '../format/known-keys.ts';
import { readSnapshot, SnapshotWriter } from '../format/snapshot.ts';
import { keyGroupOf } from '../protocol/key-groups.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import { CHANGED, type Column, createColumn, type DeclaredState, type Keys } from './columns.ts';
import { RecordScope } from './record-scope.ts';
import type { ValueState } from './value-state.ts';

export interface KeyedStateOptions {
  /** The keyed operator whose state it is. */
  readonly uid: string;
  readonly states: readonly DeclaredState[];
  readonly maxParallelism: number;
  /** The key groups that this subtask owns. */
  readonly keyGroups: KeyGroupRange;
  /** Where a use of a handle outside of records is remembered. */
  readonly scope?: RecordScope;
}

/** What is known of a key by its number; or `CHANGED`. */
const STATELESS = 0;
const KEPT = 1;

/**
 * The keyed state of one operator subtask: keys are numbered, and each state is a column of values by key number, so that
 * no key costs an object of its own. `current` is the key that the handles work on. A key enters its key group's index
 * when it is changed for the first time, so keys that are only read cost nothing.
 */
export class KeyedState implements Keys {
  /** What `onRecord` gets: by state name. */
  readonly handles: Readonly<Record<string, ValueState<unknown, unknown>>>;
  readonly uid: string;
  readonly scope: RecordScope;
  /** The number of a key, from `numberOf`; negative while no record is worked on. */
  current = -1;
  /** `STATELESS`, `KEPT` or `CHANGED`, by key number. */
  marks = new Uint8Array(FIRST_KEYS);
  readonly #options: KeyedStateOptions;
  readonly #columns: readonly Column[];
  /** By key group of this subtask: key numbers by the key's bytes as latin1, whatever the type of the key. One map could not hold 2^24 keys. */
  #numbers: Map<string, number>[] = [];
  /** By key number. */
  #ids: string[] = [];
  #keyGroups = new Uint16Array(FIRST_KEYS);
  #changed: number[] = [];
  /** Numbers of keys that were met without state. */
  #met: number[] = [];
  /** Numbers that no key has any more. */
  #free: number[] = [];

  constructor(options: KeyedStateOptions) {
    this.#options = options;
    this.uid = options.uid;
    this.scope = options.scope ?? new RecordScope();
    this.#columns = options.states.map((state) => createColumn(this, state));
    this.handles = byName(this.#columns.map((column): [string, Column] => [column.stored.name, column]));
    this.drop();
  }

  /** Keys that have state. */
  get size(): number {
    return this.#numbers.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * No record is worked on any more: takes back the values that the handles gave out. Throws `StateValueError` when one
   * cannot be encoded.
   */
  takeBack(): void {
    this.current = -1;
    for (const column of this.#columns) column.takeBack();
  }

  /** Has anything changed since the last snapshot? What was given out must have been taken back. */
  changed(): boolean {
    return this.#changed.length > 0;
  }

  /** The number of the key with these bytes and that murmur2 hash: good until the next snapshot, or `forgetMet`. */
  numberOf(bytes: Buffer, start: number, end: number, hash: number): number {
    const { uid, maxParallelism, keyGroups } = this.#options;
    const keyGroup = keyGroupOf(hash, maxParallelism);
    const numbers = this.#numbers[keyGroup - keyGroups.first];
    if (numbers === undefined) {
      throw new Error(
        `${uid}: a key of key group ${keyGroup} came to the subtask of key groups ${keyGroups.first} to ${keyGroups.last}: upstream works with another parallelism or maxParallelism`,
      );
    }
    const id = bytes.toString('latin1', start, end);
    const known = numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#newNumber(id, keyGroup);
    this.#met.push(number);
    return number;
  }

  /** Gives up the numbers of the keys that were met and not changed. */
  forgetMet(): void {
    this.takeBack();
    for (const number of this.#met) if (this.marks[number] === STATELESS) this.#release(number);
    this.#met = [];
  }

  /** Called by the columns before a key changes for the first time since the last snapshot. */
  change(number: number): void {
    if (this.marks[number] === STATELESS) this.#numbersOf(this.#keyGroups[number] as number).set(this.#ids[number] as string, number);
    this.marks[number] = CHANGED;
    this.#changed.push(number);
  }

  /** What changed since the last snapshot. The parts are owned by the caller. */
  takeDelta(): Buffer[] {
    this.takeBack();
    const { first } = this.#options.keyGroups;
    const groups: number[][] = this.#numbers.map(() => []);
    // forEach, here and below: a loop makes an object for each number until V8 has compiled it.
    this.#changed.forEach((number) => {
      groups[(this.#keyGroups[number] as number) - first]?.push(number);
    });
    const parts = this.#write(groups);
    this.#forgetCleared();
    this.#settle();
    return parts;
  }

  /** All state. The parts are owned by the caller. */
  takeBase(): Buffer[] {
    this.takeBack();
    this.#forgetCleared();
    const parts = this.#write(this.#numbers.map((numbers) => numbers.values()));
    this.#settle();
    return parts;
  }

  /**
   * Adds a snapshot to what is loaded: its base, if any, and its deltas, oldest first; of them only the key groups that
   * this subtask owns. After a change of parallelism it is called for each of several snapshots.
   */
  load(payloads: readonly Buffer[]): void {
    const { uid, keyGroups } = this.#options;
    const states = this.#columns.map(({ stored }) => stored);
    const name = `state of ${uid}`;
    for (const payload of payloads) {
      readSnapshot(payload, name, states, keyGroups, {
        entry: (keyGroup, bytes, start, end, values) => {
          const id = bytes.toString('latin1', start, end);
          const numbers = this.#numbersOf(keyGroup);
          const known = numbers.get(id);
          if (values.every(isAbsent)) {
            if (known !== undefined) this.#forget(known);
            return;
          }
          const number = known ?? this.#newNumber(id, keyGroup);
          if (known === undefined) numbers.set(id, number);
          this.marks[number] = KEPT;
          for (let index = 0; index < values.length; index++) (this.#columns[index] as Column).values[number] = values[index];
        },
      });
    }
  }

  /** Forgets everything. */
  drop(): void {
    const { first, last } = this.#options.keyGroups;
    this.#numbers = Array.from({ length: last - first + 1 }, () => new Map());
    this.#ids = [];
    this.#changed = [];
    this.#met = [];
    this.#free = [];
    this.current = -1;
    for (const column of this.#columns) column.drop();
  }

  #numbersOf(keyGroup: number): Map<string, number> {
    return this.#numbers[keyGroup - this.#options.keyGroups.first] as Map<string, number>;
  }

  /** A number for a key that is in no index yet. */
  #newNumber(id: string, keyGroup: number): number {
    const number = this.#free.pop() ?? this.#ids.length;
    if (number === this.marks.length) {
      this.marks = enlarged(this.marks, new Uint8Array(number * 2));
      this.#keyGroups = enlarged(this.#keyGroups, new Uint16Array(number * 2));
    }
    this.#ids[number] = id;
    this.#keyGroups[number] = keyGroup;
    this.marks[number] = STATELESS;
    for (const column of this.#columns) column.values[number] = undefined;
    return number;
  }

  #write(groups: readonly Iterable<number>[]): Buffer[] {
    const { keyGroups } = this.#options;
    const writer = new SnapshotWriter(this.#columns.map(({ stored }) => stored));
    const values: unknown[] = new Array(this.#columns.length).fill(undefined);
    groups.forEach((numbers, index) => {
      writer.group(keyGroups.first + index);
      for (const number of numbers) {
        for (let slot = 0; slot < values.length; slot++) values[slot] = (this.#columns[slot] as Column).values[number];
        writer.entry(this.#ids[number] as string, values);
      }
    });
    return writer.finish();
  }

  /** What was changed is in a snapshot now. */
  #settle(): void {
    this.#changed.forEach((number) => {
      if (this.marks[number] === CHANGED) this.marks[number] = KEPT;
    });
    this.#changed = [];
  }

  #forgetCleared(): void {
    this.forgetMet();
    for (const number of this.#changed) if (this.#isCleared(number)) this.#forget(number);
  }

  #isCleared(number: number): boolean {
    for (const { values } of this.#columns) if (values[number] !== undefined) return false;
    return true;
  }

  #forget(number: number): void {
    this.#numbersOf(this.#keyGroups[number] as number).delete(this.#ids[number] as string);
    for (const { values } of this.#columns) values[number] = undefined;
    this.marks[number] = STATELESS;
    this.#release(number);
  }

  #release(number: number): void {
    this.#ids[number] = '';
    this.#free.push(number);
  }
}

const FIRST_KEYS = 1024;

const isAbsent = (value: unknown) => value === undefined;
