import { expect, it } from 'vitest';
import { backoffMs, idlePollMs } from '../../../lib/epoch/failure/backoff.ts';

it('the pause after failures doubles up to its longest, and a part of it is at random', () => {
  const pauses = (fraction: number) => [1, 2, 3, 4, 5, 60].map((failures) => backoffMs(failures, 100, 1_000, fraction));
  expect(pauses(1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  const least = pauses(0);
  for (const [index, most] of pauses(1).entries()) {
    expect(least[index]).toBeLessThan(most);
    expect(least[index]).toBeGreaterThanOrEqual(most * 0.8);
  }
});

it('looks for input begin at the checkpoint interval and grow by a quarter, up to the longest pause', () => {
  expect([0, 1, 2, 3].map((looks) => idlePollMs(looks, 400, 10_000))).toEqual([400, 500, 625, 781]);
  expect(idlePollMs(50, 400, 10_000)).toBe(10_000);
  expect(idlePollMs(1_000_000, 400, 10_000)).toBe(10_000);
});

it('a job with a long checkpoint interval is looked at each second at first', () => {
  expect(idlePollMs(0, 60_000, 10_000)).toBe(1_000);
  expect(idlePollMs(0, 60_000, 300)).toBe(300);
});
