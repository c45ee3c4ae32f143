import { describe, expect, it } from 'vitest';
import { positionBehind } from '../../../../lib/epoch/decision/position.ts';
import { NO_TROUBLE } from '../../../../lib/epoch/failure/after-failure.ts';
import { FREE, type Isolation } from '../../../../lib/epoch/failure/isolate.ts';
import { isToEnd } from '../../../../lib/epoch/loop/state.ts';
import { firstScale } from '../../../../lib/epoch/scale/scale.ts';
import { ERRORS } from '../../../../lib/plan/dead-letters.ts';
import { edgeBetween } from '../../../../lib/plan/plan.ts';
import type { SnapshotRef } from '../../../../lib/protocol/references.ts';
import { countingPlan } from '../../../support/counting-plan.ts';
import { decided } from '../../../support/decided.ts';
import { committable, counted, failed, names, only, type Played, parent, plan, play, prepared, read, told, upTo } from './play.ts';

const five = { epoch: 5, decisionId: 'd1' };
const six = { epoch: 6, decisionId: 'd2' };

describe('an epoch', () => {
  it('is planned from where the last one ended, runs through its stages, is decided, and then committed', () => {
    const loop = play({ maxConcurrentEpochs: 1 });
    const first = loop.turn();
    expect(names(first)).toEqual(['plan']);
    expect(only(first, 'plan')).toMatchObject({ base: 'four', before: { offsets: { lines: { in: [10] } } }, isOverdue: false });
    expect(names(loop.on({ of: 'planned', base: 'four', planned: plan() }))).toEqual(['run lines of 5']);
    expect(names(loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: read() }))).toEqual(['run count of 5']);
    expect(names(loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') }))).toEqual(['run write of 5']);
    const { manifest, summary } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    expect(manifest).toMatchObject({ epoch: 5, decisionId: 'd1', parentDecisionId: 'four', offsets: { lines: { in: [20] } } });
    expect(manifest).toMatchObject({
      state: { count: [{ id: 's5' }] },
      outputs: { write: [[{ name: 'staged' }]] },
      committables: [committable],
    });
    const quick = { afterMs: 0, ms: 1 };
    expect(summary).toEqual({
      ...{ plannedAtMs: 1_000_000, attempts: 1, recordsIn: 10, recordsOut: 10 },
      stages: { lines: quick, count: quick, write: quick },
      edges: { 'lines>count.0': 10, 'count>write.0': 10 },
    });
    expect(only(loop.on({ of: 'decided', manifest: decided(manifest), ms: 3 }), 'commit').manifest).toBe(manifest);
    expect(loop.state()).toMatchObject({ parent: manifest, recordedCommitted: 4 });
    const effects = loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 4 });
    expect(told(effects)).toMatchObject([{ event: 'committed', epoch: 5, ms: 4, figures: { decisionMs: 3, recordsIn: 10 } }]);
    expect(loop.state().inFlight).toEqual([]);
    expect(names(effects)).toEqual([]);
    expect(loop.nextInMs()).toBe(100);
  });

  it('is followed by the next when its sources are done, from where they stopped; that one waits with its sink until it is committed', () => {
    const loop = play();
    upTo(loop, 'counted');
    expect(only(loop.pass(100), 'plan')).toMatchObject({
      base: 'd1',
      before: { offsets: { lines: { in: [20] } }, topicIds: { lines: { in: 'id-of-in' } } },
    });
    loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30) });
    loop.on({ of: 'stage', attempt: six, stage: 'lines', ms: 1, result: read(30) });
    expect(names(loop.on({ of: 'stage', attempt: six, stage: 'count', ms: 1, result: counted('s6') }))).toEqual([]);
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    expect(names(loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 }))).toEqual(['commit']);
    expect(names(loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 }))).toContain('run write of 6');
  });

  it('starts from the state of the epochs in flight before it', () => {
    const loop = play();
    upTo(loop, 'counted');
    loop.pass(100);
    loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30) });
    const effects = loop.on({ of: 'stage', attempt: six, stage: 'lines', ms: 1, result: read(30) });
    expect(only(effects, 'run-stage').before.state).toMatchObject({ count: [{ id: 's5' }] });
  });

  it('that read less than there was is followed at once', () => {
    const loop = play();
    upTo(loop, 'planned');
    expect(names(loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: read(15) }))).toEqual(['run count of 5', 'plan']);
  });

  it('that read less than there was is not followed at once when the one after it is planned, which takes what is left', () => {
    const loop = play({ maxConcurrentEpochs: 3 });
    upTo(loop, 'planned');
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: read(15) });
    loop.on({ of: 'planned', base: 'd1', planned: plan(15, 20) });
    loop.on({ of: 'stage', attempt: six, stage: 'lines', ms: 1, result: read(20) });
    expect(names(loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') }))).not.toContain('plan');
    expect(loop.nextInMs()).toBe(100);
  });

  it.each([
    ['is no larger than it can be sent in time, where it is sent after its decision', true, 1_000_000],
    ['may be large whatever its commit takes, where it was prepared before', false, 8 * 1024 * 1024],
  ])('that leaves a backlog is followed by one that %s', (_what, delivers, bytes) => {
    const loop = play({ maxConcurrentEpochs: 1 });
    const some = read(15);
    if (some.outcome !== 'done' || some.work.kind !== 'source') throw new Error('no source');
    const work = { kind: 'source' as const, subtasks: some.work.subtasks.map((each) => each && { ...each, bytesIn: 10_000_000 }) };
    upTo(loop, 'planned');
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: { outcome: 'done', work } });
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') });
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 });
    // It would take ten times most of the interval of 100 ms.
    loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers }, ms: 800 });
    expect(loop.state().size.bytes).toBe(bytes);
  });

  it('waits for the pause after a commit, and alone', () => {
    const loop = play({ minPauseMs: 500 });
    const { manifest } = only(upTo(loop, 'prepared'), 'decide');
    expect(names(loop.pass(100))).toEqual([]);
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 });
    expect(names(loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 }))).toEqual([]);
    expect(loop.nextInMs()).toBe(500);
    expect(names(loop.pass(499))).toEqual([]);
    expect(names(loop.pass(1))).toEqual(['plan']);
  });
});

