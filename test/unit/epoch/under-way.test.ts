import { describe, expect, it } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { newAttempt, withBegun, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { NO_TROUBLE } from '../../../lib/epoch/failure/after-failure.ts';
import { newsOf, underWayOf } from '../../../lib/epoch/progress/under-way.ts';
import { underWayIn } from '../../../lib/inspect/under-way.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import type { Stage } from '../../../lib/plan/plan.ts';
import { jobRowOf, NOW } from '../cli/rows.ts';

const plan = compilePlan(wordCount);
const tenure = { generation: 6, incarnation: 'i', sinkFacts: {}, pool: {} };
const now = { wallMs: NOW, elapsedMs: 10_000 };
const failure = { atMs: NOW - 5_000, epoch: 10, stage: 'count-words', kind: 'transient', message: 'away' };

function attemptAt(epoch: number) {
  const planned = { wallMs: NOW - 2_000, elapsedMs: 8_000 };
  const of = { epoch, decisionId: `d${epoch}`, planned, parallelism: {}, from: {}, ranges: {}, maxBytes: 1 };
  const begun = withBegun(newAttempt(of, plan.stages), { id: 'read-lines', kind: 'source' } as Stage, 8_010);
  const done = withDone(begun, 'read-lines', { kind: 'source', subtasks: [] }, 40);
  return withBegun(done, { id: 'count-words', kind: 'operator' } as Stage, 8_060);
}

describe('what a coordinator says of what is under way', () => {
  it('is each attempt with its phase and its stages so far, and what has failed', () => {
    const failures = { ...NO_TROUBLE.failures, inARow: 2 };
    const trouble = { ...NO_TROUBLE, epoch: 10, failures, failed: [failure] };
    const stages = { 'read-lines': { afterMs: 10, ms: 40 }, 'count-words': { afterMs: 60 } };
    expect(underWayOf({ inFlight: [attemptAt(10), attemptAt(11)], tenure, trouble }, now)).toEqual({
      ...{ generation: 6, atMs: NOW },
      attempts: [
        { epoch: 10, attempt: 3, plannedAtMs: NOW - 2_000, phase: 'working', stages },
        { epoch: 11, attempt: 1, plannedAtMs: NOW - 2_000, phase: 'working', stages },
      ],
      failed: [failure],
    });
  });

  it('is nothing while nothing is, and nothing has failed', () => {
    expect(underWayOf({ inFlight: [], tenure, trouble: NO_TROUBLE }, now)).toBeUndefined();
  });
});

describe('what of it is worth a write before the lease is due', () => {
  const failed = { ...NO_TROUBLE, failed: [failure] };

  it('is an attempt of 3 s, under another name in each phase: those of a job that is well are none', () => {
    const well = { inFlight: [attemptAt(10)], trouble: NO_TROUBLE };
    expect(newsOf(well, 10_999)).toBeUndefined();
    expect(newsOf(well, 11_000)).toBe('d10 working');
    expect(newsOf(well, 60_000)).toBe('d10 working');
    expect(newsOf({ ...well, inFlight: [{ ...attemptAt(10), phase: 'committing' }, attemptAt(11)] }, 60_000)).toBe('d10 committing');
  });

  it('is else the newest failure since an epoch was decided', () => {
    expect(newsOf({ inFlight: [attemptAt(10)], trouble: failed }, 8_100)).toBe(`failed ${NOW - 5_000}`);
    expect(newsOf({ inFlight: [], trouble: NO_TROUBLE }, 60_000)).toBeUndefined();
  });
});

describe('what is read of it', () => {
  const attempt = (epoch: number, phase = 'working') => ({ epoch, attempt: 1, plannedAtMs: NOW - 2_000, phase, stages: {} });
  const attempts = [attempt(9, 'committing'), attempt(10)];
  const underWay = { generation: 6, atMs: NOW - 1_000, attempts, failed: [{ ...failure, epoch: 9 }, failure] };
  const at = { generation: 6, leaseExpiresAtMs: NOW + 1_000, lastCompleted: { epoch: 9, decisionId: 'd9' }, underWay };

  it('is what has not been committed or decided since', () => {
    const read = underWayIn(jobRowOf({ ...at, lastCommitted: 8 }), NOW);
    expect(read).toEqual({ ...underWay, failed: [failure] });
    expect(underWayIn(jobRowOf({ ...at, lastCommitted: 9 }), NOW)?.attempts).toEqual([attempt(10)]);
    expect(underWayIn(jobRowOf({ ...at, lastCommitted: 11, lastCompleted: { epoch: 11, decisionId: 'd' } }), NOW)).toBeUndefined();
  });

  it('is no stage at work on an epoch that has been decided since', () => {
    const since = { ...at, lastCommitted: 8, lastCompleted: { epoch: 10, decisionId: 'd10' } };
    expect(underWayIn(jobRowOf(since), NOW)).toEqual({ ...underWay, attempts: [attempt(9, 'committing')], failed: [] });
  });

  it('is nothing of a job that nobody runs, or that another coordinator runs by now', () => {
    expect(underWayIn(jobRowOf({ ...at, leaseExpiresAtMs: NOW - 1 }), NOW)).toBeUndefined();
    expect(underWayIn(jobRowOf({ ...at, generation: 7 }), NOW)).toBeUndefined();
    expect(underWayIn(jobRowOf({ generation: 6 }), NOW)).toBeUndefined();
  });
});
