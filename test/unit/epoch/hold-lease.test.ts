import { expect, it } from 'vitest';
import { SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import { holdLease } from '../../../lib/epoch/lease/hold-lease.ts';
import type { FencedWrite, UnderWay } from '../../../lib/ports/epoch-store.ts';
import { Scheduler } from '../../simulation/kernel/scheduler.ts';

const LEASE_MS = 9_000;
const settings = { job: 'word-count', leaseMs: LEASE_MS };

/** A holder on virtual time. `renewals` are the times of its writes. */
function underTest(
  answer: (renewal: number) => FencedWrite | 'fails',
  { takenMs = 0, beganMs = 0, answersInMs = 10, leaseMs = LEASE_MS } = {},
) {
  const scheduler = new Scheduler();
  scheduler.nowMs = beganMs;
  const renewals: { atMs: number; expiresAtMs: number; underWay?: UnderWay | undefined }[] = [];
  const warnings: string[] = [];
  const after = (ms: number) => new Promise<void>((resolve) => void scheduler.after(ms, undefined, resolve));
  const deps = {
    clock: {
      now: () => 1_000_000 + scheduler.nowMs,
      elapsedMs: () => scheduler.nowMs,
      sleep: (ms: number, signal?: AbortSignal) => {
        const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
        return Promise.race([after(ms), aborted]);
      },
    },
    epochs: {
      renewLease: async (_job: string, _generation: number, expiresAtMs: number, underWay?: UnderWay): Promise<FencedWrite> => {
        renewals.push({ atMs: scheduler.nowMs, expiresAtMs, underWay });
        const said = answer(renewals.length);
        await after(answersInMs);
        if (said === 'fails') throw new Error('the table is away');
        return said;
      },
    },
    observe: (event: { event: string; message?: string }) => warnings.push(event.message ?? event.event),
  };
  const lease = holdLease(deps as Parameters<typeof holdLease>[0], { ...settings, leaseMs }, 7, takenMs);
  const until = (untilMs: number) => scheduler.run(() => false, { untilMs, events: 1_000 });
  return { lease, renewals, warnings, until, scheduler };
}

it('a lease is renewed each third of its time, for the whole of it', async () => {
  const { renewals, until } = underTest(() => 'written');
  await until(10_000);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([3_000, 6_000, 9_000]);
  expect(renewals[0]?.expiresAtMs).toBe(1_000_000 + 3_000 + LEASE_MS);
});

it('each renewal says what is under way then', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written');
  scheduler.after(4_000, undefined, () => lease.says(() => ({ generation: 7, atMs: scheduler.nowMs, attempts: [], failed: [] })));
  await until(10_000);
  expect(renewals.map(({ underWay }) => underWay?.atMs)).toEqual([undefined, 6_000, 9_000]);
});

it('news are said by a renewal of their own, once, three seconds behind the last renewal or decision', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written', { leaseMs: 30_000 });
  const says = (atMs: number, news: string | undefined) => scheduler.after(atMs, undefined, () => lease.hasNews(news));
  scheduler.after(2_000, undefined, () => lease.renewed(2_000));
  for (const atMs of [2_500, 4_900, 5_100, 7_000, 9_000]) says(atMs, 'd1 working');
  says(9_500, undefined);
  says(10_000, 'd2 working');
  await until(19_000);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([5_100, 10_000]);
  await until(20_500);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([5_100, 10_000, 20_000]);
});

it('what a renewal that was due has said is no news any more', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written');
  for (const atMs of [2_000, 6_500]) scheduler.after(atMs, undefined, () => lease.hasNews('d1 working'));
  await until(8_900);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([3_000, 6_000]);
});

it('a decision that has just renewed it spares a write', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written');
  scheduler.after(2_000, undefined, () => lease.renewed(2_000));
  await until(5_500);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([5_000]);
});

it('a decision that was made long after it was begun, and set the lease back to what it was then, has it renewed at once', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written');
  scheduler.after(4_000, undefined, () => lease.renewed(500));
  await until(8_000);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([3_000, 4_000, 7_000]);
});

it('a lease that took long to take is renewed at once: its end was computed before', async () => {
  const { renewals, until } = underTest(() => 'written', { takenMs: 0, beganMs: 20_000 });
  await until(20_100);
  expect(renewals.map(({ atMs }) => atMs)).toEqual([20_000]);
});

it('a renewal that fails is said, and tried again', async () => {
  const { lease, renewals, warnings, until } = underTest((nth) => (nth === 1 ? 'fails' : 'written'));
  await until(6_100);
  expect(renewals).toHaveLength(2);
  expect(warnings).toEqual(['renewing the lease: the table is away']);
  expect(lease.lost.aborted).toBe(false);
});

it('a lease that another generation has is lost, and renewed no more', async () => {
  const { lease, renewals, until } = underTest(() => 'superseded');
  await until(20_000);
  expect(lease.lost.reason).toBeInstanceOf(SupersededError);
  expect(renewals).toHaveLength(1);
});

it('a lease that is to be given up is given up after the renewal under way, which would take it back', async () => {
  const { lease, renewals, until, scheduler } = underTest(() => 'written', { answersInMs: 500 });
  let endedMs = 0;
  scheduler.after(3_100, undefined, () => void lease.end().then(() => (endedMs = scheduler.nowMs)));
  await until(20_000);
  expect(renewals).toHaveLength(1);
  expect(endedMs).toBe(3_500);
});
