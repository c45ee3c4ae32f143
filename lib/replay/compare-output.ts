import type { OutputRow } from '../sinks/read-output.ts';
import { jsonable } from './jsonable.ts';

/** What of a sink's output differs between the epoch as it was decided and as it was run again. */
export interface OutputDifference {
  /** Rows that were decided, and that came again. */
  readonly decided: number;
  readonly again: number;
  /** Of those that are not in both. */
  readonly byKey: readonly KeyDifference[];
  /** The same rows, in another order of some place. Between keys that is no difference: how partitions of the input mix is not fixed. */
  readonly isReordered: boolean;
}

/** What differs of one key; of rows without a key each place has its own. */
export interface KeyDifference {
  readonly place: string;
  /** In the form of `jsonable`; null: it has none. */
  readonly key: unknown;
  readonly onlyDecided: readonly unknown[];
  readonly onlyAgain: readonly unknown[];
}

/** Two lists of rows, each of a place in the order in which they are there. Times count where both sides have their own. */
export function compareRows(decided: readonly OutputRow[], again: readonly OutputRow[]): OutputDifference {
  const hasTimes = [...decided, ...again].every(({ timestamp }) => timestamp !== undefined);
  const identityOf = ({ place, identity, timestamp }: OutputRow) =>
    JSON.stringify(hasTimes ? [place, identity, timestamp] : [place, identity]);
  const left = new Map<string, number>();
  for (const row of decided) count(left, identityOf(row), 1);
  const onlyAgain = again.filter((row) => !taken(left, identityOf(row)));
  const onlyDecided = decided.filter((row) => taken(left, identityOf(row)));
  const isSame = onlyAgain.length === 0 && onlyDecided.length === 0;
  return {
    decided: decided.length,
    again: again.length,
    byKey: differencesOf(onlyDecided, onlyAgain),
    isReordered: isSame && sequencesOf(decided, identityOf) !== sequencesOf(again, identityOf),
  };
}

/** By place, then key, in the order in which they are met. */
function differencesOf(onlyDecided: readonly OutputRow[], onlyAgain: readonly OutputRow[]): KeyDifference[] {
  const byKey = new Map<string, { place: string; key: unknown; onlyDecided: unknown[]; onlyAgain: unknown[] }>();
  const of = ({ place, key }: OutputRow) => {
    const shown = jsonable(key);
    const id = JSON.stringify([place, shown]);
    const known = byKey.get(id) ?? { place, key: shown, onlyDecided: [], onlyAgain: [] };
    byKey.set(id, known);
    return known;
  };
  for (const row of onlyDecided) of(row).onlyDecided.push(jsonable(row.value));
  for (const row of onlyAgain) of(row).onlyAgain.push(jsonable(row.value));
  return [...byKey.values()];
}

function count(counts: Map<string, number>, id: string, by: number): void {
  counts.set(id, (counts.get(id) ?? 0) + by);
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
