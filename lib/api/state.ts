import { nameOf } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { AggregatingState } from '../state/columns/aggregating.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { ListState } from '../state/columns/list.ts';
import type { MapState } from '../state/columns/map.ts';
import type { ReducingState } from '../state/columns/reducing.ts';
import type { ValueState } from '../state/columns/value.ts';
import type { StateTtl } from '../state/declared-state.ts';
import { expectGiven } from './expect-given.ts';
import { expectKnown } from './known-options.ts';
import { formerNames } from './uid.ts';
import { refuseAsync } from './user-function.ts';
import { expectInitial, expectKeySerde, expectSerde } from './user-serde.ts';
import { shownValue } from './whole-number.ts';

declare const handle: unique symbol;

/** A state's declaration, of any kind: `Handle` is what `onRecord` is given. Made by `valueState`, `listState` and their like. */
export interface StateSpec<Handle> {
  /** For the compiler alone. */
  readonly [handle]?: Handle;
  /** Called by `defineJob`; `where` begins its errors. Throws `JobDefinitionError` for what would fail at the first record. */
  declare(name: string, where: string): StateDeclaration;
}

/** A value state's declaration: `Absent` is what a key without a value reads. Made by `valueState`. */
export interface ValueStateSpec<T, Absent> extends StateSpec<ValueState<T, Absent>> {
  /** How the value is stored. */
  readonly serde: Serde<T>;
  /** The value, or what makes it. */
  readonly initial: Absent | (() => Absent);
}

/**
 * One value for each key. `initial` is what a key reads that has no value: a value, or a function that makes one. Of an object each
 * key gets a copy of its own (by the serde), whatever the function gives. It is not stored, unless it is set or changed.
 *
 * **What may be changed and kept.** An object that `get`, `update` or `initial` gave out may be changed in place while its
 * record is worked on: what it is then is saved, with `set` or without. When the record is done with, nothing may be kept of
 * it: not the object, not the handle, not `out`. A handle that is used later, from a promise or a timer, throws, and the
 * attempt fails as user code. Plain objects and arrays are frozen when the epoch's input is done with: who changes one later
 * gets a `TypeError`. One of a class is a copy by then, and its change reaches nothing: `testJob` fails at that.
 * What is to be known at the next record belongs into the state; a variable outside of it is lost with the process, and is
 * not taken back with an attempt that fails.
 *
 * @example
 * const state = { count: valueState(int64, 0), lastSeen: valueState(float64), words: valueState(json<string[]>(), []) };
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
  /** How an entry is stored. */
  readonly serde: Serde<T>;
}

/**
 * A list for each key, empty at first. An epoch writes of it what has changed: a key with a million entries to which ten are added
 * writes ten. Nothing of it may be kept when its record is done with (`valueState` says what that means).
 *
 * @example
 * const state = { lastPrices: listState(float64) };
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

/** A map state's declaration. Made by `mapState`. */
export interface MapStateSpec<K, V> extends StateSpec<MapState<K, V>> {
  /** How the key of an entry is stored, and told from others. */
  readonly key: Serde<K>;
  /** How the value of an entry is stored. */
  readonly value: Serde<V>;
}

/**
 * A map for each key, empty at first. Its entries' keys are compared by the bytes that `key` writes (0 and -0 are one key), and its
 * entries come in the order of these bytes: of `utf8` that of code points, of `int32` and `int64` that of the numbers, the
 * negative ones last. The order does not depend on when they were set, on parallelism or on a restart. An epoch writes of it what has
 * changed: a key with a million entries of which ten change writes ten. Nothing of it may be kept when its record is done with
 * (`valueState` says what that means).
 *
 * @example
 * const state = { prices: mapState(utf8, float64) };
 */
export function mapState<K, V>(key: Serde<K>, value: Serde<V>): MapStateSpec<K, V> {
  return {
    key,
    value,
    declare(name, where) {
      expectKeySerde(key, `${where}: key`);
      expectSerde(value, `${where}: value`);
      return { kind: 'map', name, serdes: [key as Serde<unknown>, value as Serde<unknown>] };
    },
  };
}

/** A reducing state's declaration. Made by `reducingState`. */
export interface ReducingStateSpec<T> extends StateSpec<ReducingState<T>> {
  /** How the value is stored. */
  readonly serde: Serde<T>;
}

/**
 * For each key what `reduce` makes of the values that are added, one after the other; the first is taken as it is. `reduce` may change
 * in place what it is given, and has to return it. Nothing of it may be kept when its record is done with (`valueState` says what that
 * means).
 *
 * @example
 * const state = { highest: reducingState(float64, Math.max) };
 */
export function reducingState<T>(serde: Serde<T>, reduce: (reduced: NoInfer<T>, value: NoInfer<T>) => NoInfer<T>): ReducingStateSpec<T> {
  return {
    serde,
    declare(name, where) {
      expectSerde(serde, where);
      refuseAsync(reduce, `${where}: reduce`);
      return { kind: 'reducing', name, serdes: [serde as Serde<unknown>], reduce: reduce as (reduced: unknown, value: unknown) => unknown };
    },
  };
}

/** How values of type `T` become a result of type `R`, by an accumulator of type `A`. */
export interface Aggregate<T, A, R = A> {
  /** What the first value is added to: an accumulator, of which each key gets a copy of its own (by the serde) if it is an object, or a function that makes one. */
  readonly initial: A | (() => A);
  /** May change the accumulator in place, and has to return it. */
  readonly add: (accumulator: A, value: T) => A;
  /** What is read. @default the accumulator itself */
  readonly result?: (accumulator: A) => R;
}

