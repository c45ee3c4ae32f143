import type { JobRow } from '../../ports/epoch-store.ts';
import { type HeldAs, isOwn } from '../lease/held.ts';

/**
 * What a refused decision means, read from the job row: a condition failed, but an earlier try of the same decision may
 * have been the one that succeeded. Only these two answers end the doubt; everything else is repeated.
 */
export function afterRefusal(row: JobRow | undefined, tenure: HeldAs, decisionId: string): 'decided' | 'superseded' | 'ambiguous' {
  if (row?.lastCompleted?.decisionId === decisionId) return 'decided';
  return isOwn(tenure, row) ? 'ambiguous' : 'superseded';
}
