import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchForStop } from '../../../lib/epoch/start/watch-for-stop.ts';
import type { EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { jobRow } from './job-row.ts';

/** A watch over a row; time passes as the test says. */
function watching(first: JobRow) {
  let row: JobRow | undefined = first;
  let nowMs = 0;
  let wake = () => {};
  const clock = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const atMs = nowMs + ms;
        wake = () => nowMs >= atMs && resolve();
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const epochs = {
    async readJob() {
      if (row === undefined) throw new Error('no answer');
      return row;
    },
  } as Partial<EpochStore> as EpochStore;
  const watch = watchForStop({ epochs, clock }, { job: 'word-count' }, { generation: 6, incarnation: 'inc' }, 4);
  return {
    watch,
    async pass(ms: number, change: Partial<JobRow> | 'no answer' = {}) {
      row = change === 'no answer' ? undefined : jobRow(change);
      for (const untilMs = nowMs + ms; nowMs < untilMs; ) {
        nowMs += 500;
        wake();
        await turn();
      }
      return watch.lasts.aborted;
    },
  };
}

const stopped = { desired: 'stopped', stops: 5 } as const;

test('a stop lasts when the row has asked for it for ten seconds', async () => {
  const { pass, watch } = watching(jobRow({}));
  expect(await pass(30_000)).toBe(false);
  expect(await pass(11_000, stopped)).toBe(false);
  expect(await pass(2_000, stopped)).toBe(true);
  watch.end();
});

test('one that is withdrawn does not, and the next has all its time', async () => {
  const { pass, watch } = watching(jobRow({}));
  expect(await pass(8_000, stopped)).toBe(false);
  expect(await pass(4_000)).toBe(false);
  expect(await pass(10_000, stopped)).toBe(false);
  expect(await pass(4_000, stopped)).toBe(true);
  watch.end();
});

test('one that was asked for before the start is none', async () => {
  const { pass, watch } = watching(jobRow({}));
  expect(await pass(30_000, { ...stopped, stops: 4 })).toBe(false);
  expect(await pass(11_000, stopped)).toBe(false);
  expect(await pass(2_000, stopped)).toBe(true);
  watch.end();
});

test("of a job that is another holder's, or was made anew, nothing is heard", async () => {
  const { pass, watch } = watching(jobRow({}));
  expect(await pass(30_000, { ...stopped, generation: 7 })).toBe(false);
  expect(await pass(30_000, { ...stopped, incarnation: 'anew' })).toBe(false);
  watch.end();
});

test('a row that cannot be read is looked at again, and nothing is looked at when the watch is over', async () => {
  const { pass, watch } = watching(jobRow({}));
  expect(await pass(30_000, 'no answer')).toBe(false);
  watch.end();
  expect(await pass(60_000, stopped)).toBe(false);
});
