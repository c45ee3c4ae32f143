import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import { hasPrimitives } from '../../format/serdes.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import type { Column } from './column.ts';
import { decode, encode, freeze, isObject, writeEncoded, writeValue } from './encoding.ts';
import { type Lifetime, lifetimeOf } from './lifetime.ts';
import type { Translation } from './translation.ts';
import { weighValue } from './weights.ts';

/** A state that holds one value of each key. In a snapshot: its encoding, in a delta too. */
export interface ValueDeclaration extends DeclaredState {
  readonly kind: 'value';
  readonly serdes: readonly [Serde<unknown>];
  /** What a key without a value reads: a value, of which each key gets a copy of its own if it is an object, or a function that makes one. */
  readonly initial: unknown;
}

/**
 * The value of one state for the key that is being worked on. `Absent` is what is read when there is none. It is of no use
 * outside of its record: every method throws there (`valueState` says what may be kept).
 *
 * @example
 * const visit = (visits: ValueState<number, number>) => visits.update((n) => n + 1);
 */
export interface ValueState<T, Absent = undefined> {
  /** What was set last, or what is read when there is nothing. */
  get(): T | Absent;
  /** Takes the place of what there was. Throws `TypeError` for undefined: what is not there is cleared. */
  set(value: T): void;
  /** Sets what `fn` makes of the present value, and returns it. */
  update(fn: (value: T | Absent) => T): T;
  /** Takes the value away: the key reads the initial value again and, when no state is left, costs nothing. */
  clear(): void;
}

/** @param handleOn what `onRecord` gets of the column. @default the column itself */
export function openValueColumn(keys: KeyIndex, state: ValueDeclaration, handleOn: HandleOn = (column) => column): Column {
  const asTheyAre = hasPrimitives(state.serdes[0]) && state.ttl === undefined;
  return asTheyAre ? new PrimitiveColumn(keys, state, handleOn) : new EncodedColumn(keys, state, handleOn);
}

type HandleOn = (column: ValueState<unknown, unknown>) => unknown;

/** Values that nobody can change in place, and that do not expire, are kept as they are. */
class PrimitiveColumn implements Column, ValueState<unknown, unknown> {
  readonly handle: unknown;
  readonly state: ValueDeclaration;
  readonly #keys: KeyIndex;
  readonly #serde: Serde<unknown>;
  readonly #initial: () => unknown;
  #values: unknown[] = [];

  constructor(keys: KeyIndex, state: ValueDeclaration, handleOn: HandleOn) {
    this.handle = handleOn(this);
    this.state = state;
    this.#keys = keys;
    this.#serde = state.serdes[0];
    this.#initial = initialOf(state);
  }

  get(): unknown {
    const value = this.#values[this.#keys.current];
    return value === undefined ? this.#absent() : value;
  }

