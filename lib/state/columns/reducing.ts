import type { Serde } from '../../format/serde.ts';
import type { DeclaredState } from '../declared-state.ts';
import type { KeyIndex } from '../key-index.ts';
import type { Column } from './column.ts';
import { openValueColumn, type ValueState } from './value.ts';

/** A state that holds what a function makes of all values that were added. In a snapshot: its encoding, as a value's. */
export interface ReducingDeclaration extends DeclaredState {
  readonly kind: 'reducing';
  readonly serdes: readonly [Serde<unknown>];
  /** Makes one of what there is and the value that is added. */
  readonly reduce: (reduced: unknown, value: unknown) => unknown;
}

/**
 * What one state has made of the values that were added for the key that is being worked on. It is of no use outside of its record:
 * everything throws there.
 *
 * @example
 * const isHighest = (highest: ReducingState<number>, price: number) => price > (highest.get() ?? 0);
 */
export interface ReducingState<T> {
  /** Undefined when nothing was added. An object may be changed in place while its record is worked on: that is saved. */
  get(): T | undefined;
  /** The first value is taken as it is. */
  add(value: T): void;
  /** As if nothing had been added: when no state is left, the key costs nothing. */
  clear(): void;
}

export function openReducingColumn(keys: KeyIndex, { name, serdes, reduce, ttl }: ReducingDeclaration): Column {
  return openValueColumn(keys, { kind: 'value', name, serdes, ttl, initial: undefined }, (held) => new Reducing(name, held, reduce));
}

class Reducing implements ReducingState<unknown> {
  readonly #name: string;
  readonly #held: ValueState<unknown, unknown>;
  readonly #reduce: ReducingDeclaration['reduce'];

  constructor(name: string, held: ValueState<unknown, unknown>, reduce: ReducingDeclaration['reduce']) {
    this.#name = name;
    this.#held = held;
    this.#reduce = reduce;
  }

  get(): unknown {
    return this.#held.get();
  }

  add(value: unknown): void {
    const reduced = this.#held.get();
    if (value === undefined) throw new TypeError(`undefined cannot be added to state ${this.#name}`);
    this.#held.set(reduced === undefined ? value : expectResult(this.#name, 'reduce', this.#reduce(reduced, value)));
  }

  clear(): void {
    this.#held.clear();
  }
}

/** A function that changes what it is given in place has to return it as well. */
export function expectResult(state: string, what: string, result: unknown): unknown {
  if (result === undefined) throw new TypeError(`the function ${what} of state ${state} returned undefined: return what is to be kept`);
  return result;
}