/** An aggregating state's declaration. Made by `aggregatingState`. */
export interface AggregatingStateSpec<T, R> extends StateSpec<AggregatingState<T, R>> {
  /** How the accumulator is stored. */
  readonly serde: Serde<unknown>;
}

/**
 * For each key an accumulator, of which `serde` is, and to which values are added that may be of another type. Nothing of it may be kept
 * when its record is done with (`valueState` says what that means).
 *
 * @example
 * const state = {
 *   mean: aggregatingState(json<{ sum: number; n: number }>(), {
 *     initial: { sum: 0, n: 0 },
 *     add: ({ sum, n }, price: number) => ({ sum: sum + price, n: n + 1 }),
 *     result: ({ sum, n }) => sum / n,
 *   }),
 * };
 */
export function aggregatingState<T, A, R = A>(serde: Serde<A>, aggregate: Aggregate<T, NoInfer<A>, R>): AggregatingStateSpec<T, R> {
  return {
    serde: serde as Serde<unknown>,
    declare(name, where) {
      expectSerde(serde, where);
      expectGiven(aggregate, where, '{ initial: 0, add: (n) => n + 1 }');
      expectKnown(aggregate, { initial: true, add: true, result: true }, where);
      const { initial, add, result } = aggregate as Aggregate<unknown, unknown, unknown>;
      expectInitial(serde as Serde<unknown>, initial, where);
      if (initial === undefined) throw new JobDefinitionError(`${where}: initial is undefined: nothing could be added to it`);
      refuseAsync(add, `${where}: add`);
      if (result !== undefined) refuseAsync(result, `${where}: result`);
      return { kind: 'aggregating', name, serdes: [serde as Serde<unknown>], initial, add, result };
    },
  };
}

/** How long a state keeps what it holds. */
export interface TtlOptions {
  /** For how long, in milliseconds of processing time: a whole number, 1 at least. It may be changed from one run to the next. */
  readonly ttlMs: number;
  /**
   * What begins that time anew. `write`: what was set or added. `read-and-write`: also what was given out (by `get`, `at`, `values`,
   * `entries`, or when it is gone through; not `has`, `keys`, `size` and `length`). What is changed in place is saved, and stays as old
   * as it was.
   * @default 'write'
   */
  readonly refreshOn?: 'write' | 'read-and-write';
}

/**
 * The same state with a time to live: the value, the accumulator, each entry of a list or a map by itself is gone when the processing time
 * of an epoch has come to that of its last writing and `ttlMs`. Then nothing of it is ever seen again: what it took is freed when
 * something looks for it, and at the latest when the snapshot is written anew. Such a state is stored in another way than without: a job
 * that has one goes on with it, and is refused with the other.
 *
 * @example
 * const state = { visits: withTtl(valueState(int64, 0), { ttlMs: 24 * 60 * 60 * 1000 }) };
 */
export function withTtl<Handle>(spec: StateSpec<Handle>, options: TtlOptions): StateSpec<Handle> {
  return {
    declare(name, where) {
      const declared = declareState(spec, name, where);
      if (declared.ttl !== undefined) throw new JobDefinitionError(`${where}: it has a time to live already: take one withTtl out`);
      return { ...declared, ttl: checkedTtl(options, where) };
    },
  };
}

/**
 * A state that had another name in earlier builds, and goes on with what is kept under that one. It may say so for good: of several names
 * it had one after the other.
 *
 * @example
 * const state = { visits: renamed(valueState(int64, 0), { formerly: 'count' }) };
 */
export function renamed<Handle>(spec: StateSpec<Handle>, options: { readonly formerly: string | readonly string[] }): StateSpec<Handle> {
  return {
    declare(name, where) {
      const declared = declareState(spec, name, where);
      if (declared.formerly !== undefined)
        throw new JobDefinitionError(`${where}: its former names are given already: give all of them to one renamed`);
      return { ...declared, formerly: formerNames(options, where) };
    },
  };
}

function checkedTtl(options: TtlOptions, where: string): StateTtl {
  expectKnown(options, { ttlMs: true, refreshOn: true }, where);
  const { ttlMs, refreshOn = 'write' } = (options ?? {}) as TtlOptions;
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1)
    throw new JobDefinitionError(`${where}: ttlMs is ${shownValue(ttlMs)}, and must be whole milliseconds, 1 at least`);
  if (refreshOn !== 'write' && refreshOn !== 'read-and-write')
    throw new JobDefinitionError(`${where}: refreshOn is ${JSON.stringify(refreshOn)}, and may be 'write' or 'read-and-write'`);
  return { ttlMs, refreshOn };
}

/** What `state` of an operator declares, checked. Throws `JobDefinitionError`. */
export function declareState(spec: StateSpec<unknown>, name: string, where: string): StateDeclaration {
  if (typeof (spec as Partial<StateSpec<unknown>> | null)?.declare !== 'function')
    throw new JobDefinitionError(`${where}: ${nameOf(spec)} is no state: declare it by valueState(serde), listState(serde) or their like`);
  return spec.declare(name, where);
}

/** States by names of the author's. */
export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;

/** The handles that `onRecord` is given for the declared states. */
export type StateHandles<S extends StateSpecs> = {
  readonly [Name in keyof S]: S[Name] extends StateSpec<infer Handle> ? Handle : never;
};
