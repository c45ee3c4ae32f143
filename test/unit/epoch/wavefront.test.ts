import { describe, expect, test } from 'vitest';
import type { Phase, StageProgress } from '../../../lib/epoch/attempt/attempt.ts';
import { type AttemptView, nextSteps } from '../../../lib/epoch/attempt/wavefront.ts';
import { countingPlan as plan } from '../../support/counting-plan.ts';

function attempt(epoch: number, phase: Phase, lines: StageProgress, count: StageProgress, write: StageProgress): AttemptView {
  return {
    epoch,
    phase,
    stages: new Map([
      ['lines', lines],
      ['count', count],
      ['write', write],
    ]),
  };
}

function steps(inFlight: readonly AttemptView[], options: { mayPlan?: boolean; max?: number } = {}) {
  return nextSteps({ plan, inFlight, maxConcurrentEpochs: options.max ?? 3, mayPlan: options.mayPlan ?? false }).map((step) =>
    step.do === 'plan' ? 'plan' : `${step.do} ${step.epoch}${step.do === 'run' ? ` ${step.stage}` : ''}`,
  );
}

describe('the wavefront', () => {
  test('a new attempt starts at its source', () => {
    expect(steps([attempt(5, 'working', 'waiting', 'waiting', 'waiting')])).toEqual(['run 5 lines']);
  });

  test('a stage that runs is not started again', () => {
    expect(steps([attempt(5, 'working', 'running', 'waiting', 'waiting')])).toEqual([]);
  });

  test('the operator stage starts an epoch when it has finished the one before and the source has read this one', () => {
    const busy = attempt(5, 'working', 'done', 'running', 'waiting');
    const free = attempt(5, 'working', 'done', 'done', 'running');
    const next = attempt(6, 'working', 'done', 'waiting', 'waiting');
    expect(steps([busy, next])).toEqual([]);
    expect(steps([free, next])).toEqual(['run 6 count']);
  });

  test('source and operator stages work on later epochs while an earlier one is decided and committed', () => {
    for (const phase of ['deciding', 'committing'] as const) {
      expect(steps([attempt(5, phase, 'done', 'done', 'done'), attempt(6, 'working', 'done', 'waiting', 'waiting')])).toEqual([
        'run 6 count',
      ]);
    }
  });

  test('the sink stage does not start before the epoch before is COMMITTED', () => {
    const prepared = attempt(6, 'working', 'done', 'done', 'waiting');
    for (const phase of ['working', 'deciding', 'decided', 'committing'] as const) {
      expect(steps([attempt(5, phase, 'done', 'done', 'done'), prepared])).not.toContain('run 6 write');
    }
    expect(steps([prepared])).toEqual(['run 6 write']);
  });

  test('an epoch is decided only when all its stages are done and none before it is open', () => {
    const ready = attempt(6, 'working', 'done', 'done', 'done');
    expect(steps([ready])).toEqual(['decide 6']);
    expect(steps([attempt(5, 'committing', 'done', 'done', 'done'), ready])).toEqual([]);
    expect(steps([attempt(6, 'working', 'done', 'done', 'running')])).toEqual([]);
  });

  test('only a decided epoch is committed, and once', () => {
    expect(steps([attempt(5, 'decided', 'done', 'done', 'done')])).toEqual(['commit 5']);
    expect(steps([attempt(5, 'committing', 'done', 'done', 'done')])).toEqual([]);
    expect(steps([attempt(5, 'deciding', 'done', 'done', 'done')])).toEqual([]);
  });

  test('the next epoch is planned when the newest has been read, up to the bound on epochs in flight', () => {
    expect(steps([], { mayPlan: true })).toEqual(['plan']);
    expect(steps([attempt(5, 'working', 'running', 'waiting', 'waiting')], { mayPlan: true })).toEqual([]);
    expect(steps([attempt(5, 'working', 'done', 'running', 'waiting')], { mayPlan: true })).toEqual(['plan']);
    expect(steps([attempt(5, 'working', 'done', 'running', 'waiting')], { mayPlan: true, max: 1 })).toEqual([]);
  });
});
