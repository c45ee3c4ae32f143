import { describe, expect, it } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { type Attempt, newAttempt, withBegun, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { summaryOf } from '../../../lib/epoch/decision/summary.ts';
import { NO_TROUBLE } from '../../../lib/epoch/failure/after-failure.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import type { Stage } from '../../../lib/plan/plan.ts';
import { epochSummarySchema } from '../../../lib/protocol/rows.ts';

const plan = compilePlan(wordCount);

function attemptOf(change: Partial<Attempt> = {}): Attempt {
  const planned = { wallMs: 1_000_000, elapsedMs: 500 };
  const of = { epoch: 7, decisionId: 'd7', planned, parallelism: {}, from: {}, ranges: {}, maxBytes: 1 };
  return { ...newAttempt(of, plan.stages), ...change };
}

const begun = (attempt: Attempt, id: string, atMs: number) => withBegun(attempt, { id, kind: 'operator' } as Stage, atMs);
const calm = { trouble: NO_TROUBLE, committed: undefined };

describe('what is said of an epoch beside its manifest', () => {
  it('is when each stage began behind the plan and how long it took, and what an older table reads too', () => {
    const one = withDone(begun(attemptOf(), 'read-lines', 504), 'read-lines', { kind: 'source', subtasks: [] }, 30);
    const two = withDone(begun(one, 'count-words', 540), 'count-words', { kind: 'operator', subtasks: [] }, 12);
    const summary = summaryOf(two, calm, plan);
    expect(summary.stages).toEqual({ 'read-lines': { afterMs: 4, ms: 30 }, 'count-words': { afterMs: 40, ms: 12 } });
    expect(epochSummarySchema.parse(JSON.parse(JSON.stringify({ ...summary, decidedAtMs: 1_000_100 })))).toEqual({
      ...summary,
      decidedAtMs: 1_000_100,
    });
    const before = { plannedAtMs: 1, decidedAtMs: 2, attempts: 1, recordsIn: 3, recordsOut: 4 };
    expect(epochSummarySchema.parse(before)).toEqual(before);
  });

  it('is how long the epoch before was decided and committed, and of no other', () => {
    const committed = { epoch: 6, decisionMs: 4, commitMs: 9 };
    expect(summaryOf(attemptOf(), { ...calm, committed }, plan).before).toEqual({ decisionMs: 4, commitMs: 9 });
    expect(summaryOf(attemptOf(), { ...calm, committed: { ...committed, epoch: 5 } }, plan)).not.toHaveProperty('before');
    expect(summaryOf(attemptOf(), calm, plan)).not.toHaveProperty('before');
  });

  it('is why attempts at it failed, and of no other epoch', () => {
    const failure = { atMs: 999_000, stage: 'count-words', kind: 'user-code', message: 'no', stack: 'Error: no' };
    const own = { ...failure, epoch: 7, input: [{ topic: 'lines', partition: 3, from: 8, bound: 9 }] };
    const trouble = { ...NO_TROUBLE, failed: [{ ...failure, epoch: 6 }, own] };
    const summary = summaryOf(attemptOf(), { ...calm, trouble }, plan);
    expect(summary.failed).toEqual([own]);
    expect(epochSummarySchema.parse({ ...summary, decidedAtMs: 1 }).failed).toEqual([own]);
    expect(summaryOf(attemptOf(), calm, plan)).not.toHaveProperty('failed');
  });

  it('is which stages have other numbers of subtasks from it on, and why', () => {
    const rescaled = [{ stage: 'count-words', from: 1, to: 4, why: 'asked for by hand' }];
    expect(summaryOf(attemptOf({ rescaled }), calm, plan).rescaled).toEqual(rescaled);
    expect(summaryOf(attemptOf(), calm, plan)).not.toHaveProperty('rescaled');
  });
});
