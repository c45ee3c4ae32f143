import { randomUUID } from 'node:crypto';
import type { Decision, JobRow } from '../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import type { Pool } from '../../lib/protocol/pool.ts';

/** Ids have the engine's shape: 32 hexadecimal digits. */
export const newId = () => randomUUID().replaceAll('-', '');

export function newJobRow(change: Partial<JobRow> = {}): JobRow {
  return {
    job: `job-${newId()}`,
    incarnation: newId(),
    generation: 1,
    holder: 'first',
    leaseExpiresAtMs: 1_000,
    desired: 'running',
    failure: undefined,
    lastCompleted: undefined,
    lastCommitted: 0,
    retiredThrough: -1,
    pool: {},
    fingerprint: 'graph-1',
    maxParallelism: 128,
    ...change,
  };
}

/** The pool of Kafka's sinks with so many subtasks. */
export function poolOf(subtasks: Readonly<Record<string, number>>, places: Readonly<Record<string, readonly string[]>> = {}): Pool {
  return {
    kafka: Object.fromEntries(Object.entries(subtasks).map(([sink, count]) => [sink, { subtasks: count, places: places[sink] ?? [] }])),
  };
}

export function manifestOf(row: JobRow, epoch: number, decisionId: string, parentDecisionId: string | undefined): Manifest {
  return {
    version: 3,
    job: row.job,
    incarnation: row.incarnation,
    epoch,
    decisionId,
    parentDecisionId,
    offsets: { 'read-lines': { lines: [epoch * 10, Number.MAX_SAFE_INTEGER] } },
    state: { count: [{ id: `s${epoch}`, keyGroups: { first: 0, last: 127 }, base: { at: 'inline', base64: 'AAE=' }, deltas: [] }] },
    outputs: { 'write-counts': [[{ at: 'store', name: `x/output/0-${epoch}`, bytes: 12 }]] },
    committables: [
      {
        sink: 'write-counts',
        connector: 'kafka',
        subtask: 0,
        epoch,
        token: {
          transactionalId: 't-0',
          producerId: '9007199254740993',
          producerEpoch: 3,
          written: [{ topic: 'counts', partition: 1, first: 7, last: Number.MAX_SAFE_INTEGER }],
        },
      },
    ],
  };
}

export function decisionOf(row: JobRow, change: Partial<Decision> = {}): Decision {
  const epoch = change.epoch ?? (row.lastCompleted === undefined ? 0 : row.lastCompleted.epoch + 1);
  const decisionId = change.decisionId ?? newId();
  const parentDecisionId = 'parentDecisionId' in change ? change.parentDecisionId : row.lastCompleted?.decisionId;
  return {
    job: row.job,
    incarnation: row.incarnation,
    generation: row.generation,
    epoch,
    decisionId,
    parentDecisionId,
    leaseExpiresAtMs: 2_000 + epoch,
    lastCommitted: Math.max(0, epoch - 1),
    manifest: { at: 'row', manifest: manifestOf(row, epoch, decisionId, parentDecisionId) },
    summary: { plannedAtMs: 10, decidedAtMs: 20, attempts: 1, recordsIn: 5, recordsOut: 7 },
    ...change,
  };
}