  set(value: unknown): void {
    expectValue(value);
    const keys = this.#keys;
    const number = keys.current;
    if (keys.marks[number] !== CHANGED) this.#change(number);
    this.#values[number] = value;
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const number = currentOf(this.#keys, this.state);
    if (this.#values[number] === undefined) return;
    if (this.#keys.marks[number] !== CHANGED) this.#change(number);
    this.#values[number] = undefined;
  }

  extend(): void {
    this.#values.push(undefined);
  }

  read(): unknown {
    return this.get();
  }

  isEmpty(number: number): boolean {
    return this.#values[number] === undefined;
  }

  write(number: number, out: ByteWriter): boolean {
    const value = this.#values[number];
    if (value === undefined) return false;
    writeValue(this.state.name, this.#serde, value, out);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number, translation?: Translation): void {
    const migrated = translation?.[0]?.(bytes.toString('latin1', start, end));
    this.#values[number] = migrated === undefined ? this.#serde.read(bytes, start, end) : decode(this.state.name, this.#serde, migrated);
  }

  forget(number: number): void {
    this.#values[number] = undefined;
  }

  weigh(number: number): number {
    return weighValue(this.#values[number]);
  }

  takeBack(): void {}

  settle(): void {}

  drop(): void {
    this.#values = [];
  }

  #absent(): unknown {
    currentOf(this.#keys, this.state);
    return this.#initial();
  }

  #change(number: number): void {
    currentOf(this.#keys, this.state);
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
 * nothing depends on, and frozen, so that who changes it finds out. What is kept may have its age in front of it.
 */
class EncodedColumn implements Column, ValueState<unknown, unknown> {
  readonly handle: unknown;
  readonly state: ValueDeclaration;
  readonly #keys: KeyIndex;
  readonly #serde: Serde<unknown>;
  readonly #initial: () => unknown;
  readonly #lifetime: Lifetime;
  #kept: (string | undefined)[] = [];
  /** By key number. */
  readonly #lent = new Map<number, Lent>();

  constructor(keys: KeyIndex, state: ValueDeclaration, handleOn: HandleOn) {
    this.handle = handleOn(this);
    this.state = state;
    this.#keys = keys;
    this.#serde = state.serdes[0];
    this.#initial = initialOf(state);
    this.#lifetime = lifetimeOf(keys, state);
  }

  get(): unknown {
    const number = currentOf(this.#keys, this.state);
    const lent = this.#lent.get(number);
    if (lent !== undefined) return lent.value;
    const kept = this.#livingOf(number);
    const encoded = kept === undefined ? undefined : this.#lifetime.encodingOf(kept);
    const value = encoded === undefined ? this.#initial() : decode(this.state.name, this.#serde, encoded);
    // Changed in place, the initial value is one like any other.
    if (isObject(value)) this.#lent.set(number, { value, before: encoded ?? encode(this.state.name, this.#serde, value) });
    else if (encoded !== undefined) this.#lent.set(number, { value, before: encoded });
    return value;
  }

  set(value: unknown): void {
    expectValue(value);
    const number = currentOf(this.#keys, this.state);
    this.#change(number);
    this.#lent.set(number, { value, before: undefined });
  }

  update(fn: (value: unknown) => unknown): unknown {
    const value = fn(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    const number = currentOf(this.#keys, this.state);
    const lent = this.#lent.get(number);
    this.#lent.delete(number);
    const wasSet = lent !== undefined && lent.before === undefined;
    if (this.#kept[number] === undefined && !wasSet) return;
    this.#change(number);
    this.#kept[number] = undefined;
  }

  extend(): void {
    this.#kept.push(undefined);
  }

  read(): unknown {
    return this.get();
  }

  isEmpty(number: number): boolean {
    return this.#kept[number] === undefined;
  }

  write(number: number, out: ByteWriter): boolean {
    const kept = this.#kept[number];
    if (kept === undefined) return false;
    writeEncoded(kept, out);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number, translation?: Translation): void {
    const kept = bytes.toString('latin1', start, end);
    this.#kept[number] = translation?.[0]?.(kept) ?? kept;
  }

  forget(number: number): void {
    this.#kept[number] = undefined;
  }

  weigh(number: number): number {
    return weighValue(this.#kept[number]);
  }

  forgetExpired(number: number): void {
    const kept = this.#kept[number];
    if (kept !== undefined && this.#lifetime.isOver(kept)) this.#kept[number] = undefined;
  }

  takeBack(): void {
    for (const [number, { value, before }] of this.#lent) {
      if (before !== undefined && !isObject(value)) continue;
      const encoded = encode(this.state.name, this.#serde, value);
      freeze(value);
      if (encoded === before) continue;
      this.#change(number);
      const kept = this.#kept[number];
      const isChangedInPlace = before !== undefined && kept !== undefined;
      this.#kept[number] = isChangedInPlace ? this.#lifetime.inPlaceOf(kept, encoded) : this.#lifetime.written(encoded);
    }
    this.#lent.clear();
  }

  settle(): void {}

  drop(): void {
    this.#kept = [];
    this.#lent.clear();
  }

  /** What is kept of a key, and as old as it is once it was read. What has expired is taken away. */
  #livingOf(number: number): string | undefined {
    const kept = this.#kept[number];
    if (kept === undefined) return undefined;
    const living = this.#lifetime.isOver(kept) ? undefined : this.#lifetime.read(kept);
    if (living === kept) return kept;
    this.#change(number);
    this.#kept[number] = living;
    return living;
  }

  #change(number: number): void {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
  }
}

function expectValue(value: unknown): void {
  if (value === undefined) throw new TypeError('a state cannot be set to undefined: use clear()');
}

/** Makes what a key without a value reads: an object anew each time, so that no two keys share one. Nor do they when a function gives the same twice. */
export function initialOf({ name, serdes: [serde], initial }: Pick<ValueDeclaration, 'name' | 'serdes' | 'initial'>): () => unknown {
  if (typeof initial === 'function') {
    const make = initial as () => unknown;
    return () => {
      const made = make();
      return isObject(made) ? decode(name, serde, encode(name, serde, made)) : made;
    };
  }
  if (!isObject(initial)) return () => initial;
  const encoded = encode(name, serde, initial);
  return () => decode(name, serde, encoded);
}