describe('a failed attempt', () => {
  it('is dropped with all that build on it, and planned again from its parent after the pause', () => {
    const loop = play();
    upTo(loop, 'counted');
    loop.pass(100);
    loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30) });
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('transient') });
    expect(names(effects)).toEqual(['sink-facts', 'give-up', 'abort', 'give-up', 'abort']);
    expect(told(effects)).toMatchObject([{ event: 'attempt-failed', epoch: 5, stage: 'write', kind: 'transient', failuresInARow: 1 }]);
    expect(only(loop.pass(50), 'plan')).toMatchObject({ base: 'four', before: { offsets: { lines: { in: [10] } } } });
  });

  it('has what it had prepared aborted, and the next one looks for what may still be open', () => {
    const loop = play();
    upTo(loop, 'counted');
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('transient', [committable]) });
    expect(only(effects, 'abort').attempt).toEqual({ ...five, committables: [committable] });
    loop.pass(100);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().inFlight[0]?.endsLeftovers).toEqual({ lines: 1, count: 1, write: 1 });
  });

  it('that never came to its sink leaves nothing to look for', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: failed('transient') });
    loop.pass(100);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().inFlight[0]?.endsLeftovers).toBeUndefined();
  });

  it('whose answer comes when it was dropped has what it prepared aborted, and nothing else', () => {
    const loop = play();
    upTo(loop, 'counted');
    loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('transient') });
    const before = loop.state();
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared });
    expect(only(effects, 'abort').attempt).toEqual({ epoch: 5, decisionId: 'd1', committables: [committable] });
    expect({ ...loop.state(), chores: before.chores }).toEqual(before);
  });

  it('makes a plan useless that was to follow it', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.pass(100);
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: failed('transient') });
    loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30) });
    expect(loop.state().inFlight).toEqual([]);
    expect(only(loop.pass(50), 'plan').base).toBe('four');
  });

  it('that ran out of time makes the next one smaller', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1_000, result: failed('transient') });
    expect(loop.state().size.offsets).toBe(2);
    loop.pass(100);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().inFlight[0]).toMatchObject({ ranges: { lines: [[{ from: 10, bound: 12 }]] }, isCut: true });
  });

  it('makes the next one no smaller when it was not time that it wanted, however long it took', () => {
    for (const kind of ['refused', 'user-code', 'record'] as const) {
      const loop = play({ startKind: 'revival' });
      upTo(loop, 'read');
      const before = loop.state().size;
      loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1_000, result: failed(kind) });
      expect(loop.state().size, kind).toEqual(before);
    }
  });

  it('is one whose sink stages took too long, of the slowest of them', () => {
    const loop = play();
    upTo(loop, 'counted');
    loop.pass(1_001);
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1_001, result: prepared });
    expect(names(effects)).toEqual(expect.arrayContaining(['give-up', 'abort']));
    expect(names(effects)).not.toContain('decide');
    expect(told(effects).at(-1)).toMatchObject({
      event: 'attempt-failed',
      stage: 'write',
      message: expect.stringContaining('ONCEFLOW_EPOCH_TIMEOUT_MS=1000'),
    });
    expect(loop.state().size.offsets).toBe(2);
  });

  it.each([
    [900, 800, 'write'],
    [800, 900, 'copy'],
  ])('of two sinks that took %i and %i ms is that of the slower', (writeMs, copyMs, slowest) => {
    const copying = {
      ...countingPlan,
      stages: [...countingPlan.stages, { kind: 'sink', id: 'copy', to: { kind: 'kafka', topics: ['copies'] } } as const],
      edges: [...countingPlan.edges, edgeBetween({ from: 'count', to: 'copy', input: 1, how: 'sink' })],
    };
    const loop = play({ plan: copying });
    upTo(loop, 'counted');
    loop.pass(1_001);
    loop.on({ of: 'stage', attempt: five, stage: 'write', ms: writeMs, result: prepared });
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'copy', ms: copyMs, result: prepared });
    expect(told(effects).at(-1)).toMatchObject({ event: 'attempt-failed', stage: slowest });
  });

  it('stops the job when no repetition can help', () => {
    const loop = play();
    upTo(loop, 'read');
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: failed('fatal') });
    expect(names(effects)).toEqual(['give-up', 'abort', 'settle']);
    expect(loop.state().ending).toMatchObject({ failure: 'epoch 5, stage count: it broke', settling: 'begun' });
  });

  it('of a record that nothing can process stops the job at once, unless such records are left out', () => {
    const toDeadLetters = edgeBetween({ from: 'lines', to: 'write', input: 0, how: 'sink', tag: ERRORS });
    const leavingOut = { ...countingPlan, edges: [...countingPlan.edges, toDeadLetters] };
    for (const [plan, kind, failure] of [
      [countingPlan, 'record', 'epoch 5, stage count: it broke'],
      [leavingOut, 'record', undefined],
      [leavingOut, 'fatal', 'epoch 5, stage count: it broke'],
      [countingPlan, 'user-code', undefined],
    ] as const) {
      const loop = play({ plan });
      upTo(loop, 'read');
      loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: failed(kind) });
      expect(loop.state().ending.failure, kind).toBe(failure);
      expect(loop.state().inFlight).toEqual([]);
    }
  });

  it('of what is refused stops a job that has not decided anything, and another one when it has lasted', () => {
    const fresh = play();
    upTo(fresh, 'counted');
    fresh.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('refused') });
    expect(fresh.state().ending.failure).toBe('epoch 5, stage write: it broke');
    const running = play({ startKind: 'revival' });
    upTo(running, 'counted');
    running.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('refused') });
    expect(running.state().ending.failure).toBeUndefined();
    for (const [passes, decisionId, stops] of [
      [4_999, 'd2', false],
      [50, 'd3', true],
    ] as const) {
      const attempt = { epoch: 5, decisionId };
      running.pass(passes);
      running.on({ of: 'planned', base: 'four', planned: plan() });
      running.on({ of: 'stage', attempt, stage: 'lines', ms: 1, result: read() });
      running.on({ of: 'stage', attempt, stage: 'count', ms: 1, result: counted('s5') });
      running.on({ of: 'stage', attempt, stage: 'write', ms: 1, result: failed('refused') });
      expect(running.state().ending.failure !== undefined).toBe(stops);
    }
  });

  it('of what is refused counts from the first in a row: a failure of another kind of the same stage begins anew', () => {
    const loop = play({ startKind: 'revival' });
    const fails = (decisionId: string, kind: 'refused' | 'transient') => {
      loop.on({ of: 'planned', base: 'four', planned: plan() });
      const attempt = { epoch: 5, decisionId };
      loop.on({ of: 'stage', attempt, stage: 'lines', ms: 1, result: read() });
      loop.on({ of: 'stage', attempt, stage: 'count', ms: 1, result: counted('s5') });
      loop.on({ of: 'stage', attempt, stage: 'write', ms: 1, result: failed(kind) });
    };
    loop.turn();
    fails('d1', 'refused');
    loop.pass(4_000);
    fails('d2', 'transient');
    loop.pass(4_000);
    fails('d3', 'refused');
    expect(loop.state().ending.failure).toBeUndefined();
    loop.pass(5_001);
    fails('d4', 'refused');
    expect(loop.state().ending.failure).toBe('epoch 5, stage write: it broke');
  });

  it('of a function of another build is repeated once, then the job is left to the next coordinator', () => {
    const loop = play();
    const stale = { outcome: 'failed', why: { outcome: 'stale', build: 'b2' }, prepared: [] } as const;
    upTo(loop, 'planned');
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: stale });
    expect(loop.state().ending.leftToNext).toBeUndefined();
    loop.pass(1_000);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    loop.on({ of: 'stage', attempt: { epoch: 5, decisionId: 'd2' }, stage: 'lines', ms: 1, result: stale });
    expect(loop.state().ending.leftToNext).toContain('runs build b2, the coordinator b1');
  });
});

