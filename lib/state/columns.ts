import { ByteWriter } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import { hasPrimitives } from '../format/serdes.ts';
import { type SnapshotState, StateValueError } from '../format/snapshot.ts';
import type { RecordScope } from './record-scope.ts';
import type { ValueState } from './value-state.ts';

/** A state as its operator declares it. */
export interface DeclaredState extends SnapshotState {
  /** What a key without a value reads: a value, of which each key gets a copy of its own if it is an object, or a function that makes one. */
  readonly initial: unknown;
}

/** What a column works on: the current key, and which keys have changed. */
export interface Keys {
  /** The number of the key whose record is worked on; negative outside of records. */
  readonly current: number;
  /** The operator's. */
  readonly uid: string;
  readonly scope: RecordScope;
  /** By key number. */
  readonly marks: Uint8Array;
  /** Called before a key changes for the first time since the last snapshot. */
  change(number: number): void;
}

/** In `marks`: the key has changed since the last snapshot; it has state, or had it then. */
export const CHANGED = 2;

/** One state's values by key number, and the handle on that of the current key. */
export interface Column extends ValueState<unknown, unknown> {
  /** As snapshots hold them: by `stored`. */
  values: unknown[];
  readonly stored: SnapshotState;
  /** Takes back what was given out. Throws `StateValueError` when its serde cannot encode it. */
  takeBack(): void;
  drop(): void;
}

export function createColumn(keys: Keys, state: DeclaredState): Column {
  return hasPrimitives(state.serde) ? new PrimitiveColumn(keys, state) : new EncodedColumn(keys, state);
}

/** Values that nobody can change in place are kept as they are. */
class PrimitiveColumn implements Column {
  values: unknown[] = [];
  readonly stored: SnapshotState;
  readonly #keys: Keys;
  readonly #initial: () => unknown;

  constructor(keys: Keys, state: DeclaredState) {
    this.#keys = keys;
    this.stored = state;
    this.#initial = initialOf(state);
  }

  get(): unknown {
    const value = this.values[this.#keys.current];
    return value === undefined ? this.#absent() : value;
  }

  set(value: unknown): void {
    expectValue(value);
    const keys = this.#keys;
    const number = keys.current;
    if (keys.marks[number] !== CHANGED) this.#change(number);
    this.values[number] = value;
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const number = currentOf(this.#keys, this.stored);
    if (this.values[number] === undefined) return;
    if (this.#keys.marks[number] !== CHANGED) this.#change(number);
    this.values[number] = undefined;
  }

  takeBack(): void {}

  drop(): void {
    this.values = [];
  }

  #absent(): unknown {
    currentOf(this.#keys, this.stored);
    return this.#initial();
  }

  #change(number: number): void {
    currentOf(this.#keys, this.stored);
    this.#keys.change(number);
  }
}

/** A value that is given out, or was set, since the last `takeBack`. */
interface Lent {
  readonly value: unknown;
  /** Its encoding when it was given out; undefined when it was set. */
  readonly before: string | undefined;
}

/**
 * Other values may be changed in place. So a key's value is kept as its encoding. It is decoded when its key is worked on,
 * and compared when that is over: a change is saved however it was made. What somebody holds afterwards is a copy that
 * nothing depends on, and frozen, so that who changes it finds out.
 */
class EncodedColumn implements Column {
  /** Encodings, as latin1. */
  values: unknown[] = [];
  readonly stored: SnapshotState;
  readonly #keys: Keys;
  readonly #state: DeclaredState;
  readonly #initial: () => unknown;
  /** By key number. */
  readonly #lent = new Map<number, Lent>();

  constructor(keys: Keys, state: DeclaredState) {
    this.#keys = keys;
    this.#state = state;
    this.#initial = initialOf(state);
    this.stored = { name: state.name, serde: encodings(state.serde.name) };
  }

  get(): unknown {
    const number = currentOf(this.#keys, this.stored);
    const lent = this.#lent.get(number);
    if (lent !== undefined) return lent.value;
    const encoded = this.values[number] as string | undefined;
    const value = encoded === undefined ? this.#initial() : decode(this.#state, encoded);
    // Changed in place, the initial value is one like any other.
    if (isObject(value)) this.#lent.set(number, { value, before: encoded ?? encode(this.#state, value) });
    else if (encoded !== undefined) this.#lent.set(number, { value, before: encoded });
    return value;
  }

  set(value: unknown): void {
    expectValue(value);
    const number = currentOf(this.#keys, this.stored);
    this.#change(number);
    this.#lent.set(number, { value, before: undefined });
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const number = currentOf(this.#keys, this.stored);
    const lent = this.#lent.get(number);
    this.#lent.delete(number);
    const wasSet = lent !== undefined && lent.before === undefined;
    if (this.values[number] === undefined && !wasSet) return;
    this.#change(number);
    this.values[number] = undefined;
  }

  takeBack(): void {
    for (const [number, { value, before }] of this.#lent) {
      if (before !== undefined && !isObject(value)) continue;
      const encoded = encode(this.#state, value);
      freeze(value);
      if (encoded === before) continue;
      this.#change(number);
      this.values[number] = encoded;
    }
    this.#lent.clear();
  }

  drop(): void {
    this.values = [];
    this.#lent.clear();
  }

  #change(number: number): void {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
  }
}

/** The number of the current key. Throws when no record is worked on. */
function currentOf({ current, scope, uid }: Keys, { name }: SnapshotState): number {
  return current < 0 ? scope.refuse(uid, `state ${name}`) : current;
}

function expectValue(value: unknown): void {
  if (value === undefined) throw new TypeError('a state cannot be set to undefined: use clear()');
}

/** Makes what a key without a value reads: an object anew each time, so that no two keys share one. */
function initialOf(state: DeclaredState): () => unknown {
  const { initial } = state;
  if (typeof initial === 'function') return initial as () => unknown;
  if (!isObject(initial)) return () => initial;
  const encoded = encode(state, initial);
  return () => decode(state, encoded);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

/** Plain objects and arrays, with all that is in them. Others keep to themselves what they hold. */
function freeze(value: unknown): void {
  if (!isPlain(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

const scratch = new ByteWriter();

function encode({ name, serde }: DeclaredState, value: unknown): string {
  scratch.reset();
  try {
    serde.write(value, scratch);
  } catch (cause) {
    throw new StateValueError('encode', name, serde.name, cause);
  }
  return scratch.bytes.toString('latin1', 0, scratch.position);
}

function decode({ name, serde }: DeclaredState, encoded: string): unknown {
  // A buffer of its own: a serde may keep a view on it.
  const bytes = Buffer.from(encoded, 'latin1');
  try {
    return serde.read(bytes, 0, bytes.length);
  } catch (cause) {
    throw new StateValueError('read', name, serde.name, cause);
  }
}

/** Encodings as snapshots hold them, under the name of the serde that made them. */
function encodings(name: string): Serde<unknown> {
  return {
    name,
    write(encoded, out) {
      const text = encoded as string;
      out.reserve(text.length);
      out.position += out.bytes.write(text, out.position, 'latin1');
    },
    read: (bytes, start, end) => bytes.toString('latin1', start, end),
  };
}
