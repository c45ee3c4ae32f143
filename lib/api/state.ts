import { nameOf } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { ListState } from '../state/columns/list.ts';
import type { ValueState } from '../state/columns/value.ts';
import { expectInitial, expectSerde } from './user-serde.ts';

declare const handle: unique symbol;

/** A state's declaration, of any kind: `Handle` is what `onRecord` is given. Made by `valueState` and `listState`. */
export interface StateSpec<Handle> {
  /** For the compiler alone. */
  readonly [handle]?: Handle;
  /** Called by `defineJob`; `where` begins its errors. Throws `JobDefinitionError` for what would fail at the first record. */
  declare(name: string, where: string): StateDeclaration;
}

/** A value state's declaration: `Absent` is what a key without a value reads. Made by `valueState`. */
export interface ValueStateSpec<T, Absent> extends StateSpec<ValueState<T, Absent>> {
  readonly serde: Serde<T>;
  /** The value, or what makes it. */
  readonly initial: Absent | (() => Absent);
}

/**
 * One value for each key. `initial` is what a key reads that has no value: a value, of which each key gets a copy of its own
 * (by the serde) when it is an object, or a function that makes one. It is not stored, unless it is set or changed.
 *
 * **What may be changed and kept.** An object that `get`, `update` or `initial` gave out may be changed in place while its
 * record is worked on: what it is then is saved, with `set` or without. When the record is done with, nothing may be kept of
 * it: not the object, not the handle, not `out`. A handle that is used later, from a promise or a timer, throws, and the
 * attempt fails as user code. An object that is changed later is a copy: the change reaches the state or not, by chance.
 * What is to be known at the next record belongs into the state; a variable outside of it is lost with the process, and is
 * not taken back with an attempt that fails.
 *
 * @example
 * state: { count: valueState(int64, 0), lastSeen: valueState(float64), words: valueState(json<string[]>(), []) }
 */
export function valueState<T>(serde: Serde<T>): ValueStateSpec<T, undefined>;
export function valueState<T>(serde: Serde<T>, initial: NoInfer<T> | (() => NoInfer<T>)): ValueStateSpec<T, T>;
export function valueState<T>(serde: Serde<T>, initial?: T | (() => T)): ValueStateSpec<T, T | undefined> {
  return {
    serde,
    initial,
    declare(name, where) {
      expectSerde(serde, where);
      expectInitial(serde as Serde<unknown>, initial, where);
      return { kind: 'value', name, serdes: [serde as Serde<unknown>], initial };
    },
  };
}

/** A list state's declaration. Made by `listState`. */
export interface ListStateSpec<T> extends StateSpec<ListState<T>> {
  readonly serde: Serde<T>;
}

/**
 * A list for each key, empty at first. An epoch writes of it what has changed: a key with a million entries to which ten are added
 * writes ten. Nothing of it may be kept when its record is done with (`valueState` says what that means).
 *
 * @example
 * state: { lastPrices: listState(float64) }
 */
export function listState<T>(serde: Serde<T>): ListStateSpec<T> {
  return {
    serde,
    declare(name, where) {
      expectSerde(serde, where);
      return { kind: 'list', name, serdes: [serde as Serde<unknown>] };
    },
  };
}

/** What `state` of an operator declares, checked. Throws `JobDefinitionError`. */
export function declareState(spec: StateSpec<unknown>, name: string, where: string): StateDeclaration {
  if (typeof (spec as Partial<StateSpec<unknown>> | null)?.declare !== 'function')
    throw new JobDefinitionError(`${where}: ${nameOf(spec)} is no state: declare it by valueState(serde) or listState(serde)`);
  return spec.declare(name, where);
}

export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;

/** The handles that `onRecord` is given for the declared states. */
export type StateHandles<S extends StateSpecs> = {
  readonly [Name in keyof S]: S[Name] extends StateSpec<infer Handle> ? Handle : never;
};
