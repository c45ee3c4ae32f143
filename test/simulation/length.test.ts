import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedPerEpoch, grown } from './length/bounds.ts';
import { idleRun, idleYearOf } from './length/idle.ts';
import { LongRun } from './length/long-run.ts';
import { busyRun } from './length/plans.ts';

const HOUR_MS = 3_600_000;

// Traces of errors that are part of the play cost more than the play.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

// The long form is `npm run month`, which also sees the rows of epochs go, a day after them.
describe('a job that runs for long, with restarts, savepoints, failures and other numbers of subtasks', () => {
  it('keeps no more in its last twenty minutes than in its first, at an epoch a second, and asks no more than an epoch needs', async () => {
    const [periods, periodMs] = [3, HOUR_MS / 3];
    const outcome = await new LongRun(busyRun(periods * periodMs, 1_000, periods)).run();
    expect(outcome.epochs).toBeGreaterThan(3_200);
    expect(outcome.failedAttempts).toBeGreaterThan(2);
    expect(outcome.tenures).toBeGreaterThan(periods);
    // But for what is under way in the end.
    expect(outcome.committed).toBeLessThanOrEqual(outcome.expected);
    expect(outcome.committed).toBeGreaterThan(outcome.expected - 20);
    // Rows of retired epochs stay for a day: how many there are is not bounded before.
    const isOfRows = (line: string) => line.startsWith('rows') || line.startsWith('tableBytes');
    // How much waits for collection at most depends on when failures come: 178 to 257 blobs in the periods of two hours, without a trend. What is never
    // collected adds up: of a blob in twenty epochs it would be 120 more by then.
    const found = grown(outcome.samples, [0, periodMs], [(periods - 1) * periodMs, periods * periodMs], 0.5);
    expect(found.filter((line) => !isOfRows(line))).toEqual([]);
    const asked = askedPerEpoch(outcome);
    // A collection each ten seconds: one list of each incarnation, of what came since and what is live.
    expect(asked['lists']).toBeLessThan(0.12);
    expect(asked['listed']).toBeLessThan(20);
    expect(asked['mostListed']).toBeLessThan(400);
    expect(asked['queries']).toBeLessThan(0.35);
    expect(asked['rowsQueried']).toBeLessThan(0.8);
    expect(asked['mostRowsQueried']).toBeLessThan(30);
    expect(asked['rowsRead']).toBeLessThan(1);
  });
});

describe('a job that has no input', () => {
  it.each([1_000, 60_000])('decides nothing and writes its lease alone, whatever its interval: %i ms', async (intervalMs) => {
    const days = 0.25;
    const year = idleYearOf(await new LongRun(idleRun(days, intervalMs, 'stays')).run(), days);
    expect(year).toMatchObject({ epochs: 0, puts: 0 });
  });

  it('that ends while it is idle is looked at by each tick, and lists nothing', async () => {
    const days = 0.25;
    const year = idleYearOf(await new LongRun(idleRun(days, 1_000, 'exits')).run(), days);
    expect(year).toMatchObject({ epochs: 0, puts: 0, lists: 0 });
    expect(year.tenures).toBe(year.ticks);
  });
});
