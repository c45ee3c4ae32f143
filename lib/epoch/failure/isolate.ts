import { byName, ofName } from '../../config/by-name.ts';
import type { SourceOffsets } from '../../protocol/manifest.ts';
import type { SourceRange } from '../../protocol/requests.ts';

/** Offsets `from` … `bound` - 1 of one partition, as the source stage `stage` reads them. */
export interface InputPart extends SourceRange {
  readonly stage: string;
}

/**
 * The search for a record that user code fails at. It is kept in the coordinator's memory only: a successor begins anew,
 * and finds the same record.
 */
export interface Isolation {
  /** Failures of user code in a row in epochs without a bound. */
  readonly failures: number;
  /** Input in which the record is; empty when none is searched. */
  readonly suspects: readonly InputPart[];
  /** They are what followed a part that was decided, and did not fail by themselves yet. */
  readonly areRest: boolean;
  /** Failures in a row of the one offset that is left of them. */
  readonly alone: number;
  /** Offsets of the largest epoch that was decided since the search began. */
  readonly largest: number;
  /** Most offsets of the next epoch while nothing is searched. Infinity: as many as there are. */
  readonly limit: number;
  /** Offsets of the largest epoch that failed. An epoch that may be as large again is free. */
  readonly full: number;
}

/** Nothing has failed: epochs have no bound. */
export const FREE: Isolation = {
  failures: 0,
  suspects: [],
  areRest: false,
  alone: 0,
  largest: 0,
  limit: Number.POSITIVE_INFINITY,
  full: 0,
};

/** What went well is a bound on what may go well: the next epoch without suspects is this much larger. */
const GROWTH = 4;

/** Is the next epoch to be smaller than the input allows? */
export function isBounded({ suspects, limit }: Isolation): boolean {
  return suspects.length > 0 || limit !== Number.POSITIVE_INFINITY;
}

/** Will the next epoch read less than `suspects`, which failed? Then it is a step of the search and no repetition. */
export function isSearching({ suspects }: Isolation): boolean {
  return offsetsIn(suspects) > 1;
}

/**
 * User code failed in an epoch that had read `read`. The first failure in a row says little, and the epoch is tried again
 * as it is. From the second on, `read` is searched by halves.
 */
export function afterUserFailure(before: Isolation, read: readonly InputPart[]): Isolation {
  const size = offsetsIn(read);
  if (size === 0) return before;
  const failed = { ...before, suspects: read, areRest: false, full: Math.max(before.full, size) };
  if (size === 1) return { ...failed, alone: isSame(before.suspects, read) ? before.alone + 1 : 1 };
  if (!isBounded(before) && before.failures === 0) return { ...FREE, failures: 1 };
  return { ...failed, alone: 0 };
}

/**
 * An epoch was decided: `offsets` are where every partition stands, `size` is how many offsets it had. What is left of
 * the suspects is tried as a whole: a record that fails always is in it, and failures at random are over with it. When
 * nothing is left of them epochs grow, from the largest that was decided, until they are as large as the one that failed.
 */
export function afterDecision(before: Isolation, offsets: SourceOffsets, size: number): Isolation {
  if (!isBounded(before)) return FREE;
  const suspects = before.suspects.flatMap((part): InputPart[] => {
    // A partition that the offsets do not have is gone, and so is what was suspect in it.
    const next = ofName(ofName(offsets, part.stage), part.topic)?.[part.partition] ?? part.bound;
    const from = Math.max(part.from, next);
    return from < part.bound ? [{ ...part, from }] : [];
  });
  if (suspects.length > 0 && offsetsIn(suspects) === offsetsIn(before.suspects)) return before;
  const largest = Math.max(before.largest, size);
  if (suspects.length > 0) return { ...before, suspects, areRest: true, largest };
  // What was suspect may be gone without an epoch that read anything (a gap): then one offset is what may go well.
  const limit = GROWTH * (before.suspects.length > 0 ? Math.max(largest, 1) : before.limit);
  return limit >= before.full ? FREE : { ...FREE, limit, full: before.full };
}

/** By source stage, then subtask: input of an epoch. */
type Ranges = Readonly<Record<string, readonly (readonly SourceRange[])[]>>;

/** The planned input, cut down to what the search allows, and to `most` offsets. `turn` says whose turn is first. */
export function boundedRanges(isolation: Isolation, planned: Ranges, turn: number, most = Number.POSITIVE_INFINITY): Ranges {
  if (!isBounded(isolation) && most === Number.POSITIVE_INFINITY) return planned;
  const all = Object.entries(planned).flatMap(([stage, subtasks]) => subtasks.flat().map((range): InputPart => ({ stage, ...range })));
  const suspected = all.flatMap((range): InputPart[] => {
    const suspect = isolation.suspects.find((part) => isSamePartition(part, range));
    const bound = Math.min(suspect?.bound ?? range.from, range.bound);
    return bound > range.from ? [{ ...range, bound }] : [];
  });
  const left = offsetsIn(suspected);
  const half = Math.max(Math.floor(left / 2), 1);
  const allowed =
    left > 0
      ? shareOut(suspected, Math.min(isolation.areRest ? left : half, most), turn)
      : shareOut(all, Math.min(isolation.limit, most), turn);
  return byName(
    Object.entries(planned).map(([stage, subtasks]): [string, SourceRange[][]] => [
      stage,
      subtasks.map((ranges) =>
        ranges.flatMap((range): SourceRange[] => {
          const part = allowed.find((each) => isSamePartition(each, { stage, ...range }));
          return part === undefined ? [] : [{ ...range, bound: part.bound }];
        }),
      ),
    ]),
  );
}

export function offsetsIn(parts: readonly Pick<SourceRange, 'from' | 'bound'>[]): number {
  return parts.reduce((sum, { from, bound }) => sum + bound - from, 0);
}

/**
 * The beginnings of `parts` that have `most` offsets together, as evenly as the parts allow. When there are fewer offsets
 * than parts, some parts get one and the others none: which, changes with `turn`, so that no partition waits for ever.
 */
function shareOut(parts: readonly InputPart[], most: number, turn: number): InputPart[] {
  if (most >= offsetsIn(parts)) return [...parts];
  const first = turn % parts.length;
  const inTurn = [...parts.slice(first), ...parts.slice(0, first)];
  const taking = most < parts.length ? inTurn.slice(0, most) : inTurn.sort((one, other) => offsetsIn([one]) - offsetsIn([other]));
  let left = most;
  return taking.map((part, index) => {
    const share = Math.min(offsetsIn([part]), Math.ceil(left / (taking.length - index)));
    left -= share;
    return { ...part, bound: part.from + share };
  });
}

/** Is it the same single offset? Only such a one has failed alone, so that its beginning says which it is. */
function isSame([one]: readonly InputPart[], [other]: readonly InputPart[]): boolean {
  return one !== undefined && other !== undefined && isSamePartition(one, other) && one.from === other.from;
}

function isSamePartition(one: InputPart, other: InputPart): boolean {
  return one.stage === other.stage && one.topic === other.topic && one.partition === other.partition;
}
