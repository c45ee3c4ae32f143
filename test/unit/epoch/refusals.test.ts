import { expect, it } from 'vitest';
import { afterPassed, afterRefused, NO_REFUSALS, noRefusals, type Refusals } from '../../../lib/epoch/failure/refusals.ts';

/** Of each refusal, at these times, whether it has lasted. */
function lasting(from: Refusals, stage: string, timeoutMs: number, ...atMs: number[]): boolean[] {
  let refusals = from;
  return atMs.map((nowMs) => {
    const after = afterRefused(refusals, stage, nowMs, timeoutMs);
    refusals = after.refusals;
    return after.hasLasted;
  });
}

const refusedAt0 = (stage: string) => afterRefused(NO_REFUSALS, stage, 0, 60_000).refusals;

it('what is refused counts when it has lasted for the timeout', () => {
  expect(lasting(NO_REFUSALS, 'sink', 60_000, 5_000, 30_000, 64_999, 65_000)).toEqual([false, false, false, true]);
});

it('one that passed in between is another: the stage did its work, or failed for something else', () => {
  expect(lasting(afterPassed(refusedAt0('source'), 'source'), 'source', 60_000, 600_000)).toEqual([false]);
});

it('that another stage does its work says nothing of it', () => {
  expect(lasting(afterPassed(refusedAt0('sink'), 'source'), 'sink', 60_000, 60_000)).toEqual([true]);
});

it('a person who starts the job is told at once, and a revival does not', () => {
  expect(lasting(noRefusals(60_000, 1_000), 'sink', 60_000, 1_500)).toEqual([true]);
  expect(lasting(noRefusals(60_000, undefined), 'sink', 60_000, 1_500)).toEqual([false]);
});

it('nobody waits for the first epoch of a job that was started long ago and had no input', () => {
  const days = 3 * 86_400_000;
  expect(lasting(noRefusals(60_000, 1_000), 'sink', 60_000, days, days + 60_000)).toEqual([false, true]);
});

it('with a timeout of 0 one is enough, always', () => {
  expect(lasting(NO_REFUSALS, 'sink', 0, 7)).toEqual([true]);
});
