import type { Serde } from '../../format/serde.ts';
import type { DeclaredState } from '../declared-state.ts';
import type { KeyIndex } from '../key-index.ts';
import type { Column } from './column.ts';
import { expectResult } from './reducing.ts';
import { initialOf, openValueColumn, type ValueState } from './value.ts';

/** A state that holds an accumulator, to which values are added that are of another type. In a snapshot: its encoding, as a value's. */
export interface AggregatingDeclaration extends DeclaredState {
  readonly kind: 'aggregating';
  /** Of the accumulator. */
  readonly serdes: readonly [Serde<unknown>];
  /** What the first value is added to: an accumulator, of which each key gets a copy of its own if it is an object, or a function that makes one. */
  readonly initial: unknown;
  readonly add: (accumulator: unknown, value: unknown) => unknown;
  /** What is read. @default the accumulator */
  readonly result: ((accumulator: unknown) => unknown) | undefined;
}

/**
 * The aggregate of one state for the key that is being worked on. It is of no use outside of its record: everything throws there.
 *
 * @example
 * const meanWith = (mean: AggregatingState<number, number>, price: number) => {
 *   mean.add(price);
 *   return mean.get();
 * };
 */
export interface AggregatingState<T, R> {
  /** Undefined when nothing was added. */
  get(): R | undefined;
  /** Adds a value to the accumulator. */
  add(value: T): void;
  /** As if nothing had been added: when no state is left, the key costs nothing. */
  clear(): void;
}

export function openAggregatingColumn(keys: KeyIndex, state: AggregatingDeclaration): Column {
  const { name, serdes, ttl } = state;
  return openValueColumn(keys, { kind: 'value', name, serdes, ttl, initial: undefined }, (held) => new Aggregating(state, held));
}

class Aggregating implements AggregatingState<unknown, unknown> {
  readonly #state: AggregatingDeclaration;
  readonly #held: ValueState<unknown, unknown>;
  readonly #initial: () => unknown;

  constructor(state: AggregatingDeclaration, held: ValueState<unknown, unknown>) {
    this.#state = state;
    this.#held = held;
    this.#initial = initialOf(state);
  }

  get(): unknown {
    const { result } = this.#state;
    const accumulator = this.#held.get();
    return accumulator === undefined || result === undefined ? accumulator : result(accumulator);
  }

  add(value: unknown): void {
    const { name, add } = this.#state;
    const accumulator = this.#held.get();
    this.#held.set(expectResult(name, 'add', add(accumulator === undefined ? this.#initial() : accumulator, value)));
  }

  clear(): void {
    this.#held.clear();
  }
}
