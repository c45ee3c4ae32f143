import { expect } from 'vitest';
import type { EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { decisionOf, newJobRow } from '../epoch-rows.ts';

/** The store that is tried, and jobs in it. */
export interface Tried {
  /** Opened before the first test. */
  readonly store: EpochStore;
  read(job: string): Promise<JobRow>;
  startJob(change?: Partial<JobRow>): Promise<JobRow>;
  /** The job after epochs 0 … last were decided. */
  jobAt(last: number): Promise<JobRow>;
}

export function triedStore(store: () => EpochStore): Tried {
  const read = async (job: string): Promise<JobRow> => {
    const row = await store().readJob(job);
    if (row === undefined) throw new Error(`no row of ${job}`);
    return row;
  };
  const startJob = async (change: Partial<JobRow> = {}): Promise<JobRow> => {
    const row = newJobRow(change);
    expect(await store().createJob(row)).toBe('created');
    return row;
  };
  const jobAt = async (last: number): Promise<JobRow> => {
    let row = await startJob();
    for (let epoch = 0; epoch <= last; epoch++) {
      expect(await store().decide(decisionOf(row))).toBe('decided');
      row = await read(row.job);
    }
    return row;
  };
  return {
    get store() {
      return store();
    },
    read,
    startJob,
    jobAt,
  };
}
