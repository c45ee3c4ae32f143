import { fromFlink } from './as-flink.ts';
import type { Case, FlinkAnswer, Given, Rounds, WindowsCase } from './case.ts';

export interface Difference {
  /** From 0. */
  readonly round: number;
  readonly flink: readonly string[];
  readonly ours: readonly string[];
}

/** What Onceflow gives otherwise than Flink. The order within a round does not matter: keys have another one. Undefined: nothing. */
export function differenceOf(asked: Case, answer: FlinkAnswer, given: Rounds): Difference | undefined {
  const flink = shown(asked, fromFlink(asked, answer));
  const ours = shown(asked, given);
  const round = flink.findIndex((each, index) => each.join() !== ours[index]?.join());
  return round < 0 ? undefined : { round, flink: flink[round] ?? [], ours: ours[round] ?? [] };
}

function shown(asked: Case, rounds: Rounds): string[][] {
  return rounds.map((given) =>
    given.map((each) => JSON.stringify(asked.kind === 'windows' ? compared(asked, each) : each, inOrder)).toSorted(),
  );
}

/** Without what is not compared. */
function compared({ shape, make }: WindowsCase, given: Given): Given {
  if (given.late !== undefined) return given;
  // An accumulator that is merged has its parts in another order.
  const value = make === 'aggregate' ? (given.value as number[]).toSorted((one, other) => one - other) : given.value;
  return shape.kind === 'count' ? { key: given.key, value } : { ...given, value };
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
