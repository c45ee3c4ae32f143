import { expect, it } from 'vitest';
import type { Timing } from '../../../lib/ports/clock.ts';
import type { KafkaAnswer } from '../../../lib/ports/kafka-requests.ts';
import { retriedAnswer } from '../../../lib/ports/retry.ts';

/** A clock that only pauses move, and randomness that always says `fraction`. Returns what is slept. */
function timingWith(fraction: number): Timing & { readonly slept: number[] } {
  const slept: number[] = [];
  let nowMs = 0;
  const clock = {
    now: () => 0,
    elapsedMs: () => nowMs,
    sleep: async (ms: number) => {
      slept.push(ms);
      nowMs += ms;
    },
  };
  return { clock, random: { id: () => '', fraction: () => fraction }, slept };
}

const busy = async (): Promise<KafkaAnswer> => 'CONCURRENT_TRANSACTIONS';

it('a request that a transaction in progress refuses is repeated with growing pauses of at most 200 ms until its deadline', async () => {
  const timing = timingWith(0.999);
  expect(await retriedAnswer({ ...timing, deadlineMs: 2_000 }, busy)).toBe('CONCURRENT_TRANSACTIONS');
  expect(timing.slept[0]).toBe(2);
  expect(timing.slept).toEqual(timing.slept.toSorted((a, b) => a - b));
  expect(timing.slept.at(-1)).toBe(200);
  expect(timing.clock.elapsedMs()).toBeGreaterThan(1_700);
  expect(timing.clock.elapsedMs()).toBeLessThan(2_000);
});

it('those that are refused together do not return together', async () => {
  const [early, late] = [timingWith(0), timingWith(0.999)];
  await Promise.all([early, late].map((timing) => retriedAnswer({ ...timing, deadlineMs: 2_000 }, busy)));
  expect(early.slept.at(-1)).toBe(160);
  expect(late.slept.at(-1)).toBe(200);
});

it('any other answer is returned at once', async () => {
  const timing = timingWith(0);
  expect(await retriedAnswer({ ...timing, deadlineMs: 2_000 }, async () => 'INVALID_PRODUCER_EPOCH')).toBe('INVALID_PRODUCER_EPOCH');
  expect(timing.slept).toEqual([]);
});