describe('while a failing record is searched', () => {
  it('the rest of the input is planned as soon as its first part is committed', () => {
    const loop = play();
    const fails = { of: 'stage', stage: 'count', ms: 1, result: failed('user-code') } as const;
    for (const decisionId of ['d1', 'd2']) {
      const attempt = { epoch: 5, decisionId };
      loop.pass(50);
      loop.on({ of: 'planned', base: 'four', planned: plan() });
      loop.on({ of: 'stage', attempt, stage: 'lines', ms: 1, result: read() });
      loop.on({ ...fails, attempt });
    }
    loop.pass(50);
    const attempt = { epoch: 5, decisionId: 'd3' };
    const [begun] = [only(loop.on({ of: 'planned', base: 'four', planned: plan() }), 'run-stage')];
    expect(begun.attempt.ranges).toEqual({ lines: [[{ topic: 'in', partition: 0, from: 10, bound: 15 }]] });
    loop.on({ of: 'stage', attempt, stage: 'lines', ms: 1, result: read(15) });
    loop.on({ of: 'stage', attempt, stage: 'count', ms: 1, result: counted('s5') });
    const { manifest } = only(loop.on({ of: 'stage', attempt, stage: 'write', ms: 1, result: prepared }), 'decide');
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 });
    const effects = loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 });
    expect(only(effects, 'plan').before.offsets).toEqual({ lines: { in: [15] } });
  });
});

