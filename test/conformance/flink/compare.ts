import { fromFlink, lateOf } from './as-flink.ts';
import type { Case, FlinkAnswer, Given, Rounds, WindowsCase } from './case.ts';
import { numbered } from './numbered.ts';

export interface Difference {
  /** From 0. Undefined: of the whole case. */
  readonly round?: number;
  readonly flink: readonly string[];
  readonly ours: readonly string[];
}

/** What Onceflow gives otherwise than Flink. The order within a round does not matter: keys have another one. Undefined: nothing. */
export function differenceOf(asked: Case, answer: FlinkAnswer, given: Rounds): Difference | undefined {
  const theirs = shown(asked, fromFlink(asked, answer));
  const our = shown(asked, given);
  const round = theirs.findIndex((each, index) => each.join() !== our[index]?.join());
  if (round >= 0) return { round, flink: theirs[round] ?? [], ours: our[round] ?? [] };
  if (asked.kind === 'timers' || asked.make === 'reduce' || asked.shape.kind === 'count') return undefined;
  const flink = lateOf(answer).toSorted(byNumber).map(String);
  const ours = missing(asked, given).map(String);
  return flink.join() === ours.join() ? undefined : { flink, ours };
}

function shown(asked: Case, rounds: Rounds): string[][] {
  return rounds.map((given) =>
    given.map((each) => JSON.stringify(asked.kind === 'windows' ? plain(asked, each) : each, inOrder)).toSorted(),
  );
}

/** Without what is not compared. */
function plain({ shape, make }: WindowsCase, { key, value, startMs, endMs, timestamp }: Given): Given {
  // An accumulator that is merged has its parts in another order. Sessions have one that hangs on which were merged.
  const kept = make === 'aggregate' ? (value as number[]).toSorted(byNumber) : value;
  return shape.kind === 'count' ? { key, value: kept } : { key, value: kept, startMs, endMs, timestamp };
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Numbers of the values that no window ever had. */
function missing(asked: WindowsCase, given: Rounds): number[] {
  const there = new Set(given.flat().flatMap(({ value }) => value as number[]));
  return numbered(asked)
    .flatMap(({ rows }) => rows.map(({ v }) => v))
    .filter((number) => !there.has(number));
}

function byNumber(one: number, other: number): number {
  return one - other;
}
