import type { Manifest } from '../format/manifest.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import type { CommitPermit } from '../transactions/commit.ts';

/**
 * What a refused decision means, read from the job row: a condition failed, but an earlier try of the same decision may
 * have been the one that succeeded. Only these two answers end the doubt; everything else is repeated.
 */
export function afterRefusal(row: JobRow | undefined, generation: number, decisionId: string): 'decided' | 'superseded' | 'ambiguous' {
  if (row?.lastCompleted?.decisionId === decisionId) return 'decided';
  if (row === undefined || row.generation !== generation) return 'superseded';
  return 'ambiguous';
}

/** The right to commit an epoch: made only from a manifest that the store holds as decided. */
export function permitFor(decided: Manifest, generation: number): CommitPermit {
  return { epoch: decided.epoch, decisionId: decided.decisionId, generation, decided: true };
}