describe('without input', () => {
  it('the loop looks again after longer and longer pauses, up to the longest', () => {
    const loop = play({ checkpointIntervalMs: 10, idlePollMaxMs: 18 });
    const pauses: number[] = [];
    loop.turn();
    for (let look = 0; look < 4; look++) {
      loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } });
      pauses.push(loop.nextInMs());
      expect(names(loop.pass(loop.nextInMs()))).toEqual(['plan']);
    }
    expect(pauses).toEqual([10, 13, 16, 18]);
  });

  it('the pauses begin anew when there was input', () => {
    const loop = play({ checkpointIntervalMs: 10, idlePollMaxMs: 1_000 });
    loop.turn();
    const looksInVain = () => {
      loop.on({ of: 'planned', base: loop.state().parent.decisionId, planned: { outcome: 'nothing' } });
      return loop.nextInMs();
    };
    expect(looksInVain()).toBe(10);
    loop.pass(10);
    expect(looksInVain()).toBe(13);
    loop.pass(13);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().idlePolls).toBe(0);
  });

  it('what the next decision would have recorded is recorded, once', () => {
    const loop = play({}, { recordedCommitted: 3 });
    loop.turn();
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual(['record-commit']);
    loop.pass(100);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual([]);
    loop.on({ of: 'chore', chore: 'record-commit', result: { outcome: 'recorded-commit', epoch: 4 } });
    loop.pass(100);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual([]);
    expect(loop.state().recordedCommitted).toBe(4);
  });

  it('offsets that the group refused are tried again after five seconds, and what was refused is said once', () => {
    const loop = play({ commitOffsets: true });
    const nothing = { of: 'planned', base: 'four', planned: { outcome: 'nothing' } } as const;
    const refused = {
      of: 'chore',
      chore: 'group-offsets',
      result: { outcome: 'group-offsets', epoch: 4, refused: 'has a member' },
    } as const;
    loop.turn();
    expect(only(loop.on(nothing), 'chore')).toMatchObject({ chore: 'group-offsets', manifest: parent });
    expect(told(loop.on(refused))).toEqual([{ event: 'warning', message: 'has a member' }]);
    loop.pass(4_999);
    expect(names(loop.on(nothing))).not.toContain('group-offsets');
    loop.pass(1);
    expect(names(loop.on(nothing))).toContain('group-offsets');
    expect(told(loop.on(refused))).toEqual([]);
    loop.pass(5_000);
    loop.on(nothing);
    loop.on({ of: 'chore', chore: 'group-offsets', result: { outcome: 'group-offsets', epoch: 4, refused: undefined } });
    loop.pass(5_000);
    expect(names(loop.on(nothing))).not.toContain('group-offsets');
  });

  it('a coordinator that is to end while idle settles the ids when its time has come', () => {
    const loop = play({ idleExitMs: 250 });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } });
    loop.pass(100);
    loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } });
    expect(loop.nextInMs()).toBe(100);
    expect(names(loop.pass(149))).toEqual(['plan']);
    expect(loop.nextInMs()).toBe(1);
    expect(only(loop.pass(1), 'settle').record).toBeUndefined();
  });

  it('a coordinator that is to end while idle begins to count anew when there was input', () => {
    const loop = play({ idleExitMs: 250, maxConcurrentEpochs: 1 });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } });
    loop.pass(200);
    const { manifest } = only(upTo(loop, 'prepared'), 'decide');
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 });
    loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 });
    expect(names(loop.pass(100))).toEqual(['plan']);
    loop.on({ of: 'planned', base: 'd1', planned: { outcome: 'nothing' } });
    expect(names(loop.pass(249))).not.toContain('settle');
    expect(names(loop.pass(1))).toContain('settle');
  });

  it('a partition that is behind for longer than the epoch timeout is planned as overdue', () => {
    const loop = play();
    loop.turn();
    loop.pass(700);
    const behind = { of: 'planned', base: 'four', planned: { outcome: 'behind', message: 'behind' } } as const;
    loop.on(behind);
    expect(only(loop.pass(1_000), 'plan').isOverdue).toBe(false);
    loop.on(behind);
    expect(only(loop.pass(100), 'plan').isOverdue).toBe(true);
  });

  it('a partition that was not behind in between is not', () => {
    const loop = play();
    loop.turn();
    const behind = { of: 'planned', base: 'four', planned: { outcome: 'behind', message: 'behind' } } as const;
    for (const planned of [{ outcome: 'nothing' } as const, plan()]) {
      loop.on(behind);
      expect(only(loop.pass(900), 'plan').isOverdue).toBe(false);
      loop.on({ of: 'planned', base: 'four', planned });
      expect(loop.state().behindSinceMs).toBeUndefined();
      if (planned.outcome === 'nothing') expect(only(loop.pass(900), 'plan').isOverdue).toBe(false);
    }
  });
});

