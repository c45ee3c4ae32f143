import { isPromise } from '../../format/serdes.ts';
import { JobDefinitionError, type KeyedContext, type Output } from '../../graph/job.ts';
import { copyOf } from '../../operators/copy.ts';
import type { ValueState } from '../../state/columns/value.ts';
import { expectGiven } from '../expect-given.ts';
import { expectKnown } from '../known-options.ts';
import { valueState } from '../state.ts';
import { refuseAsync } from '../user-function.ts';
import type { DraftedJoin, JoinSide } from './drafted-join.ts';
import { decided, isNothing } from './version-joins.ts';

/** A change of a table. As a record it has this key and this value, and without one it is a tombstone: `toRecord: (change) => change`. */
export interface TableChange<K, V> {
  /** Whose row it is. */
  readonly key: K;
  /** Of the key from now on. Undefined: it is deleted. */
  readonly value: V | undefined;
}

interface Deletions<L, R> {
  /** Is it a deletion: from then on the left table has nothing of the key? @default what is `undefined` or `null` is one */
  readonly isLeftDeleted?: (left: L) => boolean;
  /** The same of the right table. @default what is `undefined` or `null` is one */
  readonly isRightDeleted?: (right: R) => boolean;
}

/** An inner join of two tables. */
export interface TablesJoin<L, R, O> extends Deletions<L, R> {
  /** `inner`: a key has a result while both tables have it. @default 'inner' */
  readonly type?: 'inner';
  /** Makes a key's result. */
  join(left: L, right: R): O;
}

/** A left join of two tables. */
export interface LeftTablesJoin<L, R, O> extends Deletions<L, R> {
  /** `left`: a key has a result while the left table has it. */
  readonly type: 'left';
  /** Makes a key's result, of what the right table has of it if there is anything. */
  join(left: L, right: R | undefined): O;
}

/** A full join of two tables. */
export interface FullTablesJoin<L, R, O> extends Deletions<L, R> {
  /** `full`: a key has a result while one of the tables has it. */
  readonly type: 'full';
  /** Makes a key's result, of what the tables have of it. */
  join(left: L | undefined, right: R | undefined): O;
}

export type AnyTablesJoin = Omit<FullTablesJoin<unknown, unknown, unknown>, 'type'> & { readonly type?: 'inner' | 'left' | 'full' };

interface State {
  readonly left: ValueState<unknown>;
  readonly right: ValueState<unknown>;
}

/** What two tables have of each key, as a stream of its changes. @param where begins messages */
export function joinTables(options: AnyTablesJoin, sides: readonly [JoinSide, JoinSide], where: string): DraftedJoin {
  expectGiven(options, where, '{ join: (left, right) => … }');
  const { join, type = 'inner', isLeftDeleted = isNothing, isRightDeleted = isNothing } = options;
  expectKnown(options, { join: true, type: true, isLeftDeleted: true, isRightDeleted: true }, where);
  refuseAsync(join, `${where}: join`);
  refuseAsync(isLeftDeleted, `${where}: isLeftDeleted`);
  refuseAsync(isRightDeleted, `${where}: isRightDeleted`);
  if (!['inner', 'left', 'full'].includes(type))
    throw new JobDefinitionError(
      `${where}: type is ${JSON.stringify(type)}, and may be 'inner', 'left' or 'full'; for a right one turn the tables round`,
    );
  const needsLeft = type !== 'full';
  const needsRight = type === 'inner';
  const hasResult = (left: unknown, right: unknown) =>
    (left !== undefined || !needsLeft) && (right !== undefined || !needsRight) && (left !== undefined || right !== undefined);

  function taking(side: 'left' | 'right', isDeleted: (row: unknown) => boolean) {
    return (row: unknown, state: unknown, out: Output<unknown>, { key }: KeyedContext<unknown>): void => {
      const { left, right } = state as State;
      const own = (state as State)[side];
      const deletes = decided(isDeleted(row));
      // Nothing was there, nothing is taken away.
      if (deletes && own.get() === undefined) return;
      const had = hasResult(left.get(), right.get());
      if (deletes) own.clear();
      else own.set(row);
      const [one, other] = [left.get(), right.get()];
      if (hasResult(one, other)) out.emit({ key, value: made(join(copyOf(one), copyOf(other))) });
      else if (had) out.emit({ key, value: undefined });
    };
  }

  return {
    state: { left: valueState(sides[0].value), right: valueState(sides[1].value) },
    names: ['left', 'right'],
    onRecord: [taking('left', isLeftDeleted), taking('right', isRightDeleted)],
  };
}

/** It goes on within a change, where nobody sees that it is a promise. */
function made(result: unknown): unknown {
  if (isPromise(result)) throw new TypeError('join returned a promise; user functions return their result at once');
  return result;
}
