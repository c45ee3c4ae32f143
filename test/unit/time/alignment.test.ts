import { expect, it } from 'vitest';
import type { Time } from '../../../lib/protocol/event-time.ts';
import { readUpTo, withoutHeld } from '../../../lib/time/alignment.ts';
import { sourceTime, twoSources } from './plans.ts';

const time: Time = {
  processingMs: 1_000,
  sources: { a: sourceTime('a', [500, 1], [40, 1], [undefined, 1]), b: sourceTime('b', [30, 1]) },
  stages: { 'of-a': 40, 'of-both': 30 },
};
const [source] = twoSources({ alignWithinMs: 100 }).stages;
const range = (partition: number) => ({ topic: 'topic-a', partition, from: 0, bound: 9 });

it('a source is read as far ahead of the slowest stage behind it as it says', () => {
  const plan = twoSources({ alignWithinMs: 100 });
  if (source?.kind !== 'source') throw new Error('no source');
  expect(readUpTo(source, time, plan)).toBe(130);
  expect(readUpTo({ ...source, eventTime: {} }, time, plan)).toBeUndefined();
  expect(readUpTo(source, { ...time, stages: { 'of-a': 40 } }, plan)).toBeUndefined();
});

it('what is further ahead already waits; the slowest, and what has no watermark yet, never does', () => {
  const ranges = { a: [[range(0), range(1)], [range(2)]], b: [[range(0)]] };
  const plan = twoSources({ alignWithinMs: 100 });
  expect(withoutHeld(ranges, time, plan)).toEqual({ a: [[range(1)], [range(2)]], b: [[range(0)]] });
  expect(withoutHeld(ranges, time, twoSources())).toBe(ranges);
});
