import { describe, expect, test } from 'vitest';
import { newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { afterRefusal } from '../../../lib/epoch/decision/after-refusal.ts';
import { manifestOf, stagedFor } from '../../../lib/epoch/decision/position.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import type { OperatorDone } from '../../../lib/protocol/answers.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { countingPlan, STAGED } from '../../support/counting-plan.ts';

const row: JobRow = {
  job: 'job',
  incarnation: 'inc',
  generation: 7,
  holder: 'someone',
  leaseExpiresAtMs: 0,
  desired: 'running',
  failure: undefined,
  lastCompleted: { epoch: 4, decisionId: 'four' },
  lastCommitted: 4,
  retiredThrough: -1,
  pool: {},
  fingerprint: '',
  maxParallelism: 128,
};

describe('a refused decision', () => {
  test('was made all the same when the job row names it', () => {
    expect(afterRefusal({ ...row, lastCompleted: { epoch: 5, decisionId: 'five' } }, 7, 'five')).toBe('decided');
    expect(afterRefusal({ ...row, generation: 8, lastCompleted: { epoch: 5, decisionId: 'five' } }, 7, 'five')).toBe('decided');
  });

  test('means superseded when another generation holds the job', () => {
    expect(afterRefusal({ ...row, generation: 8 }, 7, 'five')).toBe('superseded');
    expect(afterRefusal(undefined, 7, 'five')).toBe('superseded');
  });

  test('stays ambiguous otherwise, and is repeated', () => {
    expect(afterRefusal(row, 7, 'five')).toBe('ambiguous');
  });
});

describe('the manifest of an attempt', () => {
  const parent: Manifest = {
    version: 3,
    job: 'job',
    incarnation: 'inc',
    epoch: 4,
    decisionId: 'four',
    parentDecisionId: 'three',
    offsets: { lines: { in: [10, 20] } },
    state: {},
    outputs: {},
    committables: [{ sink: 'write', connector: 'kafka', subtask: 0, epoch: 4, token: { transactionalId: 'job-inc-write-0-0' } }],
  };
  const operator = (staged: string): OperatorDone => ({
    outcome: 'processed',
    snapshots: { count: { id: staged, keyGroups: { first: 0, last: 127 }, base: undefined, deltas: [] } },
    edges: { [STAGED]: { parts: [{ at: 'store', name: staged, bytes: 1 }], records: 1 } },
    recordsIn: 1,
  });

  test('has the barriers that the sources reached, not the bounds that were planned', () => {
    const ranges = { lines: [[{ topic: 'in', partition: 0, from: 10, bound: 99 }]] };
    const planned = newAttempt(
      { epoch: 5, decisionId: 'five', planned: { wallMs: 500, elapsedMs: 0 }, from: { lines: { in: [10, 20, 0] } }, ranges, maxBytes: 1 },
      countingPlan.stages,
    );
    const read = withDone(
      planned,
      'lines',
      {
        kind: 'source',
        subtasks: [
          {
            outcome: 'read',
            reached: [{ topic: 'in', partition: 0, next: 15 }],
            bytesIn: 1,
            edges: {},
            recordsIn: 5,
          },
        ],
      },
      1,
    );
    const attempt = withDone(read, 'count', { kind: 'operator', subtasks: [operator('a')] }, 1);
    const made = manifestOf(attempt, parent, countingPlan, () => 1);
    expect(made.offsets).toEqual({ lines: { in: [15, 20, 0] } });
    expect(made.parentDecisionId).toBe('four');
    expect(made).toMatchObject({ version: 3, committables: [] });
  });

  test('deals the upstream subtasks out to the sink subtasks', () => {
    const operators = new Map([['count', [operator('a'), operator('b'), operator('c')]]]);
    const names = stagedFor({ sources: new Map(), operators }, countingPlan, 'write', 2).map((refs) =>
      refs.map((ref) => ref.at === 'store' && ref.name),
    );
    expect(names).toEqual([['a', 'c'], ['b']]);
  });
});
