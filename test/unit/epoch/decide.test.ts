import { describe, expect, test } from 'vitest';
import { newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { afterRefusal } from '../../../lib/epoch/decision/after-refusal.ts';
import { decideManifest } from '../../../lib/epoch/decision/decide-manifest.ts';
import { manifestOf, stagedFor } from '../../../lib/epoch/decision/position.ts';
import type { Decision, JobRow } from '../../../lib/ports/epoch-store.ts';
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

const OWN = { generation: 7, incarnation: 'inc' };

describe('a refused decision', () => {
  test('was made all the same when the job row names it', () => {
    expect(afterRefusal({ ...row, lastCompleted: { epoch: 5, decisionId: 'five' } }, OWN, 'five')).toBe('decided');
    expect(afterRefusal({ ...row, generation: 8, lastCompleted: { epoch: 5, decisionId: 'five' } }, OWN, 'five')).toBe('decided');
  });

  test('means superseded when another generation holds the job, or the same one of a job that was made anew', () => {
    expect(afterRefusal({ ...row, generation: 8 }, OWN, 'five')).toBe('superseded');
    expect(afterRefusal({ ...row, incarnation: 'anew' }, OWN, 'five')).toBe('superseded');
    expect(afterRefusal(undefined, OWN, 'five')).toBe('superseded');
  });

  test('stays ambiguous otherwise, and is repeated', () => {
    expect(afterRefusal(row, OWN, 'five')).toBe('ambiguous');
  });
});

test('a decision does not set the lease back when its manifest took long to be stored', async () => {
  let nowMs = 1_000;
  const decisions: Decision[] = [];
  const deps = {
    clock: { now: () => nowMs, elapsedMs: () => nowMs, sleep: async () => {} },
    random: { id: () => '', fraction: () => 0 },
    blobs: {
      async write() {
        nowMs += 60_000;
        return { at: 'store', name: 'large', bytes: 1 };
      },
    },
    epochs: {
      async decide(decision: Decision) {
        decisions.push(decision);
        return 'decided';
      },
    },
  } as unknown as CoordinatorDeps;
  const settings = { job: 'job', leaseMs: 10_000 } as JobSettings;
  const tenure = { generation: 7, incarnation: 'inc', sinkFacts: {}, pool: {} };
  const large = { epoch: 5, decisionId: 'five', offsets: { lines: { ['x'.repeat(300_000)]: [1] } } } as unknown as Manifest;
  const summary = { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 };
  await decideManifest({ deps, settings, tenure, signal: new AbortController().signal }, large, summary);
  expect(decisions).toMatchObject([{ manifest: { at: 'blob', name: 'large' }, leaseExpiresAtMs: 71_000 }]);
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
      {
        ...{
          epoch: 5,
          decisionId: 'five',
          planned: { wallMs: 500, elapsedMs: 0 },
          from: { lines: { in: [10, 20, 0] } },
          ranges,
          maxBytes: 1,
        },
        parallelism: { lines: 1, count: 2, write: 3 },
      },
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
    const made = manifestOf(attempt, parent, countingPlan);
    expect(made.offsets).toEqual({ lines: { in: [15, 20, 0] } });
    expect(made.parentDecisionId).toBe('four');
    expect(made).toMatchObject({ version: 3, committables: [], outputs: { write: [[{}], [], []] } });
    expect(made.parallelism).toEqual({ lines: 1, count: 2, write: 3 });
  });

  test('deals the upstream subtasks out to the sink subtasks', () => {
    const operators = new Map([['count', [operator('a'), operator('b'), operator('c')]]]);
    const names = stagedFor({ sources: new Map(), operators }, countingPlan, 'write', 2).map((refs) =>
      refs.map((ref) => ref.at === 'store' && ref.name),
    );
    expect(names).toEqual([['a', 'c'], ['b']]);
  });
});