describe('an ending loop', () => {
  it('plans nothing, commits what is decided, and settles', () => {
    const loop = play();
    const { manifest } = only(upTo(loop, 'prepared'), 'decide');
    expect(names(loop.on({ of: 'told-to-end' }))).toEqual([]);
    expect(names(loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 }))).toEqual(['commit']);
    const effects = loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 });
    expect(only(effects, 'settle').record).toBe(5);
    loop.on({ of: 'settled' });
    expect(loop.state().ending.settling).toBe('done');
  });

  it('takes no plan that was being made', () => {
    const loop = play();
    expect(names(loop.turn())).toEqual(['plan']);
    expect(names(loop.on({ of: 'told-to-end' }))).toEqual(['settle']);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: plan() }))).toEqual([]);
    expect(loop.state().inFlight).toEqual([]);
  });

  it('drops after four seconds what is not decided by then, and after ten leaves what is not done', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.on({ of: 'told-to-end' });
    // The next chore: no plan is waited for, which would be in 100 ms.
    expect(loop.nextInMs()).toBe(2_000);
    expect(names(loop.pass(3_999))).not.toContain('abort');
    expect(loop.nextInMs()).toBe(1);
    expect(names(loop.pass(1))).toEqual(['give-up', 'abort', 'settle']);
    expect(names(loop.pass(5_999))).not.toContain('leave');
    expect(names(loop.pass(1))).toContain('leave');
  });

  it('does not drop what is being decided: nobody knows whether it is', () => {
    const loop = play();
    upTo(loop, 'prepared');
    loop.on({ of: 'told-to-end' });
    expect(names(loop.pass(20_000))).toEqual(expect.arrayContaining(['leave']));
    expect(loop.state().inFlight).toMatchObject([{ phase: 'deciding' }]);
  });

  const control = (asksToStop: boolean) =>
    ({ of: 'chore', chore: 'read-control', result: { outcome: 'read-control', asksToStop } }) as const;

  it('goes on when the job row asks no more for a stop', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.on(control(true));
    expect(names(loop.pass(100))).toEqual([]);
    expect(names(loop.on(control(false)))).toEqual(['plan']);
  });

  it('goes on when the job row asks no more for a stop, also when it is settling by then: when that is done', () => {
    const loop = play();
    expect(names(loop.on(control(true)))).toEqual(['settle']);
    expect(names(loop.on(control(false)))).toEqual([]);
    expect(names(loop.on({ of: 'settled' }))).toEqual(['plan']);
    expect(names(loop.on(control(true)))).toEqual(['settle']);
    loop.on({ of: 'settled' });
    expect(loop.state().ending.settling).toBe('done');
  });

  it('does not give up the settling of a stop that was withdrawn, however long it takes, and a second stop has all its time', () => {
    const loop = play();
    loop.on(control(true));
    loop.on(control(false));
    expect(names(loop.pass(60_000))).not.toContain('leave');
    expect(names(loop.on(control(true)))).toEqual([]);
    expect(names(loop.pass(9_999))).not.toContain('leave');
    expect(names(loop.pass(1))).toContain('leave');
  });

  it('ends when the job row asks no more for a stop, and what was under way was given up by then', () => {
    const loop = play();
    upTo(loop, 'prepared');
    loop.on(control(true));
    expect(names(loop.pass(10_000))).toContain('leave');
    loop.on(control(false));
    expect(names(loop.pass(100))).not.toContain('plan');
    expect(isToEnd(loop.state(), 0, { idleExitMs: undefined })).toBe(true);
  });

  it('gives what is under way all its time again when it is asked to stop a second time', () => {
    const loop = play();
    upTo(loop, 'read');
    loop.on(control(true));
    loop.on(control(false));
    loop.pass(60_000);
    const undone = ['give-up', 'abort', 'leave'];
    expect(names(loop.on(control(true))).filter((name) => undone.includes(name))).toEqual([]);
    expect(names(loop.pass(4_000)).filter((name) => undone.includes(name))).toEqual(['give-up', 'abort']);
  });
});

describe('what looks found open under the ids', () => {
  const found = { of: 'chore', chore: 'look-for-open', result: { outcome: 'looked-for-open', found: true } } as const;

  it('is ended between two epochs, and nothing is planned until then', () => {
    const loop = play();
    const { manifest } = only(upTo(loop, 'prepared'), 'decide');
    loop.on(found);
    expect(names(loop.pass(100))).toEqual([]);
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 });
    expect(names(loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 }))).toEqual(['end-leftovers']);
    expect(names(loop.pass(100))).toEqual([]);
    const effects = loop.on({ of: 'leftovers-ended', all: true });
    expect(names(effects)).toEqual(['plan']);
    expect(told(effects)).toEqual([{ event: 'leftovers-ended' }]);
  });

  it('and could not all be ended keeps no epoch waiting: the next looks find it again', () => {
    const loop = play();
    loop.turn();
    loop.on(found);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual(['end-leftovers']);
    const effects = loop.on({ of: 'leftovers-ended', all: false });
    expect(told(effects)).toEqual([]);
    expect(names(loop.pass(100))).toEqual(['plan']);
  });

  it('is left to the settling of a loop that ends', () => {
    const loop = play();
    loop.turn();
    loop.on({ of: 'told-to-end' });
    expect(names(loop.on(found))).toEqual([]);
    expect(loop.state().ending.settling).toBe('begun');
  });

  it('and is being ended when the loop is told to end is ended before the ids are settled', () => {
    const loop = play({}, { planAtMs: Number.MAX_SAFE_INTEGER });
    loop.turn();
    expect(names(loop.on(found))).toEqual(['end-leftovers']);
    expect(names(loop.on({ of: 'told-to-end' }))).toEqual([]);
    expect(names(loop.on({ of: 'leftovers-ended', all: true }))).toEqual(['settle']);
  });
});

