import { isPromise } from '../../format/serdes.ts';
import { JobDefinitionError, type Output } from '../../graph/job.ts';
import { copyOf } from '../../operators/copy.ts';
import type { ValueState } from '../../state/columns/value.ts';
import { expectGiven } from '../expect-given.ts';
import { expectKnown } from '../known-options.ts';
import { valueState } from '../state.ts';
import { refuseAsync } from '../user-function.ts';
import type { DraftedJoin, JoinSide } from './drafted-join.ts';

/** An inner join with versions, or with a table. */
export interface VersionJoin<T, V, O> {
  /** `inner`: a row without a version gives nothing. @default 'inner' */
  readonly type?: 'inner';
  /** Is it a deletion: from then on the key has no version? @default what is `undefined` or `null` is one */
  readonly isDeleted?: (version: V) => boolean;
  /** Makes the result of a row and its version. */
  join(row: T, version: V): O;
}

/** A left join with versions, or with a table. */
export interface LeftVersionJoin<T, V, O> {
  /** `left`: each row gives a result. */
  readonly type: 'left';
  /** As of `VersionJoin`. */
  readonly isDeleted?: (version: V) => boolean;
  /** Makes the result of a row, and its version if it has one. */
  join(row: T, version: V | undefined): O;
}

interface State {
  readonly version: ValueState<unknown>;
}

/** The first input brings versions, the second rows. What is newest when a row comes is its version. @param where begins messages */
export function versionJoin(options: VersionJoin<unknown, unknown, unknown>, versions: JoinSide, where: string): DraftedJoin {
  expectGiven(options, where, '{ join: (row, version) => … }');
  const { join, type = 'inner', isDeleted = isNothing } = options as VersionJoin<unknown, unknown, unknown>;
  expectKnown(options, { join: true, type: true, isDeleted: true }, where);
  refuseAsync(join, `${where}: join`);
  refuseAsync(isDeleted, `${where}: isDeleted`);
  if (type !== 'inner' && type !== 'left')
    throw new JobDefinitionError(`${where}: type is ${JSON.stringify(type)}, and may be 'inner' or 'left'`);
  const isLeft = (type as string) === 'left';
  return {
    state: { version: valueState(versions.value) },
    names: ['versions', 'rows'],
    onRecord: [
      (value, state) => {
        const { version } = state as State;
        if (decided(isDeleted(value))) version.clear();
        else version.set(value);
      },
      (value, state, out) => {
        const version = (state as State).version.get();
        if (version !== undefined || isLeft) (out as Output<unknown>).emit(join(value, copyOf(version) as never));
      },
    ],
  };
}

/** A promise would be taken for a yes. */
export function decided(answer: unknown): boolean {
  if (isPromise(answer)) throw new TypeError('isDeleted returned a promise; user functions return their result at once');
  return Boolean(answer);
}

export function isNothing(version: unknown): boolean {
  return version === undefined || version === null;
}
