import type { JobRow } from '../../../lib/ports/epoch-store.ts';

/** The row of a job that runs and has completed nine epochs; nobody holds its lease unless `change` says so. */
export function jobRow(change: Partial<JobRow>): JobRow {
  return {
    job: 'word-count',
    incarnation: 'inc',
    generation: 6,
    holder: 'host-a process 123',
    leaseExpiresAtMs: 0,
    desired: 'running',
    failure: undefined,
    lastCompleted: { epoch: 9, decisionId: 'd9' },
    lastCommitted: 8,
    retiredThrough: -1,
    pool: {},
    fingerprint: 'f',
    maxParallelism: 128,
    ...change,
  };
}
