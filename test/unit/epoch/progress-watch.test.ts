import { expect, it } from 'vitest';
import { NO_TROUBLE } from '../../../lib/epoch/failure/after-failure.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { watchProgress } from '../../../lib/epoch/progress/progress-watch.ts';
import type { EpochStore, NoProgress } from '../../../lib/ports/epoch-store.ts';

const WALL = 1_000_000;
const settings = { job: 'job', checkpointIntervalMs: 100, epochTimeoutMs: 20_000 };

/** A watch on a clock of the test's that stands at 500 ms; `refuses`: how many writes to the job row fail first. */
function watched(refuses = 0) {
  let nowMs = 500;
  const events: CoordinatorEvent[] = [];
  const recorded: (NoProgress | undefined)[] = [];
  const slept: number[] = [];
  let wokenTimes = 0;
  const clock = {
    now: () => WALL + nowMs - 500,
    elapsedMs: () => nowMs,
    /** Twice it passes at once, then it has to be ended. */
    sleep: async (ms: number, signal?: AbortSignal) => {
      slept.push(ms);
      if (slept.length <= 2) nowMs += ms;
      else await new Promise((ended) => signal?.addEventListener('abort', ended));
      wokenTimes++;
    },
  };
  const epochs = {
    async recordNoProgress(_job: string, _generation: number, said: NoProgress | undefined) {
      if (refuses-- > 0) throw new Error('throttled');
      recorded.push(said);
    },
  } as unknown as EpochStore;
  const watch = watchProgress({ clock, epochs, observe: (event) => events.push(event) }, settings, 7);
  return {
    watch,
    recorded,
    slept,
    wokenTimes: () => wokenTimes,
    /** What is said after so long, when what was written has been. */
    async after(ms: number, trouble = NO_TROUBLE): Promise<CoordinatorEvent[]> {
      nowMs += ms;
      watch.keep(trouble);
      await new Promise((resolve) => setImmediate(resolve));
      return events.splice(0);
    },
    told: () => events.splice(0),
  };
}

const said = (forMs: number, lastError?: string) => ({ event: 'no-progress', sinceMs: WALL, forMs, failuresInARow: 0, lastError });

it('a job with work to do that makes no progress is said to have none, and again each time the wait has doubled', async () => {
  const { watch, after } = watched();
  watch.begin();
  expect(await after(19_999)).toEqual([]);
  expect(watch.dueAtMs(NO_TROUBLE)).toBe(20_500);
  expect(await after(1)).toEqual([said(20_000)]);
  expect(watch.dueAtMs(NO_TROUBLE)).toBe(40_500);
  watch.begin();
  expect(await after(19_999)).toEqual([]);
  expect(await after(1)).toEqual([said(40_000)]);
});

it('a job without work to do is not said to make no progress', async () => {
  const { watch, after } = watched();
  expect(await after(100_000)).toEqual([]);
  expect(watch.dueAtMs(NO_TROUBLE)).toBe(Number.POSITIVE_INFINITY);
});

it('progress is said only of a job that had none, and the job row forgets it', async () => {
  const { watch, after, told, recorded } = watched();
  watch.begin();
  watch.advance(true);
  expect(told()).toEqual([]);
  await after(20_000);
  expect(recorded).toEqual([{ generation: 7, sinceMs: WALL, failuresInARow: 0, lastError: undefined }]);
  watch.advance(false);
  expect(told()).toEqual([{ event: 'progress-again', afterMs: 20_000 }]);
  // Twice at once: one of them writes.
  watch.keep(NO_TROUBLE);
  expect(await after(0)).toEqual([]);
  expect(recorded).toHaveLength(2);
  expect(recorded[1]).toBeUndefined();
  expect(watch.dueAtMs(NO_TROUBLE)).toBe(Number.POSITIVE_INFINITY);
});

it.each<[CoordinatorEvent, string]>([
  [{ event: 'warning', message: 'read-control: throttled' }, 'read-control: throttled'],
  [{ event: 'waiting', what: 'the store', forMs: 1 }, 'the store'],
  [
    { event: 'doubtful', epoch: 3, names: { id: 'x-0', of: '3' }, resolution: 'asked again' },
    'the commit of x-0, 3 is in doubt: asked again',
  ],
])('what was said to be in the way is named, until there was progress: %j', async (event, lastError) => {
  const { watch, after, told, recorded } = watched();
  watch.begin();
  watch.hear(event);
  expect(await after(20_000)).toEqual([said(20_000, lastError)]);
  expect(recorded).toMatchObject([{ lastError }]);
  watch.advance(true);
  told();
  expect(await after(20_000)).toMatchObject([{ event: 'no-progress', forMs: 20_000, lastError: undefined }]);
});

it('what made an attempt fail is named before what else was in the way', async () => {
  const { watch, after } = watched();
  watch.begin();
  watch.hear({ event: 'warning', message: 'a chore failed' });
  const failures = { ...NO_TROUBLE.failures, inARow: 2 };
  expect(await after(10_000, { ...NO_TROUBLE, failures, lastError: 'it broke' })).toMatchObject([
    { event: 'no-progress', failuresInARow: 2, lastError: 'it broke' },
  ]);
});

it('a write to the job row that fails is said, and tried again', async () => {
  const { watch, after, recorded } = watched(1);
  watch.begin();
  expect(await after(20_000)).toEqual([said(20_000), { event: 'warning', message: 'recording the progress: throttled' }]);
  expect(recorded).toEqual([]);
  expect(await after(1)).toEqual([]);
  expect(recorded).toMatchObject([{ sinceMs: WALL }]);
  await after(1);
  expect(recorded).toHaveLength(1);
});

it('work that has no loop is watched until it ends', async () => {
  const { watch, slept, wokenTimes, told, recorded } = watched();
  const { promise, resolve } = Promise.withResolvers<string>();
  const during = watch.during(promise);
  await new Promise((passed) => setImmediate(passed));
  expect(told()).toEqual([said(20_000), said(40_000)]);
  expect(slept).toEqual([20_000, 20_000, 40_000]);
  resolve('done');
  expect(await during).toBe('done');
  await new Promise((passed) => setImmediate(passed));
  expect(told()).toEqual([{ event: 'progress-again', afterMs: 40_000 }]);
  expect(recorded.at(-1)).toBeUndefined();
  expect([slept.length, wokenTimes()]).toEqual([3, 3]);
  expect(watch.dueAtMs(NO_TROUBLE)).toBe(Number.POSITIVE_INFINITY);
});
