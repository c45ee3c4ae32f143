import { describe, expect, test } from 'vitest';
import { sessionWindows, slidingWindows, tumblingWindows } from '../../../lib/api/index.ts';
import { at, epoch, watermark, windows } from './jobs.ts';

const tens = tumblingWindows({ sizeMs: 10 });

describe('late', () => {
  test('is a value whose window is over; by default it is in no window, and in the late output', async () => {
    const job = windows(tens);
    await epoch(job, ...at(5, 9));
    expect(await watermark(job, 9)).toEqual(['[0, 10) 2']);
    expect(await epoch(job, ...at(7))).toEqual([]);
    await watermark(job, 100);
    expect(job.values('write')).toEqual(['[0, 10) 2']);
    expect(job.output('write-late').map(({ value, timestamp }) => [value, timestamp])).toEqual([['late 7', 7]]);
  });

  test('is no value that is behind the watermark while its window is not over', async () => {
    const job = windows(tens);
    await epoch(job, ...at(8));
    await epoch(job, ...at(1));
    expect(await watermark(job, 9)).toEqual(['[0, 10) 2']);
    expect(job.values('write-late')).toEqual([]);
  });

  test('is no value for what came before it in its own epoch: the watermark of the epoch before says what is late', async () => {
    const job = windows(tens);
    expect(await epoch(job, ...at(5, 50, 6))).toEqual(['[0, 10) 2']);
    expect(job.values('write-late')).toEqual([]);
    await epoch(job, ...at(7));
    expect(job.values('write-late')).toEqual(['late 7']);
  });

  test('is a value of a sliding window only where that is over', async () => {
    const job = windows(slidingWindows({ sizeMs: 20, slideMs: 10 }));
    await watermark(job, 19);
    expect(await epoch(job, ...at(15))).toEqual([]);
    expect(await watermark(job, 100)).toEqual(['[10, 30) 1']);
    await epoch(job, ...at(80));
    expect(job.values('write-late')).toEqual(['late 80']);
  });

  test('by less than the allowed lateness is in its window, whose result comes once more, as an update', async () => {
    const job = windows(tens, { allowedLatenessMs: 10 });
    await epoch(job, ...at(5));
    expect(await watermark(job, 9)).toEqual(['[0, 10) 1']);
    expect(await epoch(job, ...at(6, 7))).toEqual(['[0, 10) 3 update']);
    await watermark(job, 18);
    expect(await epoch(job, ...at(8))).toEqual(['[0, 10) 4 update']);
    await watermark(job, 19);
    expect(await epoch(job, ...at(9))).toEqual([]);
    expect(job.values('write-late')).toEqual(['late 9']);
  });

  test('within the allowed lateness of a window without values gives it a result', async () => {
    const job = windows(tens, { allowedLatenessMs: 10 });
    await watermark(job, 15);
    expect(await epoch(job, ...at(5))).toEqual(['[0, 10) 1 update']);
  });

  test('of a session is a value that is in none that is not over', async () => {
    const job = windows(sessionWindows({ gapMs: 10 }));
    await epoch(job, ...at(0, 9));
    await watermark(job, 18);
    expect(await epoch(job, ...at(1))).toEqual([]);
    expect(await watermark(job, 19)).toEqual(['[0, 19) 3']);
    await epoch(job, ...at(2));
    expect(job.values('write-late')).toEqual(['late 2']);
  });

  test('is nothing of which anything stays: a window that is over and past its lateness waits for nothing any more', async () => {
    const job = windows(tens, { allowedLatenessMs: 10 });
    await epoch(job, ...at(5));
    await watermark(job, 9);
    expect(await job.timers('count', 'a')).toEqual({ event: [19], processing: [] });
    await watermark(job, 19);
    expect(await job.timers('count', 'a')).toEqual({ event: [], processing: [] });
  });
});
