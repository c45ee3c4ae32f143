import { describe, expect, it } from 'vitest';
import {
  afterAsked,
  afterCommitted,
  afterFailed,
  afterPlanned,
  askedUnderNewNames,
  type FailedFor,
  firstScale,
  isRecorded,
  needsPool,
  nextParallelism,
  type Scale,
  type ScaleRules,
} from '../../../lib/epoch/scale/scale.ts';
import { countingPlan } from '../../support/counting-plan.ts';

const rules: ScaleRules = { plan: countingPlan, parallelism: { lines: 1, count: { least: 2, most: 8 }, write: { least: 1, most: 4 } } };
const asked = (subtasks: Readonly<Record<string, number>>) => ({ id: 'one', subtasks, askedAtMs: 1 });
const snapshot = { id: 's', keyGroups: { first: 0, last: 1 }, base: undefined, deltas: [] };

describe('a coordinator begins', () => {
  it('with the smaller bound, where nothing is known', () => {
    expect(firstScale(rules, undefined, {}).target).toEqual({ lines: 1, count: 2, write: 1 });
  });

  it('with what the last epoch had, as its manifest says or, of an earlier build, its snapshots', () => {
    const parallelism = { lines: 1, count: 5, write: 3 };
    expect(firstScale(rules, { parallelism, state: {} }, {}).target).toEqual(parallelism);
    expect(firstScale(rules, { state: { count: [snapshot, snapshot, snapshot] } }, {}).target).toMatchObject({ count: 3 });
  });

  it('with what a person asked for, before what the last epoch had', () => {
    const last = { parallelism: { count: 5, write: 3 }, state: {} };
    expect(firstScale(rules, last, { rescale: asked({ count: 7 }) }).target).toEqual({ lines: 1, count: 7, write: 3 });
  });

  it('within its bounds, whatever was before', () => {
    const last = { parallelism: { lines: 9, count: 1, write: 3 }, state: {} };
    expect(firstScale(rules, last, { rescale: asked({ write: 99 }) }).target).toEqual({ lines: 1, count: 2, write: 4 });
  });
});

describe('what a person asked for', () => {
  const formerly = new Map([['count', ['tally', 'sum']]]);

  it("of a stage that has another name now is that stage's, and the rest stays", () => {
    expect(askedUnderNewNames({ sum: 4, write: 2 }, countingPlan, formerly)).toEqual({ count: 4, write: 2 });
  });

  it('under the name of now is later than what was asked for under another', () => {
    expect(askedUnderNewNames({ sum: 4, count: 5 }, countingPlan, formerly)).toEqual({ count: 5 });
  });

  it('has no other name where no stage has, and where a stage still has the former one', () => {
    expect(askedUnderNewNames({ count: 4, gone: 2 }, countingPlan, formerly)).toBeUndefined();
    expect(askedUnderNewNames({ write: 4 }, countingPlan, new Map([['count', ['write']]]))).toBeUndefined();
  });
});