describe('chores', () => {
  it('are started each time they are due, but for one that is still under way', () => {
    const loop = play({}, { planAtMs: Number.MAX_SAFE_INTEGER });
    loop.turn();
    expect(loop.nextInMs()).toBe(2_000);
    expect(names(loop.pass(2_000))).toEqual(['read-control']);
    expect(names(loop.pass(2_000))).toEqual([]);
    loop.on({ of: 'chore', chore: 'read-control', result: { outcome: 'read-control', asksToStop: false } });
    expect(names(loop.pass(2_000))).toEqual(['read-control']);
    expect(names(loop.pass(4_000))).toEqual(['collect']);
    expect(names(loop.pass(20_000))).toEqual(['look-for-open', 'look-for-held-up']);
  });

  it('that fail are said, and ended', () => {
    const loop = play();
    loop.turn();
    loop.pass(2_000);
    const effects = loop.on({ of: 'chore', chore: 'read-control', result: { outcome: 'failed', message: 'throttled' } });
    expect(told(effects)).toEqual([{ event: 'warning', message: 'read-control: throttled' }]);
    expect(names(loop.pass(2_000))).toContain('read-control');
  });

  it("read a sink's topic anew after its stage failed: the next stages see what it is now", () => {
    const loop = play();
    upTo(loop, 'counted');
    expect(names(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: failed('transient') }))).toContain('sink-facts');
    const sinkFacts = { write: { partitions: 9 } };
    loop.on({ of: 'chore', chore: 'sink-facts', result: { outcome: 'sink-facts', sinkFacts } });
    expect(loop.state().tenure).toMatchObject({ sinkFacts, generation: 1 });
  });
});

