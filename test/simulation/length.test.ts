import { describe, expect, it } from 'vitest';
import { askedPerEpoch, grown } from './length/bounds.ts';
import { idleRun, idleYearOf } from './length/idle.ts';
import { LongRun } from './length/long-run.ts';
import { busyRun } from './length/plans.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

// The long form is `npm run month`.
describe('a job that runs for long, with restarts, savepoints, starts from them, failures and other numbers of subtasks', () => {
  it('keeps no more in its last hours than in its first, at an epoch a second, and asks for no more than an epoch needs', async () => {
    const hours = 3;
    const outcome = await new LongRun(busyRun(hours * HOUR_MS, 1_000, hours)).run();
    expect(outcome.epochs).toBeGreaterThan(hours * 3_000);
    expect(outcome.failedAttempts).toBeGreaterThan(5);
    expect(outcome.tenures).toBeGreaterThan(hours * 6);
    // Rows of retired epochs stay for a day: how many there are is not bounded before.
    const isOfRows = (line: string) => line.startsWith('rows') || line.startsWith('tableBytes');
    expect(grown(outcome.samples, [0, HOUR_MS], [(hours - 1) * HOUR_MS, hours * HOUR_MS]).filter((line) => !isOfRows(line))).toEqual([]);
    const asked = askedPerEpoch(outcome);
    expect(asked).toMatchObject(Object.fromEntries(Object.keys(asked).map((what) => [what, expect.any(Number)])));
  });

  it('keeps no more on its fourth day than on its second, at an epoch each minute: rows of epochs go after a day', async () => {
    const days = 4;
    const outcome = await new LongRun(busyRun(days * DAY_MS, 60_000, days)).run();
    expect(outcome.epochs).toBeGreaterThan(days * 1_300);
    expect(grown(outcome.samples, [DAY_MS, 2 * DAY_MS], [(days - 1) * DAY_MS, days * DAY_MS])).toEqual([]);
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
