import type { EpochRow, JobRow } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A job that runs: generation 6, epoch 9 completed and 8 recorded as committed. */
export function jobRowOf(change: Partial<JobRow> = {}): JobRow {
  return {
    job: 'word-count',
    incarnation: 'inc',
    generation: 6,
    holder: 'host-a process 123',
    leaseExpiresAtMs: NOW + 12_000,
    desired: 'running',
    failure: undefined,
    lastCompleted: { epoch: 9, decisionId: 'd9' },
    lastCommitted: 8,
    retiredThrough: 6,
    pool: { kafka: { write: { subtasks: 1, places: ['counts'] } } },
    fingerprint: 'f',
    maxParallelism: 128,
    ...change,
  };
}

export function manifestOf(epoch: number, change: Partial<Manifest> = {}): Manifest {
  return {
    version: 3,
    job: 'word-count',
    incarnation: 'inc',
    epoch,
    decisionId: `d${epoch}`,
    parentDecisionId: `d${epoch - 1}`,
    offsets: { read: { lines: [10, 20] } },
    state: {},
    outputs: {},
    committables: [
      {
        sink: 'write',
        connector: 'kafka',
        subtask: 0,
        epoch,
        token: {
          transactionalId: 'word-count-inc-write-0-1',
          producerId: '7',
          producerEpoch: 3,
          written: [{ topic: 'counts', partition: 1, first: 40, last: 44 }],
        },
      },
    ],
    ...change,
  };
}

export function epochRowOf(epoch: number, change: Partial<EpochRow['summary']> = {}): EpochRow {
  const summary = { plannedAtMs: NOW - 3_000, decidedAtMs: NOW - 2_000, attempts: 1, recordsIn: 100, recordsOut: 700, ...change };
  return { epoch, decisionId: `d${epoch}`, manifest: { at: 'row', manifest: manifestOf(epoch) }, summary };
}
