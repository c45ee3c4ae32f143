import { enlarged } from '../format/known-keys.ts';
import type { KeyGroupRange } from '../format/manifest.ts';
import { readSnapshot, type SnapshotState, SnapshotWriter } from '../format/snapshot.ts';
import { keyGroupOf } from './key-groups.ts';
import type { ValueState } from './value-state.ts';

export interface KeyedStateOptions {
  /** The keyed operator whose state it is. */
  readonly uid: string;
  readonly states: readonly (SnapshotState & { readonly initial: unknown })[];
  readonly maxParallelism: number;
  /** The key groups that this subtask owns. */
  readonly keyGroups: KeyGroupRange;
}

/** What is known of a key by its number. */
const STATELESS = 0;
const KEPT = 1;
/** Has changed since the last snapshot; has state, or had it then. */
const CHANGED = 2;

/**
 * The keyed state of one operator subtask: keys are numbered, and each state is a column of values by key number, so that
 * no key costs an object of its own. `current` is the key that the handles work on. A key enters its key group's index
 * when it is changed for the first time, so keys that are only read cost nothing.
 */
export class KeyedState {
  /** What `onRecord` gets: by state name. */
  readonly handles: Readonly<Record<string, ValueState<unknown, unknown>>>;
  /** The number of a key, from `numberOf`. */
  current = -1;
  /** `STATELESS`, `KEPT` or `CHANGED`, by key number. */
  marks = new Uint8Array(FIRST_KEYS);
  readonly #options: KeyedStateOptions;
  readonly #columns: readonly ValueColumn[];
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
    this.#columns = options.states.map(({ initial }) => new ValueColumn(this, initial));
    this.handles = Object.fromEntries(options.states.map(({ name }, index) => [name, this.#columns[index] as ValueColumn]));
    this.drop();
  }

  /** Keys that have state. */
  get size(): number {
    return this.#numbers.reduce((sum, { size }) => sum + size, 0);
  }

  /** Has anything changed since the last snapshot? */
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
    for (const number of this.#met) if (this.marks[number] === STATELESS) this.#release(number);
    this.#met = [];
  }

  /** Called by the handles before a key changes for the first time since the last snapshot. */
  change(number: number): void {
    if (this.marks[number] === STATELESS) this.#numbersOf(this.#keyGroups[number] as number).set(this.#ids[number] as string, number);
    this.marks[number] = CHANGED;
    this.#changed.push(number);
  }

  /** What changed since the last snapshot. The parts are owned by the caller. */
  takeDelta(): Buffer[] {
    const { first } = this.#options.keyGroups;
    const groups: number[][] = this.#numbers.map(() => []);
    for (const number of this.#changed) groups[(this.#keyGroups[number] as number) - first]?.push(number);
    const parts = this.#write(groups);
    this.#forgetCleared();
    this.#settle();
    return parts;
  }

  /** All state. The parts are owned by the caller. */
  takeBase(): Buffer[] {
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
    const { uid, states, keyGroups } = this.#options;
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
          for (let index = 0; index < values.length; index++) (this.#columns[index] as ValueColumn).values[number] = values[index];
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
    for (const column of this.#columns) column.values = [];
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
    const { states, keyGroups } = this.#options;
    const writer = new SnapshotWriter(states);
    const values: unknown[] = new Array(states.length).fill(undefined);
    groups.forEach((numbers, index) => {
      writer.group(keyGroups.first + index);
      for (const number of numbers) {
        for (let slot = 0; slot < values.length; slot++) values[slot] = (this.#columns[slot] as ValueColumn).values[number];
        writer.entry(this.#ids[number] as string, values);
      }
    });
    return writer.finish();
  }

  /** What was changed is in a snapshot now. */
  #settle(): void {
    for (const number of this.#changed) if (this.marks[number] === CHANGED) this.marks[number] = KEPT;
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

/** One state's values by key number, and the handle on that of the current key. */
class ValueColumn implements ValueState<unknown, unknown> {
  values: unknown[] = [];
  readonly #state: KeyedState;
  readonly #initial: unknown;

  constructor(state: KeyedState, initial: unknown) {
    this.#state = state;
    this.#initial = initial;
  }

  get(): unknown {
    const value = this.values[this.#state.current];
    return value === undefined ? this.#initial : value;
  }

  set(value: unknown): void {
    if (value === undefined) throw new TypeError('a state cannot be set to undefined: use clear()');
    const state = this.#state;
    const number = state.current;
    if (state.marks[number] !== CHANGED) state.change(number);
    this.values[number] = value;
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const state = this.#state;
    const number = state.current;
    if (this.values[number] === undefined) return;
    if (state.marks[number] !== CHANGED) state.change(number);
    this.values[number] = undefined;
  }
}