describe('a job that uses time', () => {
  const timed = {
    ...countingPlan,
    stages: countingPlan.stages.map((stage) => {
      if (stage.kind === 'source') return { ...stage, eventTime: { idleAfterMs: 5_000, alignWithinMs: 100 } };
      return stage.kind === 'operator' ? { ...stage, usesTime: true } : stage;
    }),
  };
  const waiting = (due: SnapshotRef['due']) =>
    decided({ ...parent, state: { count: [{ id: 's4', keyGroups: { first: 0, last: 127 }, deltas: [], due }] } });

  it('has the wall time of its plan for the processing time of its epoch, and never an earlier one than before', () => {
    const loop = play({ plan: timed });
    loop.turn();
    const effects = loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(only(effects, 'run-stage').attempt.time).toMatchObject({ processingMs: 1_000_000, upToMs: {} });
    const ahead = play({ plan: timed }, { parent: decided({ ...parent, time: { processingMs: 2_000_000, sources: {}, stages: {} } }) });
    ahead.turn();
    const later = ahead.on({ of: 'planned', base: 'four', planned: plan() });
    expect(only(later, 'run-stage').attempt.time).toMatchObject({ processingMs: 2_000_000 });
  });

  it('records how far time has come with the epoch; one that does not use it leaves that as it was', () => {
    const seen = [{ topic: 'in', partition: 0, watermarkMs: 77 }];
    const done = read();
    if (done.outcome !== 'done' || done.work.kind !== 'source') throw new Error('no source');
    const work = { kind: 'source' as const, subtasks: done.work.subtasks.map((each) => each && { ...each, seen }) };
    const loop = play({ plan: timed });
    upTo(loop, 'planned');
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: { outcome: 'done', work } });
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') });
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    expect(manifest.time).toEqual({
      processingMs: 1_000_000,
      sources: { lines: { watermarkMs: 77, idleAfterMs: 5_000, partitions: { in: [{ watermarkMs: 77, activeMs: 1_000_000 }] } } },
      stages: { count: 77 },
    });
    const plain = play({}, { parent: decided({ ...parent, time: manifest.time }) });
    expect(only(upTo(plain, 'prepared'), 'decide').manifest.time).toBe(manifest.time);
  });

  it('says what was late in an epoch when that is decided, and sums it up from epoch to epoch', () => {
    const before = {
      processingMs: 1,
      sources: {},
      stages: {},
      late: { count: { dropped: 1, passedOn: 5 }, gone: { dropped: 2, passedOn: 0 } },
    };
    const loop = play({ plan: timed }, { parent: decided({ ...parent, time: before }) });
    upTo(loop, 'read');
    const done = counted('s5');
    if (done.outcome !== 'done' || done.work.kind !== 'operator') throw new Error('no operator');
    const late = (dropped: number, passedOn: number) => ({ count: { dropped, passedOn } });
    const [own] = done.work.subtasks;
    const subtasks = own === undefined ? [] : [{ ...own, late: late(3, 0) }, own, { ...own, late: late(1, 7) }];
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: { outcome: 'done', work: { kind: 'operator', subtasks } } });
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    expect(manifest.time?.late).toEqual({ count: { dropped: 5, passedOn: 12 }, gone: { dropped: 2, passedOn: 0 } });
    expect(told(loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 }))).toContainEqual({
      event: 'late',
      epoch: 5,
      dropped: 4,
      passedOn: 7,
      operators: late(4, 7),
    });
    loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 });
    expect(positionBehind(loop.state().parent, [], timed).time?.late).toEqual(manifest.time?.late);
  });

  it('says nothing of what is late when nothing was', () => {
    const loop = play({ plan: timed });
    const { manifest } = only(upTo(loop, 'prepared'), 'decide');
    expect(manifest.time).not.toHaveProperty('late.count');
    expect(told(loop.on({ of: 'decided', manifest: decided(manifest), ms: 1 })).map(({ event }) => event)).not.toContain('late');
  });

  it('has an epoch without input when something is due, and none before', () => {
    const loop = play({ plan: timed }, { parent: waiting({ processingMs: 1_000_030 }) });
    loop.turn();
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual([]);
    // Before the next look for input, which is in 100 ms.
    expect(loop.nextInMs()).toBe(30);
    expect(names(loop.pass(29))).toEqual([]);
    expect(names(loop.pass(1))).toEqual(['plan']);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } }))).toEqual(['run lines of 5']);
    const done = { outcome: 'done', work: { kind: 'source', subtasks: [] } } as const;
    const effects = loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: done });
    expect(only(effects, 'run-stage')).toMatchObject({
      stage: { id: 'count' },
      attempt: { from: { lines: { in: [10] } }, ranges: { lines: [] } },
    });
  });

  /** Epoch 5 is committed, behind which something is due in 30 ms. */
  function committed(loop: Played): void {
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    const { state } = waiting({ processingMs: 1_000_030 });
    loop.on({ of: 'decided', manifest: decided({ ...manifest, state }), ms: 1 });
    loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 1 });
  }

  it('looks for input when something is due that the epoch which was just committed has brought, and not only an interval later', () => {
    const loop = play({ plan: timed });
    upTo(loop, 'counted');
    committed(loop);
    expect(loop.nextInMs()).toBe(30);
  });

  it('leaves that to the epoch that is in flight behind it', () => {
    const loop = play({ plan: timed });
    upTo(loop, 'counted');
    loop.pass(100);
    loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30) });
    committed(loop);
    expect(loop.state()).toMatchObject({ inFlight: [{ epoch: 6 }], planAtMs: 200 });
  });

  it('counts such an epoch as progress', () => {
    const loop = play({ plan: timed }, { parent: waiting({ processingMs: 1 }) });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: { outcome: 'nothing' } });
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: { outcome: 'done', work: { kind: 'source', subtasks: [] } } });
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') });
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    const effects = loop.on({ of: 'decided', manifest: decided(manifest), ms: 7 });
    expect(effects).toContainEqual({ do: 'progress', more: true });
    // Its expiry was computed when the decision was begun.
    expect(effects).toContainEqual({ do: 'lease-renewed', atMs: -7 });
  });

  /** The first of two partitions is too far ahead; the second was last active at that time. */
  const ahead = (activeMs: number) => {
    const partitions = { in: [500, 300].map((watermarkMs) => ({ watermarkMs, activeMs })) };
    const time = { processingMs: 1, sources: { lines: { watermarkMs: 300, partitions } }, stages: { count: 300 } };
    return decided({ ...parent, offsets: { lines: { in: [10, 10] } }, time });
  };

  it('does not read what is too far ahead of the rest, and takes it for no input', () => {
    const loop = play({ plan: timed }, { parent: ahead(999_999) });
    loop.turn();
    expect(names(loop.on({ of: 'planned', base: 'four', planned: plan() }))).toEqual([]);
    expect(loop.state().inFlight).toEqual([]);
  });

  it('waits for when that may be read, if a partition becomes idle soon, and does not end for want of input', () => {
    const loop = play({ plan: timed, idlePollMaxMs: 60_000, idleExitMs: 10 }, { parent: ahead(995_030), idlePolls: 9 });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.nextInMs()).toBe(30);
    expect(names(loop.pass(29))).toEqual([]);
    expect(names(loop.pass(1))).toEqual(['plan']);
  });

  it('reads what is too far ahead when the rest, for which it waits, is idle', () => {
    const loop = play({ plan: timed }, { parent: ahead(995_050) });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().inFlight).toEqual([]);
    loop.pass(100);
    expect(names(loop.on({ of: 'planned', base: 'four', planned: plan() }))).toEqual(['run lines of 5']);
    const [attempt] = loop.state().inFlight;
    expect(attempt?.ranges).toEqual({ lines: [] });
    // Behind that epoch the watermark is that of the partition which waited.
    expect(positionBehind(ahead(995_050), loop.state().inFlight, timed).time?.stages).toEqual({ count: 500 });
  });

  it('reads of what is not too far ahead only as far as it may', () => {
    const partitions = { in: [500, 480].map((watermarkMs) => ({ watermarkMs, activeMs: 999_999 })) };
    const time = { processingMs: 1, sources: { lines: { watermarkMs: 480, partitions } }, stages: { count: 480 } };
    const loop = play({ plan: timed }, { parent: decided({ ...parent, offsets: { lines: { in: [10, 10] } }, time }) });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    expect(loop.state().inFlight[0]?.time?.upToMs).toEqual({ lines: 580 });
  });

  it('takes no partition for idle of whose input it has read only a part', () => {
    const loop = play({ plan: timed }, { parent: ahead(1), size: { bytes: 1_000, offsets: 5 } });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    const [attempt] = loop.state().inFlight;
    if (attempt === undefined) throw new Error('nothing is planned');
    expect(positionBehind(ahead(1), [attempt], timed).time?.sources['lines']?.partitions['in']?.[0]?.activeMs).toBe(1_000_000);
    expect(positionBehind(ahead(1), [attempt], timed).time?.sources['lines']?.partitions['in']?.[1]?.activeMs).toBe(1);
  });
});