describe('other numbers', () => {
  const first = firstScale(rules, undefined, {});

  it('are those that a person asked for, within the bounds', () => {
    expect(afterAsked(first, asked({ count: 4 }), rules)).toMatchObject({ target: { count: 4 }, why: { count: 'asked for by hand' } });
    expect(afterAsked(first, asked({ count: 99 }), rules)).toMatchObject({
      target: { count: 8 },
      why: { count: '99 were asked for by hand, and 8 is the bound' },
    });
  });

  it('of a sink wait for the pool', () => {
    const wider = afterAsked(first, asked({ count: 4, write: 3 }), rules);
    expect(needsPool(wider, rules.plan)).toBe(true);
    expect(nextParallelism(wider, rules.plan)).toEqual({ lines: 1, count: 4, write: 1 });
    const pooled = { ...wider, pooled: wider.target };
    expect(needsPool(pooled, rules.plan)).toBe(false);
    expect(nextParallelism(pooled, rules.plan)).toEqual({ lines: 1, count: 4, write: 3 });
  });

  it('are said with the first epoch that has them, and why; an epoch with the same numbers says nothing', () => {
    const { scale, changes } = afterPlanned(afterAsked(first, asked({ count: 4 }), rules), { lines: 1, count: 4, write: 1 }, 7, 99);
    expect(changes).toEqual([{ stage: 'count', from: 2, to: 4, why: 'asked for by hand' }]);
    expect(scale.stages['count']).toEqual({ subtasks: 4, least: 2, most: 8, since: { epoch: 7, atMs: 99, why: 'asked for by hand' } });
    expect(afterPlanned(scale, { lines: 1, count: 4, write: 1 }, 8, 100)).toEqual({ scale, changes: [] });
  });

  it('are what they were when an attempt with fewer ran out of time, and stay when it failed for something else', () => {
    const policy = { ...rules, checkpointIntervalMs: 1_000, scaleUpBacklogMs: 10_000, scaleDownEpochs: 9 };
    const had = { lines: 1, count: 6, write: 1 };
    const load = { parallelism: had, stageMs: new Map(), recordsIn: 1, recordsBehind: 0, backlogLeft: false, partitions: new Map() };
    const before = afterCommitted({ ...first, target: had }, load, 10, 10, policy);
    const lowered = { ...before, target: { ...had, count: 2 } };
    expect(afterFailed(lowered, lowered.target, 'of-numbers', rules)).toMatchObject({
      target: { count: 2 },
      memory: { recordsBehind: undefined },
    });
    expect(afterFailed(lowered, lowered.target, 'ran-out-of-time', rules)).toMatchObject({
      target: had,
      why: { count: 'an epoch with 2 ran out of time, and with 6 one has not' },
    });
    expect(afterFailed({ ...lowered, asked: asked({ count: 2 }) }, lowered.target, 'ran-out-of-time', rules)).toMatchObject({
      target: { count: 2 },
    });
    expect(afterFailed({ ...first, target: lowered.target }, lowered.target, 'ran-out-of-time', rules)).toMatchObject({
      target: { count: 2 },
    });
  });

  it('are what they were when attempts with more fail and fail, for no record', () => {
    const policy = { ...rules, checkpointIntervalMs: 1_000, scaleUpBacklogMs: 10_000, scaleDownEpochs: 9 };
    const had = { lines: 1, count: 2, write: 1 };
    const load = { parallelism: had, stageMs: new Map(), recordsIn: 1, recordsBehind: 0, backlogLeft: false, partitions: new Map() };
    const committed = afterCommitted({ ...first, target: had }, load, 10, 10, policy);
    const more = { ...had, count: 6 };
    const raised = { ...committed, target: more };
    const failed = (scale: Scale, how: FailedFor = 'of-numbers') => afterFailed(scale, more, how, rules);
    const twice = failed(failed(raised));
    expect(twice.target).toEqual(more);
    expect(failed(twice, 'another-reason').target).toEqual(more);
    expect(failed(twice)).toMatchObject({
      target: had,
      why: { count: '3 attempts in a row with 6 have failed, and with 2 an epoch has not' },
      memory: { tooMany: { count: 6 }, failedWithMore: 0 },
    });
    // An epoch that was committed between them had no reason to fail.
    expect(failed({ ...afterCommitted(twice, load, 10, 20, policy), target: more }).target).toEqual(more);
    expect(failed({ ...twice, asked: asked({ count: 6 }) }).target).toEqual(more);
  });

  it('are recorded when the row says all of it, whatever made the row', () => {
    const { scale } = afterPlanned(afterAsked(first, asked({ count: 4 }), rules), { lines: 1, count: 4, write: 1 }, 7, 99);
    expect(isRecorded(scale)).toBe(false);
    const recorded = JSON.parse(JSON.stringify(scale.stages));
    expect(isRecorded({ ...scale, recorded })).toBe(true);
    expect(isRecorded({ ...scale, recorded: { ...recorded, count: { ...recorded.count, most: 9 } } })).toBe(false);
    expect(firstScale(rules, { parallelism: { count: 4 }, state: {} }, { scale: recorded }).stages['count']).toEqual(scale.stages['count']);
  });
});
