import { describe, expect, it } from 'vitest';
import type { PartitionSeen, Time } from '../../../lib/protocol/event-time.ts';
import { timeAfter } from '../../../lib/time/watermarks.ts';
import { sourceTime, twoSources } from './plans.ts';

type Seen = Readonly<Record<string, Readonly<Record<number, number | undefined>>>>;

/** By source, then partition, the watermark that its records gave. Each topic has two partitions, that of `b` one. */
function epochAfter(before: Time | undefined, processingMs: number, seen: Seen, plan = twoSources(), more: readonly number[] = []): Time {
  const seenOf = (source: string): PartitionSeen[] =>
    Object.entries(seen[source] ?? {}).map(([partition, watermarkMs]) => ({
      topic: `topic-${source}`,
      partition: Number(partition),
      watermarkMs,
    }));
  return timeAfter(
    before,
    { processingMs, partitions: ({ id }) => (id === 'a' ? 2 : 1), seen: seenOf, hasMore: ({ id }, at) => id === 'a' && more.includes(at) },
    plan,
  );
}

describe('the watermark of a stage', () => {
  it('is the least of the partitions and sources that lead to it', () => {
    const time = epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 }, b: { 0: 30 } });
    expect(time).toEqual({
      processingMs: 1_000,
      sources: {
        a: { watermarkMs: 40, ...sourceTime('a', [50, 1_000], [40, 1_000]) },
        b: { watermarkMs: 30, ...sourceTime('b', [30, 1_000]) },
      },
      stages: { 'of-a': 40, 'of-both': 30 },
    });
  });

  it('is none as long as a partition has brought nothing, or nothing that gives one', () => {
    expect(epochAfter(undefined, 1_000, { a: { 0: 50 }, b: { 0: 30 } }).stages).toEqual({});
    expect(epochAfter(undefined, 1_000, { a: { 0: 50, 1: undefined } }).stages).toEqual({});
  });

  it('is none behind a source without event time', () => {
    const plan = twoSources({}, undefined);
    const withoutB = { ...plan, stages: plan.stages.map((stage) => (stage.id === 'b' ? { ...stage, eventTime: undefined } : stage)) };
    expect(epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 } }, withoutB).stages).toEqual({ 'of-a': 40 });
  });

  it('never goes back, nor does that of a partition or processing time', () => {
    const before = epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 }, b: { 0: 30 } });
    const time = epochAfter(before, 900, { a: { 0: 10, 1: 60 } });
    expect(time.processingMs).toBe(1_000);
    expect(time.sources['a']?.partitions['topic-a']?.map(({ watermarkMs }) => watermarkMs)).toEqual([50, 60]);
    expect(time.stages).toEqual({ 'of-a': 50, 'of-both': 30 });
  });

  it('is not held back any more by a partition that is idle, until it wakes', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    const first = epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 }, b: { 0: 90 } }, plan);
    const notYet = epochAfter(first, 1_499, { a: { 0: 60 } }, plan);
    expect(notYet.stages['of-a']).toBe(40);
    const idle = epochAfter(notYet, 1_500, { a: { 0: 70 } }, plan);
    expect(idle.stages).toEqual({ 'of-a': 70, 'of-both': 70 });
    const awake = epochAfter(idle, 1_600, { a: { 0: 99, 1: 80 } }, plan);
    expect(awake.stages['of-a']).toBe(80);
  });

  it('is held back by a partition that has more to read, however long it brings nothing', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    const first = epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 } }, plan);
    const unread = epochAfter(first, 9_000, { a: { 0: 60 } }, plan, [1]);
    expect(unread.stages['of-a']).toBe(40);
    // Its idle time begins when there is nothing more.
    expect(epochAfter(unread, 9_499, { a: { 0: 70 } }, plan).stages['of-a']).toBe(40);
    expect(epochAfter(unread, 9_500, { a: { 0: 70 } }, plan).stages['of-a']).toBe(70);
  });

  it('is the largest when all are idle, and a source whose partitions all are holds back no other', () => {
    const plan = twoSources({ idleAfterMs: 500 }, { idleAfterMs: 500 });
    const first = epochAfter(undefined, 1_000, { a: { 0: 50, 1: 40 }, b: { 0: 30 } }, plan);
    const allIdle = epochAfter(first, 1_500, {}, plan);
    expect(allIdle.stages).toEqual({ 'of-a': 50, 'of-both': 50 });
    const bIdle = epochAfter(first, 1_500, { a: { 0: 60, 1: 70 } }, plan);
    expect(bIdle.stages).toEqual({ 'of-a': 60, 'of-both': 60 });
  });

  it('is held back by a partition that is new, from when it is known: until it has a record, or is idle', () => {
    const plan = twoSources({ idleAfterMs: 500 });
    const known: Time = {
      processingMs: 1_000,
      sources: { a: { watermarkMs: 50, ...sourceTime('a', [50, 1_000]) } },
      stages: { 'of-a': 50 },
    };
    const grown = epochAfter(known, 2_000, { a: { 0: 80 } }, plan);
    expect(grown.stages['of-a']).toBe(50);
    expect(grown.sources['a']?.partitions['topic-a']?.[1]).toEqual({ activeMs: 2_000 });
    expect(epochAfter(grown, 2_100, { a: { 1: 70 } }, plan).stages['of-a']).toBe(70);
    expect(epochAfter(grown, 2_500, { a: { 0: 81 } }, plan).stages['of-a']).toBe(81);
  });

  it('is not held back by a partition that is gone', () => {
    const known: Time = { processingMs: 1, sources: { a: sourceTime('a', [50, 1], [60, 1], [5, 1]) }, stages: {} };
    expect(epochAfter(known, 2, {}).stages['of-a']).toBe(50);
  });
});
