import type { Serde } from '../format/serde.ts';
import type { ValueState } from '../state/value-state.ts';

/** A state's declaration: `Absent` is what a key without a value reads. Made by `valueState`. */
export interface ValueStateSpec<T, Absent> {
  readonly serde: Serde<T>;
  readonly initial: Absent;
}

/**
 * One value for each key. `initial` is what a key reads that has no value; it is not stored.
 *
 * Values are kept as they are and written to snapshots when `set` or `update` was called: to change a value, give a
 * new one. An object changed in place is not saved.
 *
 * @example
 * state: { count: valueState(int64, 0), lastSeen: valueState(float64) }
 */
export function valueState<T>(serde: Serde<T>): ValueStateSpec<T, undefined>;
export function valueState<T>(serde: Serde<T>, initial: NoInfer<T>): ValueStateSpec<T, T>;
export function valueState<T>(serde: Serde<T>, initial?: T): ValueStateSpec<T, T | undefined> {
  return { serde, initial };
}

export type StateSpecs = Readonly<Record<string, ValueStateSpec<unknown, unknown>>>;

/** The handles that `onRecord` is given for the declared states. */
export type StateHandles<S extends StateSpecs> = {
  readonly [Name in keyof S]: S[Name] extends ValueStateSpec<infer T, infer Absent> ? ValueState<T, Absent> : never;
};
