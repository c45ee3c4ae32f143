import { describe, expect, it } from 'vitest';
import type { Time } from '../../../lib/protocol/event-time.ts';
import { isAnyDue, isTimeDue, timeDueAtMs } from '../../../lib/time/due.ts';
import type { InputEnds } from '../../../lib/time/input-ends.ts';
import { positionAt, sourceTime, twoSources } from './plans.ts';

const time: Time = {
  processingMs: 1_000,
  sources: { a: sourceTime('a', [50, 700], [40, 900]), b: sourceTime('b', [30, 800]) },
  stages: { 'of-a': 40, 'of-both': 30 },
};

describe('what waits in a snapshot is due', () => {
  it('when the watermark of its stage, or the processing time, has come to it, and not before', () => {
    const due = (eventMs: number | undefined, processingMs?: number) =>
      positionAt(time, { 'of-a': { eventMs, processingMs } }).state['of-a'] ?? [];
    expect(isAnyDue(due(40), { afterMs: 40, processingMs: 0 })).toBe(true);
    expect(isAnyDue(due(41), { afterMs: 40, processingMs: 99 })).toBe(false);
    expect(isAnyDue(due(41), { afterMs: undefined, processingMs: 99 })).toBe(false);
    expect(isAnyDue(due(undefined, 99), { afterMs: 40, processingMs: 99 })).toBe(true);
    expect(isAnyDue(due(undefined, 100), { afterMs: 100, processingMs: 99 })).toBe(false);
  });
});

describe('an epoch without input', () => {
  it('is never due when nothing waits, though watermarks would move', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    expect(isTimeDue(positionAt(time), plan, 1e9)).toBe(false);
    expect(timeDueAtMs(positionAt(time), plan)).toBeUndefined();
  });

  it('is due when the earliest timer of processing time is', () => {
    const position = positionAt(time, { 'of-a': { processingMs: 5_000 }, 'of-both': { processingMs: 4_000 } });
    expect(timeDueAtMs(position, twoSources())).toBe(4_000);
    expect(isTimeDue(position, twoSources(), 3_999)).toBe(false);
    expect(isTimeDue(position, twoSources(), 4_000)).toBe(true);
  });

  it('is due when a partition becomes idle that held back what waits', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    const position = positionAt(time, { 'of-a': { eventMs: 45 } });
    // At 1,200 the first partition is idle, which helps nothing; at 1,400 all are, and the largest watermark counts.
    expect(timeDueAtMs(position, plan)).toBe(1_400);
    expect(isTimeDue(position, plan, 1_399)).toBe(false);
    expect(isTimeDue(position, plan, 1_400)).toBe(true);
  });

  it('is never due when what waits waits for records', () => {
    expect(timeDueAtMs(positionAt(time, { 'of-a': { eventMs: 45 } }), twoSources())).toBeUndefined();
    expect(timeDueAtMs(positionAt(time, { 'of-a': { eventMs: 51 } }), twoSources({ idleAfterMs: 500 }))).toBeUndefined();
  });

  it('is due at once when what waits is held back by a partition that no epoch knows yet, which would never be idle', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    const unknown: Time = { ...time, sources: { ...time.sources, a: { ...time.sources['a'], partitions: {} } } };
    const position = { ...positionAt(time, { 'of-a': { eventMs: 45 } }), time: unknown };
    expect(isTimeDue(position, plan, 1_000)).toBe(true);
    expect(timeDueAtMs(position, plan)).toBe(1_000);
    // One that never becomes idle is waited for as long as it takes; and what waits for another source does not wait for it.
    expect(isTimeDue(position, twoSources(), 1e9)).toBe(false);
    expect(isTimeDue({ ...positionAt(time), time: unknown }, plan, 1_000)).toBe(false);
  });

  it('is due when the watermark moves for which input is held, and nothing else waits', () => {
    const plan = twoSources({ idleAfterMs: 500, alignWithinMs: 5 });
    const held: InputEnds = new Map([['a', new Map([[0, 1]])]]);
    // At 1,400 the second partition, which has no input, is idle; the first is not.
    expect(isTimeDue(positionAt(time), plan, 1_399, held)).toBe(false);
    expect(isTimeDue(positionAt(time), plan, 1_400, held)).toBe(true);
    expect(isTimeDue(positionAt(time), plan, 1_400)).toBe(false);
    expect(timeDueAtMs(positionAt(time), plan, held)).toBe(1_400);
    expect(timeDueAtMs(positionAt(time), twoSources({ alignWithinMs: 5 }), held)).toBeUndefined();
  });

  it('is due as well where processing time was ahead of the clock', () => {
    expect(isTimeDue(positionAt(time, { 'of-a': { processingMs: 1_000 } }), twoSources(), 10)).toBe(true);
  });
});
