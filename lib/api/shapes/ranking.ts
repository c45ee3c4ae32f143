import type { Serde } from '../../format/serde.ts';
import { madeOf } from '../../format/versioned.ts';
import { JobDefinitionError } from '../../graph/job.ts';
import { writeSized } from '../../state/columns/encoding.ts';
import { Cursor } from '../../state/snapshot/cursor.ts';
import { expectGiven } from '../expect-given.ts';
import { type EveryOption, expectKnown } from '../known-options.ts';
import { refuseAsync } from '../user-function.ts';
import { expectWhole } from '../whole-number.ts';
import { encodingOf } from './encoding-of.ts';

/** What comes first: by a number, or as an array is sorted. */
export type RankOrder<T> = ByNumber<T> | ByComparison<T>;

interface ByNumber<T> {
  /** The value with the greatest number ranks first. NaN is an error. */
  readonly by: (value: T) => number;
  readonly compare?: undefined;
}

interface ByComparison<T> {
  /** As `Array.sort` has it: negative when `one` ranks before `other`. Of equals 0: what gives anything else for a value and itself is an error. */
  readonly compare: (one: T, other: T) => number;
  readonly by?: undefined;
}

export type AnyOrder = {
  readonly n: number;
  readonly by?: unknown;
  readonly compare?: unknown;
  readonly withTies?: unknown;
  readonly ttlMs?: unknown;
};

const ORDER_OPTIONS: EveryOption<AnyOrder> = { n: true, by: true, compare: true, withTies: true, ttlMs: true };

/** More would be decoded and encoded again for each value that comes. */
const MOST = 10_000;

/** The first values of an order, in it. Of equal ones that is first whose encoding is less, byte by byte: so it hangs on no arrival. */
export class Ranking {
  readonly serde: Serde<unknown[]>;
  readonly #n: number;
  readonly #withTies: boolean;
  readonly #compare: (one: unknown, other: unknown) => number;
  readonly #value: Serde<unknown>;

  /** @param where begins messages. Throws `JobDefinitionError`. */
  constructor(order: AnyOrder, value: Serde<unknown>, where: string) {
    expectGiven(order, where, '{ n: 10, by: ({ price }) => price }');
    const { n, by, compare, withTies = false } = order;
    expectKnown(order, ORDER_OPTIONS, where);
    expectWhole(n, `${where}: n`, 1, MOST);
    if ((by === undefined) === (compare === undefined))
      throw new JobDefinitionError(`${where}: give it either \`by\`, by whose number the greatest ranks first, or \`compare\``);
    if (by !== undefined) refuseAsync(by, `${where}: by`);
    if (compare !== undefined) refuseAsync(compare, `${where}: compare`);
    if (typeof withTies !== 'boolean') throw new JobDefinitionError(`${where}: withTies is ${String(withTies)}, and must be true or false`);
    this.#n = n;
    this.#withTies = withTies;
    this.#compare = compare === undefined ? greatestFirst(by as (value: unknown) => unknown) : (compare as Ranking['rank']);
    this.#value = value;
    this.serde = listSerde(value);
  }

  /** Negative: `one` ranks before `other`. 0: they are the same. */
  rank(one: unknown, other: unknown): number {
    const order = this.#compare(one, other);
    if (order !== 0) return checked(order);
    const [oneBytes, otherBytes] = [encodingOf(this.#value, one), encodingOf(this.#value, other)];
    return oneBytes < otherBytes ? -1 : oneBytes > otherBytes ? 1 : 0;
  }

  /** Puts a value where it belongs, in place. Answers where: −1 when it is not among the first. */
  add(top: unknown[], value: unknown): number {
    // One that has no place in the order fails itself, and not the next, which would meet it here for ever.
    if (top.length === 0) this.#checkOrder(value);
    let [from, to] = [0, top.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.rank(top[middle], value) <= 0) from = middle + 1;
      else to = middle;
    }
    if (from >= this.#n && !this.#isTied(top, value)) return -1;
    top.splice(from, 0, value);
    this.#cut(top);
    return from;
  }

  #checkOrder(value: unknown): void {
    const order = checked(this.#compare(value, value));
    if (order === 0) return;
    throw new TypeError(
      `compare gave ${order} for a value and itself, so that which of two equals ranks first would hang on which came first: of equals it gives 0, and then the one ranks first whose encoding is less`,
    );
  }

  #isTied(top: readonly unknown[], value: unknown): boolean {
    return this.#withTies && this.#compare(top[this.#n - 1], value) === 0;
  }

  #cut(top: unknown[]): void {
    if (top.length <= this.#n) return;
    let kept = this.#n;
    if (this.#withTies) while (kept < top.length && this.#compare(top[this.#n - 1], top[kept]) === 0) kept++;
    top.length = kept;
  }
}

function greatestFirst(by: (value: unknown) => unknown): (one: unknown, other: unknown) => number {
  const numberOf = (value: unknown): number => {
    const number = by(value);
    if (typeof number === 'number' && !Number.isNaN(number)) return number;
    throw new TypeError(`by gave ${typeof number === 'string' ? JSON.stringify(number) : String(number)}, which is no number`);
  };
  return (one, other) => {
    const [a, b] = [numberOf(one), numberOf(other)];
    return a > b ? -1 : a < b ? 1 : 0;
  };
}

function checked(order: unknown): number {
  if (typeof order === 'number' && !Number.isNaN(order)) return order;
  throw new TypeError(`compare gave ${String(order)}, which is no number`);
}

/** Values behind their number, each behind its size. */
function listSerde(of: Serde<unknown>): Serde<unknown[]> {
  return madeOf(of, listOf);
}

function listOf(value: Serde<unknown>): Serde<unknown[]> {
  const name = `ranked ${value.name}`;
  return {
    name,
    write(values, out) {
      out.varint(values.length);
      for (const one of values) writeSized(encodingOf(value, one), out);
    },
    read(bytes, start, end) {
      const cursor = new Cursor(bytes, name, start, end);
      return Array.from({ length: cursor.count(1) }, () => {
        const size = cursor.size();
        cursor.position += size;
        return value.read(bytes, cursor.position - size, cursor.position);
      });
    },
  };
}
