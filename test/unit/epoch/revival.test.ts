import { describe, expect, it } from 'vitest';
import type { CoordinatorDeps } from '../../../lib/epoch/coordinator/context.ts';
import { awaitTurn } from '../../../lib/epoch/lease/await-turn.ts';
import { reviveOrWait, type Standby } from '../../../lib/epoch/start/revival.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { jobRow } from './job-row.ts';

const NOW = 1_800_000_000_000;
const LEASE_MS = 30_000;

const row = (change: Partial<JobRow> = {}) =>
  jobRow({ holder: 'request a', leaseExpiresAtMs: NOW + 25_000, holderEndsAtMs: NOW + 600_000, ...change });

function outcomeOf(job: JobRow | undefined, standby: Standby = 'none'): string {
  return reviveOrWait(job, NOW, LEASE_MS, standby).outcome;
}

describe('a tick', () => {
  it('starts a job that nobody holds', () => {
    expect(outcomeOf(row({ leaseExpiresAtMs: 0 }))).toBe('starts');
    expect(outcomeOf(row({ leaseExpiresAtMs: NOW }))).toBe('starts');
  });

  it('leaves a job that is held well', () => {
    expect(outcomeOf(row())).toBe('leaves');
    expect(outcomeOf(row({ holderEndsAtMs: undefined }))).toBe('leaves');
    expect(outcomeOf(row({ holderEndsAtMs: NOW + 70_001 }))).toBe('leaves');
  });

  it('waits for a holder that ends before the next tick has come and looked, also when its end is overdue', () => {
    expect(outcomeOf(row({ holderEndsAtMs: NOW + 70_000 }))).toBe('waits');
    expect(outcomeOf(row({ holderEndsAtMs: NOW - 1 }))).toBe('waits');
  });

  it('waits for a lease that was not renewed when it should have been', () => {
    expect(outcomeOf(row({ leaseExpiresAtMs: NOW + 18_001 }))).toBe('leaves');
    expect(outcomeOf(row({ leaseExpiresAtMs: NOW + 17_999 }))).toBe('waits');
  });

  it('waits in any case when a standby is kept (ONCEFLOW_STANDBY)', () => {
    expect(outcomeOf(row(), 'keep')).toBe('waits');
  });

  it.each<[string, JobRow | undefined]>([
    ['that was never started', undefined],
    ['that a person stopped', row({ desired: 'stopped', leaseExpiresAtMs: 0 })],
    ['that a person stopped and that is still held', row({ desired: 'stopped', holderEndsAtMs: NOW })],
    ['that failed', row({ failure: 'no such topic', leaseExpiresAtMs: 0 })],
    ['that failed and is still held', row({ failure: 'no such topic', holderEndsAtMs: NOW })],
  ])('leaves a job %s, whether a standby is kept or not', (_what, job) => {
    expect(outcomeOf(job)).toBe('leaves');
    expect(outcomeOf(job, 'keep')).toBe('leaves');
  });
});

describe('the wait of a tick', () => {
  /** A row that is another one from `NOW + atMs` on. */
  function turnWith(
    timeline: readonly (readonly [atMs: number, job: JobRow])[],
    options: { standby?: Standby; patienceMs?: number; toldAtMs?: number } = {},
  ) {
    let nowMs = NOW;
    const told = new AbortController();
    const said: string[] = [];
    const deps = {
      clock: {
        now: () => nowMs,
        elapsedMs: () => nowMs - NOW,
        sleep: async (ms: number) => {
          nowMs += ms;
          if (nowMs - NOW >= (options.toldAtMs ?? Number.POSITIVE_INFINITY)) told.abort();
        },
      },
      epochs: { readJob: async () => timeline.filter(([atMs]) => NOW + atMs <= nowMs).at(-1)?.[1] },
      observe: ({ event }: { event: string }) => said.push(event),
    } as unknown as CoordinatorDeps;
    const settings = { job: 'word-count', leaseMs: LEASE_MS, standby: options.standby ?? 'none' };
    const turn = awaitTurn(deps, settings, options.patienceMs ?? 800_000, told.signal);
    return turn.then((answer) => ({ ...answer, afterMs: nowMs - NOW, said }));
  }

  const endsSoon = (atMs: number) => row({ leaseExpiresAtMs: NOW + atMs + 25_000, holderEndsAtMs: NOW + 40_000 });

  it('ends within half a second after the holder gave up its lease', async () => {
    const handedOver = row({ leaseExpiresAtMs: 0, holderEndsAtMs: NOW + 40_000 });
    const turn = await turnWith([
      [0, endsSoon(0)],
      [20_000, endsSoon(20_000)],
      [41_200, handedOver],
    ]);
    expect(turn).toEqual({ turn: 'mine', afterMs: 41_500, said: ['stands-by'] });
  });

  it('ends when another one has taken the job', async () => {
    const taken = row({ generation: 7, holder: 'request b', leaseExpiresAtMs: NOW + 31_000, holderEndsAtMs: NOW + 900_000 });
    expect(
      await turnWith([
        [0, endsSoon(0)],
        [1_000, taken],
      ]),
    ).toMatchObject({ turn: 'not-needed', afterMs: 1_000 });
  });

  it('ends when a lease that seemed forgotten is renewed', async () => {
    const late = row({ leaseExpiresAtMs: NOW + 15_000 });
    expect(
      await turnWith([
        [0, late],
        [4_000, row({ leaseExpiresAtMs: NOW + 34_000 })],
      ]),
    ).toMatchObject({ turn: 'not-needed', afterMs: 4_000 });
  });

  it('takes over from a holder that crashed, when its lease has run out', async () => {
    expect(await turnWith([[0, row({ leaseExpiresAtMs: NOW + 15_000 })]])).toMatchObject({ turn: 'mine', afterMs: 15_000 });
  });

  it('is over at once when its function is told to end, though the store answers', async () => {
    const turn = await turnWith([[0, endsSoon(0)]], { toldAtMs: 2_000 });
    expect(turn).toMatchObject({ turn: 'not-needed', message: expect.stringContaining('was told to end'), afterMs: 2_000 });
  });

  it('is over before the time of its own function is', async () => {
    const turn = await turnWith([[0, endsSoon(0)]], { patienceMs: 10_000 });
    expect(turn).toMatchObject({ turn: 'not-needed', message: expect.stringContaining('the next tick goes on') });
    expect(turn.afterMs).toBeLessThan(10_000);
  });

  it('is not needed for a job that failed, and says so each time, unless a person has stopped the job', async () => {
    const failed = { leaseExpiresAtMs: 0, failure: 'topic lines is gone' } as const;
    expect(await turnWith([[0, row(failed)]])).toMatchObject({ turn: 'not-needed', said: ['still-failed'] });
    expect(await turnWith([[0, row({ ...failed, desired: 'stopped' })]])).toMatchObject({ turn: 'not-needed', said: ['left-alone'] });
    expect(await turnWith([[0, row({ leaseExpiresAtMs: NOW + 29_000 })]])).toMatchObject({ turn: 'not-needed', said: ['left-alone'] });
  });

  it('of a standby lasts until the next tick stands by', async () => {
    const held = Array.from({ length: 10 }, (_, i) => [i * 10_000, row({ leaseExpiresAtMs: NOW + i * 10_000 + 30_000 })] as const);
    const turn = await turnWith(held, { standby: 'keep' });
    expect(turn).toMatchObject({ turn: 'not-needed' });
    expect(turn.afterMs).toBeGreaterThan(62_000);
    expect(turn.afterMs).toBeLessThan(66_000);
  });
});
