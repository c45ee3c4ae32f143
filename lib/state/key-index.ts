import { enlarged } from '../format/known-keys.ts';
import { keyGroupOf } from '../protocol/key-groups.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import type { DeclaredState } from './declared-state.ts';
import type { RecordScope } from './record-scope.ts';

/** The time by which state expires. Changed in place, between epochs. */
export interface ProcessingClock {
  /** Of the epoch, in milliseconds since the Unix epoch. */
  readonly processingMs: number;
}

export interface KeyIndexOptions {
  /** The keyed operator whose keys they are. */
  readonly uid: string;
  readonly maxParallelism: number;
  /** The key groups that this subtask owns. */
  readonly keyGroups: KeyGroupRange;
  /** Where a use of a handle outside of records is remembered. */
  readonly scope: RecordScope;
  /** Needed if a state has a time to live. */
  readonly clock?: ProcessingClock | undefined;
}

/** Where keys are that have state and are not in memory. */
export interface KeysElsewhere {
  /** The key's number: it is in memory then. Undefined: it has no state. */
  bring(keyGroup: number, id: string): number | undefined;
}

/** What is known of a key by its number. Changed: since the last snapshot; it has state, or had it then. */
const STATELESS = 0;
export const KEPT = 1;
export const CHANGED = 2;

const FIRST_KEYS = 1024;

/**
 * The keys of one operator subtask: each has a number, and columns hold their state by it. A key enters its key group's index
 * when its state changes for the first time, so keys that are only read cost nothing.
 */
export class KeyIndex {
  readonly uid: string;
  readonly scope: RecordScope;
  readonly clock: ProcessingClock | undefined;
  /** The number of the key whose record is worked on, from `numberOf`; negative outside of records. */
  current = -1;
  /** What would change throws. Nothing that has changed before is left without a snapshot then. */
  isSealed = false;
  /** Undefined: all keys that have state are in memory. */
  elsewhere: KeysElsewhere | undefined = undefined;
  /** `STATELESS`, `KEPT` or `CHANGED`, by key number. */
  marks = new Uint8Array(FIRST_KEYS);
  readonly #options: KeyIndexOptions;
  /** Called for each number that comes up for the first time, one after the other. */
  readonly #onNumber: () => void;
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

  constructor(options: KeyIndexOptions, onNumber: () => void) {
    this.#options = options;
    this.#onNumber = onNumber;
    this.uid = options.uid;
    this.scope = options.scope;
    this.clock = options.clock;
    this.drop();
  }

  /** Numbers that there are: those of keys, and free ones. */
  get count(): number {
    return this.#ids.length;
  }

  /** Keys in memory that have state. */
  get size(): number {
    return this.#numbers.reduce((sum, { size }) => sum + size, 0);
  }

  /** The key's bytes as latin1. */
  idOf(number: number): string {
    return this.#ids[number] as string;
  }

  keyGroupOf(number: number): number {
    return this.#keyGroups[number] as number;
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
    const brought = this.elsewhere?.bring(keyGroup, id);
    if (brought !== undefined) return brought;
    const number = this.#newNumber(id, keyGroup);
    this.#met.push(number);
    return number;
  }

  /** Gives up the numbers of the keys that were met and not changed. */
  forgetMet(): void {
    for (const number of this.#met) if (this.marks[number] === STATELESS) this.#release(number);
    this.#met = [];
  }

  /** Called by the columns before a key changes for the first time since the last snapshot. */
  change(number: number): void {
    if (this.isSealed)
      throw new TypeError(
        `the broadcast state of ${this.uid} is changed by a record that was not broadcast, or by a timer: only the functions of its broadcast inputs may do that, since all subtasks hold the same. ` +
          'An object that it gave out is part of it: copy what is to be changed',
      );
    if (this.marks[number] === STATELESS) this.#numbersOf(this.#keyGroups[number] as number).set(this.idOf(number), number);
    this.marks[number] = CHANGED;
    this.#changed.push(number);
  }

  /** Has any key changed since the last snapshot? */
  hasChanged(): boolean {
    return this.#changed.length > 0;
  }

  /** Numbers of the keys that have changed since the last snapshot, in the order in which they did. */
  changed(): readonly number[] {
    return this.#changed;
  }

  /** The same by key group of this subtask. */
  changedByGroup(): readonly (readonly number[])[] {
    const { first } = this.#options.keyGroups;
    const groups: number[][] = this.#numbers.map(() => []);
    // forEach, here and below: a loop makes an object for each number until V8 has compiled it.
    this.#changed.forEach((number) => {
      groups[(this.#keyGroups[number] as number) - first]?.push(number);
    });
    return groups;
  }

  /** Numbers of all keys that have state, by key group of this subtask. */
  allByGroup(): readonly Iterable<number>[] {
    return this.#numbers.map((numbers) => numbers.values());
  }

  /** Those of one key group. */
  allIn(keyGroup: number): Iterable<number> {
    return this.#numbersOf(keyGroup).values();
  }

  /** What was changed is in a snapshot now. */
  settle(): void {
    this.#changed.forEach((number) => {
      if (this.marks[number] === CHANGED) this.marks[number] = KEPT;
    });
    this.#changed = [];
  }

  /** The number of a key that has state; undefined when it has none. */
  find(keyGroup: number, id: string): number | undefined {
    return this.#numbersOf(keyGroup).get(id);
  }

  /** A number for a key that `find` does not know, which a snapshot holds. */
  add(keyGroup: number, id: string): number {
    const number = this.#newNumber(id, keyGroup);
    this.#numbersOf(keyGroup).set(id, number);
    this.marks[number] = KEPT;
    return number;
  }

  /** The key has no state any more. The columns have forgotten it. */
  forget(number: number): void {
    this.#numbersOf(this.#keyGroups[number] as number).delete(this.idOf(number));
    this.marks[number] = STATELESS;
    this.#release(number);
  }

  /** Forgets every key. */
  drop(): void {
    const { first, last } = this.#options.keyGroups;
    this.#numbers = Array.from({ length: last - first + 1 }, () => new Map());
    this.#ids = [];
    this.#changed = [];
    this.#met = [];
    this.#free = [];
    this.current = -1;
  }

  #numbersOf(keyGroup: number): Map<string, number> {
    return this.#numbers[keyGroup - this.#options.keyGroups.first] as Map<string, number>;
  }

  /** A number for a key that is in no index yet. */
  #newNumber(id: string, keyGroup: number): number {
    const free = this.#free.pop();
    const number = free ?? this.#ids.length;
    if (number === this.marks.length) {
      this.marks = enlarged(this.marks, new Uint8Array(number * 2));
      this.#keyGroups = enlarged(this.#keyGroups, new Uint16Array(number * 2));
    }
    this.#ids[number] = id;
    this.#keyGroups[number] = keyGroup;
    this.marks[number] = STATELESS;
    if (free === undefined) this.#onNumber();
    return number;
  }

  #release(number: number): void {
    this.#ids[number] = '';
    this.#free.push(number);
  }
}

/** The number of the current key. Throws when no record is worked on. */
export function currentOf({ current, scope, uid }: KeyIndex, { name }: DeclaredState): number {
  return current < 0 ? scope.refuse(uid, `state ${name}`) : current;
}