describe('an epoch that is committed', () => {
  const rules = { plan: countingPlan, parallelism: { lines: 1, count: { least: 1, most: 8 }, write: 1 } };
  const targetAfter = (isolation: Isolation) => {
    const scale = firstScale(rules, { ...parent, parallelism: { count: 4 } }, {});
    const loop = play({ ...rules, scaleUpBacklogMs: 1_000, scaleDownEpochs: 1 }, { scale, trouble: { ...NO_TROUBLE, isolation } });
    loop.turn();
    loop.on({ of: 'planned', base: 'four', planned: plan(10, 20, { lines: 1, count: 4, write: 1 }) });
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 1, result: read(12) });
    loop.on({ of: 'stage', attempt: five, stage: 'count', ms: 1, result: counted('s5') });
    const { manifest } = only(loop.on({ of: 'stage', attempt: five, stage: 'write', ms: 1, result: prepared }), 'decide');
    loop.on({ of: 'decided', manifest: decided(manifest), ms: 3 });
    loop.on({ of: 'committed', epoch: 5, result: { republished: 0, delivers: false }, ms: 4 });
    return loop.state().scale.target;
  };

  it('asks for fewer subtasks when it kept up, and not when a search for a record has made it small', () => {
    expect(targetAfter({ ...FREE, limit: 2, full: 1_000 })).toMatchObject({ count: 4 });
    expect(targetAfter({ ...FREE, limit: 2, full: 1 })).toMatchObject({ count: 1 });
  });
});

it('attempts that fail and fail with more subtasks than the last committed epoch had are followed by one with as many as that, unless a record is at fault', () => {
  const rules = { plan: countingPlan, parallelism: { lines: 1, count: { least: 1, most: 8 }, write: 1 } };
  const more = { lines: 1, count: 4, write: 1 };
  const targetAfter = (kind: 'transient' | 'user-code') => {
    const scale = { ...firstScale(rules, { ...parent, parallelism: more }, {}), committed: { lines: 1, count: 1, write: 1 } };
    const loop = play(rules, { scale });
    for (let failures = 0; failures < 3; failures++) {
      loop.pass(1_000);
      loop.on({ of: 'planned', base: 'four', planned: plan(10, 20, more) });
      const [attempt] = loop.state().inFlight;
      if (attempt === undefined) throw new Error('nothing is planned');
      loop.on({ of: 'stage', attempt, stage: 'lines', ms: 1, result: failed(kind) });
    }
    return loop.state().scale.target;
  };
  expect(targetAfter('transient')).toMatchObject({ count: 1 });
  expect(targetAfter('user-code')).toMatchObject({ count: 4 });
});

describe('a request for other numbers of subtasks', () => {
  const parallelism = { lines: 1, count: { least: 1, most: 8 }, write: { least: 1, most: 4 } };
  const rescale = (subtasks: Readonly<Record<string, number>>, id = 'one') =>
    ({
      of: 'chore',
      chore: 'read-control',
      result: { outcome: 'read-control', asksToStop: false, rescale: { id, subtasks, askedAtMs: 1 } },
    }) as const;

  it('is what the next epoch is planned with; the one that is under way keeps its own', () => {
    const loop = play({ parallelism });
    upTo(loop, 'read');
    loop.on(rescale({ count: 4 }));
    const effects = loop.pass(100);
    expect(only(effects, 'plan').parallelism).toEqual({ lines: 1, count: 4, write: 1 });
    expect(loop.state().inFlight).toMatchObject([{ epoch: 5, parallelism: { count: 1 } }]);
    const planned = loop.on({ of: 'planned', base: 'd1', planned: plan(20, 30, only(effects, 'plan').parallelism) });
    expect(loop.state().inFlight).toMatchObject([
      { epoch: 5, parallelism: { count: 1 } },
      { epoch: 6, parallelism: { count: 4 } },
    ]);
    expect(told(planned)).toContainEqual({ event: 'rescaled', epoch: 6, stage: 'count', from: 1, to: 4, why: 'asked for by hand' });
    expect(only(planned, 'chore')).toMatchObject({ chore: 'record-scale', stages: { count: { subtasks: 4, since: { epoch: 6 } } } });
  });

  it('of a sink has the pool widened first, and takes effect when that is recorded', () => {
    const loop = play({ parallelism });
    const asked = loop.on(rescale({ write: 3 }));
    expect(asked).toContainEqual({ do: 'chore', chore: 'widen-pool', parallelism: { lines: 1, count: 1, write: 3 } });
    expect(only(asked, 'plan').parallelism).toMatchObject({ write: 1 });
    const pool = { kafka: { write: { subtasks: 3, places: ['out'] } } };
    const result = { outcome: 'widened-pool', parallelism: { lines: 1, count: 1, write: 3 }, pool } as const;
    loop.on({ of: 'chore', chore: 'widen-pool', result });
    expect(loop.state().tenure.pool).toBe(pool);
    loop.on({ of: 'planned', base: 'four', planned: plan() });
    loop.on({ of: 'stage', attempt: five, stage: 'lines', ms: 10, result: read() });
    expect(only(loop.pass(100), 'plan').parallelism).toMatchObject({ write: 3 });
  });

  it('is taken in once: a stage may have another number since', () => {
    const loop = play({ parallelism });
    loop.on(rescale({ count: 4 }));
    const { scale } = loop.state();
    loop.on(rescale({ count: 4 }));
    expect(loop.state().scale.target).toBe(scale.target);
  });

  it('of a job whose subtasks are plain numbers changes nothing', () => {
    const loop = play();
    loop.on(rescale({ count: 4 }));
    expect(loop.state().scale.target).toEqual({ lines: 1, count: 1, write: 1 });
  });
});
