import type { KeyGroupRange } from '../format/manifest.ts';
import type { Serde } from '../format/serde.ts';
import { readSnapshot, type SnapshotState, SnapshotWriter } from '../format/snapshot.ts';
import { keyGroupOf } from './key-groups.ts';
import type { ValueState } from './value-state.ts';

export interface KeyedStateOptions {
  /** The keyed operator whose state it is. */
  readonly uid: string;
  readonly key: Serde<unknown>;
  readonly states: readonly (SnapshotState & { readonly initial: unknown })[];
  readonly maxParallelism: number;
  /** The key groups that this subtask owns. */
  readonly keyGroups: KeyGroupRange;
}

/** The state of one key. */
export interface StateEntry {
  /** The key's bytes as latin1: what entries are found by, whatever the type of the key. */
  readonly id: string;
  readonly key: unknown;
  readonly keyGroup: number;
  /** In the order of the declared states; undefined where the key has no value. */
  values: unknown[];
  /** Changed since the last snapshot. */
  changed: boolean;
}

/**
 * The keyed state of one operator subtask. `current` is the entry that the handles work on. An entry enters the map
 * when it is changed for the first time, so keys that are only read cost nothing.
 */
export class KeyedState {
  /** What `onRecord` gets: by state name. */
  readonly handles: Readonly<Record<string, ValueState<unknown, unknown>>>;
  current: StateEntry;
  readonly #options: KeyedStateOptions;
  readonly #entries = new Map<string, StateEntry>();
  #changed: StateEntry[] = [];

  constructor(options: KeyedStateOptions) {
    this.#options = options;
    this.current = { id: '', key: undefined, keyGroup: -1, values: [], changed: true };
    this.handles = Object.fromEntries(options.states.map(({ name, initial }, slot) => [name, new ValueSlot(this, slot, initial)]));
  }

  /** Keys that have state. */
  get size(): number {
    return this.#entries.size;
  }

  /** Has anything changed since the last snapshot? */
  changed(): boolean {
    return this.#changed.length > 0;
  }

  /** The entry of the key with these bytes and that murmur2 hash. */
  entryOf(bytes: Buffer, start: number, end: number, hash: number): StateEntry {
    const id = bytes.toString('latin1', start, end);
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const { uid, maxParallelism, keyGroups } = this.#options;
    const keyGroup = keyGroupOf(hash, maxParallelism);
    if (keyGroup < keyGroups.first || keyGroup > keyGroups.last) {
      throw new Error(
        `${uid}: a key of key group ${keyGroup} came to the subtask of key groups ${keyGroups.first} to ${keyGroups.last}: upstream works with another parallelism or maxParallelism`,
      );
    }
    return this.#newEntry(id, bytes, start, end, keyGroup);
  }

  /** Called by the handles before an entry changes. */
  change(entry: StateEntry): void {
    entry.changed = true;
    this.#changed.push(entry);
    this.#entries.set(entry.id, entry);
  }

  /** What changed since the last snapshot. The parts are owned by the caller. */
  takeDelta(): Buffer[] {
    return this.#take(this.#changed);
  }

  /** All state. The parts are owned by the caller. */
  takeBase(): Buffer[] {
    this.#forgetCleared();
    return this.#take(this.#entries.values());
  }

  /**
   * Adds a snapshot to what is loaded: its base, if any, and its deltas, oldest first; of them only the key groups that
   * this subtask owns. After a change of parallelism it is called for each of several snapshots.
   */
  load(payloads: readonly Buffer[]): void {
    const { uid, states, keyGroups } = this.#options;
    const entries = this.#entries;
    for (const payload of payloads) {
      readSnapshot(payload, `state of ${uid}`, states, keyGroups, {
        entry: (keyGroup, bytes, start, end, values) => {
          const id = bytes.toString('latin1', start, end);
          if (values.every((value) => value === undefined)) {
            entries.delete(id);
            return;
          }
          const entry = entries.get(id) ?? this.#newEntry(id, bytes, start, end, keyGroup);
          entry.values = values;
          entries.set(id, entry);
        },
      });
    }
  }

  /** Forgets everything. */
  drop(): void {
    this.#entries.clear();
    this.#changed = [];
  }

  #newEntry(id: string, bytes: Buffer, start: number, end: number, keyGroup: number): StateEntry {
    const { key: serde, states } = this.#options;
    const key = serde.read(bytes, start, end);
    // An ASCII key is the same text as its id: keep one string, not two.
    return { id, key: key === id ? id : key, keyGroup, values: new Array(states.length).fill(undefined), changed: false };
  }

  #take(entries: Iterable<StateEntry>): Buffer[] {
    const groups: StateEntry[][] = [];
    for (const entry of entries) {
      const group = groups[entry.keyGroup];
      if (group === undefined) groups[entry.keyGroup] = [entry];
      else group.push(entry);
    }
    const writer = new SnapshotWriter(this.#options.states);
    groups.forEach((group, keyGroup) => {
      writer.group(keyGroup);
      for (const { id, values } of group) writer.entry(id, values);
    });
    const parts = writer.finish();
    this.#forgetCleared();
    for (const entry of this.#changed) entry.changed = false;
    this.#changed = [];
    return parts;
  }

  #forgetCleared(): void {
    for (const { id, values } of this.#changed) if (values.every((value) => value === undefined)) this.#entries.delete(id);
  }
}

class ValueSlot implements ValueState<unknown, unknown> {
  readonly #state: KeyedState;
  readonly #slot: number;
  readonly #initial: unknown;

  constructor(state: KeyedState, slot: number, initial: unknown) {
    this.#state = state;
    this.#slot = slot;
    this.#initial = initial;
  }

  get(): unknown {
    const value = this.#state.current.values[this.#slot];
    return value === undefined ? this.#initial : value;
  }

  set(value: unknown): void {
    if (value === undefined) throw new TypeError('a state cannot be set to undefined: use clear()');
    const entry = this.#state.current;
    if (!entry.changed) this.#state.change(entry);
    entry.values[this.#slot] = value;
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const entry = this.#state.current;
    if (entry.values[this.#slot] === undefined) return;
    if (!entry.changed) this.#state.change(entry);
    entry.values[this.#slot] = undefined;
  }
}
