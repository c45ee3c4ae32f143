import type { Case, KeyedRow, Round } from './case.ts';

/** The rows of a case with the number that goes with each: of windows its place in the order of arrival. */
export function numbered(asked: Case): Round<KeyedRow & { readonly v: number }>[] {
  if (asked.kind === 'timers') return [...asked.rounds];
  let arrived = 0;
  return asked.rounds.map((round) => ({ ...round, rows: round.rows.map((row) => ({ ...row, v: arrived++ })) }));
}
