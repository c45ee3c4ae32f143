import { JobDefinitionError, type Output } from '../../graph/job.ts';
import type { WindowContext, WindowProcess } from '../../graph/windows.ts';
import { copyOf } from '../../operators/copy.ts';
import type { OfInput } from '../../operators/of-input.ts';
import { expectGiven } from '../expect-given.ts';
import { expectKnown } from '../known-options.ts';
import { refuseAsync } from '../user-function.ts';

/** Which rows of two streams give a result: pairs of one key and window. */
export interface WindowJoin<K, L, R, O> {
  /** `inner`: what is alone in its window gives nothing. @default 'inner' */
  readonly type?: 'inner';
  /** Makes the result of two rows. */
  join(left: L, right: R, context: WindowContext<K>): O;
}

/** A left join of what is in one window. */
export interface LeftWindowJoin<K, L, R, O> {
  /** `left`: when the window is over, each left row gives a result that no right one is with. */
  readonly type: 'left';
  /** Makes the result of two rows; without `right` of a left one that is alone in its window. */
  join(left: L, right: R | undefined, context: WindowContext<K>): O;
}

/** A right join of what is in one window. */
export interface RightWindowJoin<K, L, R, O> {
  /** `right`: when the window is over, each right row gives a result that no left one is with. */
  readonly type: 'right';
  /** Makes the result of two rows; without `left` of a right one that is alone in its window. */
  join(left: L | undefined, right: R, context: WindowContext<K>): O;
}

/** A full join of what is in one window. */
export interface FullWindowJoin<K, L, R, O> {
  /** `full`: `left` and `right` together. */
  readonly type: 'full';
  /** Makes the result of two rows, or of one that is alone in its window. */
  join(left: L | undefined, right: R | undefined, context: WindowContext<K>): O;
}

export type AnyWindowJoin = Omit<FullWindowJoin<unknown, unknown, unknown, unknown>, 'type'> & { readonly type?: JoinType };

type JoinType = 'inner' | 'left' | 'right' | 'full';

/** Is given the rows of both streams that are in one window of a key. */
export type CoGroup = (
  lefts: readonly unknown[],
  rights: readonly unknown[],
  context: WindowContext<unknown>,
  out: Output<unknown>,
) => unknown;

/** Pairs in the order of the left rows, then of the right ones; behind them what is alone. @param where begins messages */
export function windowJoin(options: AnyWindowJoin, where: string): CoGroup {
  expectGiven(options, where, '{ join: (left, right) => … }');
  const { type = 'inner', join } = options;
  expectKnown(options, { join: true, type: true }, where);
  refuseAsync(join, `${where}: join`);
  if (!['inner', 'left', 'right', 'full'].includes(type))
    throw new JobDefinitionError(`${where}: type is ${JSON.stringify(type)}, and may be 'inner', 'left', 'right' or 'full'`);
  const aloneOnTheLeft = type === 'left' || type === 'full';
  const aloneOnTheRight = type === 'right' || type === 'full';
  return (lefts, rights, context, out) => {
    for (const left of lefts) for (const right of rights) out.emit(join(copyOf(left), copyOf(right), context));
    if (aloneOnTheLeft && rights.length === 0) for (const left of lefts) out.emit(join(left, undefined, context));
    if (aloneOnTheRight && lefts.length === 0) for (const right of rights) out.emit(join(undefined, right, context));
  };
}

/** Parts the rows of a window by the stream that they are of: the first is the left one. */
export function coGrouped(fn: CoGroup): WindowProcess {
  return {
    kind: 'process',
    sideOutputs: [],
    process(rows, context, out) {
      const sides: readonly [unknown[], unknown[]] = [[], []];
      for (const { input, value } of rows as readonly OfInput[]) sides[input as 0 | 1].push(value);
      return fn(sides[0], sides[1], context, out as Output<unknown>);
    },
  };
}
