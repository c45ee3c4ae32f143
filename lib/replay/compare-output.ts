import type { OutputRow } from '../sinks/output-row.ts';
import { jsonable } from './jsonable.ts';

/** What of a sink's output differs between the epoch as it was decided and as it was run again. */
export interface OutputDifference {
  /** Rows that were decided, and that came again. */
  readonly decided: number;
  readonly again: number;
  /** Of those that are not in both. */
  readonly byKey: readonly KeyDifference[];
  /** Rows without a key that came to another partition or folder than then: nothing says to which they go. No difference. */
  readonly moved: number;
  /** The same rows, in another order of some place. That is no difference: how partitions of the input mix is not fixed. */
  readonly isReordered: boolean;
}

/** What differs of one key; of rows without a key each place has its own. */
export interface KeyDifference {
  readonly place: string;
  /** In the form of `jsonable`; null: it has none. */
  readonly key: unknown;
  /** Values in that form. Where these are the same, rows whole: `{ value, timestamp, whole }`. */
  readonly onlyDecided: readonly unknown[];
  readonly onlyAgain: readonly unknown[];
}

/** Two lists of rows, each of a place in the order in which they are there. Times count where both sides have their own. */
export function compareRows(decided: readonly OutputRow[], again: readonly OutputRow[]): OutputDifference {
  const hasTimes = [...decided, ...again].every(({ timestamp }) => timestamp !== undefined);
  const contentOf = ({ identity, timestamp }: OutputRow) => (hasTimes ? `${timestamp} ${identity}` : identity);
  const identityOf = (row: OutputRow) => JSON.stringify([row.place, contentOf(row)]);
  const [wasHere, isHere] = withoutCommon(decided, again, identityOf);
  const [onlyDecided, onlyAgain] = withoutCommon(wasHere, isHere, (row) => (row.key === undefined ? contentOf(row) : identityOf(row)));
  const isSame = onlyAgain.length === 0 && onlyDecided.length === 0;
  const moved = isHere.length - onlyAgain.length;
  return {
    decided: decided.length,
    again: again.length,
    byKey: differencesOf(onlyDecided, onlyAgain),
    moved,
    isReordered: isSame && moved === 0 && sequencesOf(decided, identityOf) !== sequencesOf(again, identityOf),
  };
}

/** What each of two lists has more of. */
function withoutCommon(
  one: readonly OutputRow[],
  other: readonly OutputRow[],
  identityOf: (row: OutputRow) => string,
): readonly [readonly OutputRow[], readonly OutputRow[]] {
  const left = new Map<string, number>();
  for (const row of one) left.set(identityOf(row), (left.get(identityOf(row)) ?? 0) + 1);
  const onlyOther = other.filter((row) => !taken(left, identityOf(row)));
  return [one.filter((row) => taken(left, identityOf(row))), onlyOther];
}

/** By place, then key, in the order in which they are met. */
function differencesOf(onlyDecided: readonly OutputRow[], onlyAgain: readonly OutputRow[]): KeyDifference[] {
  const byKey = new Map<string, { place: string; key: unknown; decided: OutputRow[]; again: OutputRow[] }>();
  const of = ({ place, key }: OutputRow) => {
    const shown = jsonable(key);
    const id = JSON.stringify([place, shown]);
    const known = byKey.get(id) ?? { place, key: shown, decided: [], again: [] };
    byKey.set(id, known);
    return known;
  };
  for (const row of onlyDecided) of(row).decided.push(row);
  for (const row of onlyAgain) of(row).again.push(row);
  return [...byKey.values()].map(({ place, key, decided, again }) => {
    const [values, others] = [decided.map(shownOf), again.map(shownOf)];
    // Of the same values it is their times or their headers that differ.
    const isOfValues = JSON.stringify(values) !== JSON.stringify(others);
    return { place, key, onlyDecided: isOfValues ? values : decided.map(wholeOf), onlyAgain: isOfValues ? others : again.map(wholeOf) };
  });
}

function shownOf({ value }: OutputRow): unknown {
  return jsonable(value);
}

function wholeOf({ value, timestamp, identity }: OutputRow): unknown {
  return { value: jsonable(value), timestamp: timestamp ?? null, whole: identity };
}

/** Takes one of it, if any is left. */
function taken(left: Map<string, number>, id: string): boolean {
  const there = left.get(id) ?? 0;
  if (there === 0) return false;
  left.set(id, there - 1);
  return true;
}

function sequencesOf(rows: readonly OutputRow[], identityOf: (row: OutputRow) => string): string {
  const byPlace = [...Map.groupBy(rows, ({ place }) => place)].map(([place, own]) => [place, own.map(identityOf)] as const);
  return JSON.stringify(byPlace.sort(([one], [other]) => (one < other ? -1 : 1)));
}
