import { expect, it } from 'vitest';
import { createRefusals } from '../../../lib/epoch/refusals.ts';

it('what is refused counts when it has lasted for the timeout', () => {
  const refusals = createRefusals(60_000, undefined);
  expect([5_000, 30_000, 64_999, 65_000].map((ms) => refusals.hasLasted('sink', ms))).toEqual([false, false, false, true]);
});

it('one that passed in between is another: the stage did its work, or failed for something else', () => {
  const refusals = createRefusals(60_000, undefined);
  expect(refusals.hasLasted('source', 0)).toBe(false);
  refusals.passed('source');
  expect(refusals.hasLasted('source', 600_000)).toBe(false);
});

it('that another stage does its work says nothing of it', () => {
  const refusals = createRefusals(60_000, undefined);
  expect(refusals.hasLasted('sink', 0)).toBe(false);
  refusals.passed('source');
  expect(refusals.hasLasted('sink', 60_000)).toBe(true);
});

it('a person who starts the job is told at once, until an epoch is decided', () => {
  expect(createRefusals(60_000, 1_000).hasLasted('sink', 1_500)).toBe(true);
  const refusals = createRefusals(60_000, 1_000);
  refusals.decided();
  expect(refusals.hasLasted('sink', 1_500)).toBe(false);
});

it('nobody waits for the first epoch of a job that was started long ago and had no input', () => {
  const refusals = createRefusals(60_000, 1_000);
  expect(refusals.hasLasted('sink', 3 * 86_400_000)).toBe(false);
  expect(refusals.hasLasted('sink', 3 * 86_400_000 + 60_000)).toBe(true);
});

it('with a timeout of 0 one is enough, always', () => {
  const refusals = createRefusals(0, undefined);
  refusals.decided();
  expect(refusals.hasLasted('sink', 7)).toBe(true);
});
