import type { FencedWrite, JobRow } from '../ports/epoch-store.ts';
import type { Database } from './database.ts';
import { readStoredJob, type StoredJob, writeJob } from './sqlite-rows.ts';

/** The file, and what this process holds in it. */
export interface Store {
  readonly database: Database;
  /** For people: where the table is. */
  readonly where: string;
  readonly nowMs: () => number;
  /**
   * By job and generation, of the generations that this process took, as in DynamoDB the incarnation; and in which file. Of one that was put
   * in its place, a copy of before perhaps, it holds nothing.
   */
  readonly taken: Map<string, { readonly incarnation: string; readonly opening: number }>;
  /** Of tries to take a generation that were not answered: what they wrote into the row if they were carried out. */
  readonly claims: Map<string, string>;
}

export function rememberTaken(
  { taken, database }: Store,
  { job, generation, incarnation }: Pick<JobRow, 'job' | 'generation' | 'incarnation'>,
): void {
  taken.set(`${job} ${generation}`, { incarnation, opening: database.opening() });
}

/** Does `generation` still hold the job? Those of a job that was deleted and made anew begin again, so the incarnation counts too. */
export function isHeld({ taken, database }: Store, stored: StoredJob | undefined, generation: number): stored is StoredJob {
  if (stored?.row.generation !== generation) return false;
  const { job, incarnation } = stored.row;
  const own = taken.get(`${job} ${generation}`);
  return own === undefined || (own.incarnation === incarnation && own.opening === database.opening());
}

/** @param change throws when the row is not one that it may be made of; nothing is written then */
export function fencedWrite(store: Store, job: string, generation: number, change: (row: JobRow) => JobRow): Promise<FencedWrite> {
  return store.database.write('write to a job', (db) => {
    const stored = readStoredJob(db, job);
    if (!isHeld(store, stored, generation)) return 'superseded';
    const next = change(stored.row);
    if (next !== stored.row) writeJob(db, next, stored.claim);
    return 'written';
  });
}
