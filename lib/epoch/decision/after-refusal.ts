import type { JobRow } from '../../ports/epoch-store.ts';

/**
 * What a refused decision means, read from the job row: a condition failed, but an earlier try of the same decision may
 * have been the one that succeeded. Only these two answers end the doubt; everything else is repeated.
 */
export function afterRefusal(row: JobRow | undefined, generation: number, decisionId: string): 'decided' | 'superseded' | 'ambiguous' {
  if (row?.lastCompleted?.decisionId === decisionId) return 'decided';
  if (row === undefined || row.generation !== generation) return 'superseded';
  return 'ambiguous';
}
