import type { Serde } from '../../format/serde.ts';
import type { WindowFold } from '../../graph/windows.ts';
import type { ValueState } from '../../state/columns/value.ts';
import { type TtlOptions, valueState, withTtl } from '../state.ts';
import type { Ranking, RankOrder } from './ranking.ts';
import type { Running } from './running.ts';

/** The first values of a window. */
export type TopN<T> = RankOrder<T> & {
  /** So many, 1 to 10,000. */
  readonly n: number;
  /** Those that are equal to the last of them too, as many as there are: SQL's `WITH TIES`, or `RANK() <= n`. @default false */
  readonly withTies?: boolean;
};

/** The first values of a key. */
export type RunningTopN<T> = RankOrder<T> & {
  /** So many, 1 to 10,000. */
  readonly n: number;
  /** In milliseconds of processing time, 1 at least: when none has come among them for so long, the key begins anew. @default for ever */
  readonly ttlMs?: TtlOptions['ttlMs'];
};

/** How `topN` behind windows keeps what it ranks. */
export interface TopNOptions<T> {
  /**
   * How what is ranked is kept, and crosses to where it meets that of other keys. Of equals the one ranks first whose encoding is less.
   * @default structured
   */
  readonly value?: Serde<NoInfer<T>>;
}

/** A value has come to this rank of its key, and whatever had it before has not. */
export interface RankChange<K, T> {
  /** Whose ranks they are. */
  readonly key: K;
  /** The first is 1. */
  readonly rank: number;
  /** What has the rank now. */
  readonly value: T;
}

/** The first values of a window over all keys. */
export interface WindowTop<T> {
  /** As that of the windows before it. */
  readonly startMs: number;
  /** The first millisecond behind the window, since the Unix epoch. */
  readonly endMs: number;
  /** In their order. */
  readonly value: readonly T[];
}

/** Keeps the first values of a window. */
export function topOfWindow(ranking: Ranking, result: WindowFold['result']): WindowFold {
  const add = (top: unknown, value: unknown) => {
    ranking.add(top as unknown[], value);
    return top;
  };
  const merge = (top: unknown, other: unknown) => {
    for (const value of other as readonly unknown[]) ranking.add(top as unknown[], value);
    return top;
  };
  return { kind: 'fold', first: (value) => add([], value), add, merge, result };
}

interface State<T> {
  readonly top: ValueState<T[], T[]>;
}

/** Keeps the first values of a key, and says which ranks have changed. */
export function runningTop<K, T>(ranking: Ranking, ttlMs: number | undefined): Running<K, T, RankChange<K, T>> {
  const top = valueState(ranking.serde, []);
  return {
    state: { top: ttlMs === undefined ? top : withTtl(top, { ttlMs }) },
    onRecord(value, handles, out, { key }) {
      const held = (handles as State<T>).top;
      const values = held.get();
      const from = ranking.add(values, value);
      if (from < 0) return;
      held.set(values);
      for (const [index, one] of values.entries()) if (index >= from) out.emit({ key, rank: index + 1, value: one });
    },
  };
}
