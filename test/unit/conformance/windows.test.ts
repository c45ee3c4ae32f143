import { describe, expect, test } from 'vitest';
import { cumulatingWindows, sessionWindows, slidingWindows, tumblingWindows } from '../../../lib/api/index.ts';
import { at, epoch, watermark, windows } from './jobs.ts';

describe('windows', () => {
  test('hold their start and not their end', async () => {
    const job = windows(tumblingWindows({ sizeMs: 10 }));
    await epoch(job, ...at(0, 9, 10, 19, 20));
    expect(await watermark(job, 100)).toEqual(['[0, 10) 2', '[10, 20) 2', '[20, 30) 1'].slice(-1));
    expect(job.values('write')).toEqual(['[0, 10) 2', '[10, 20) 2', '[20, 30) 1']);
  });

  test('give their result when the watermark has come to their last millisecond, with that for a timestamp', async () => {
    const job = windows(tumblingWindows({ sizeMs: 10 }));
    await epoch(job, ...at(5));
    expect(await watermark(job, 8)).toEqual([]);
    expect(await watermark(job, 9)).toEqual(['[0, 10) 1']);
    expect(job.output('write')[0]?.timestamp).toBe(9);
  });

  test('lie at multiples of their size since 1970, and before', async () => {
    const job = windows(tumblingWindows({ sizeMs: 10 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(-1, -10, -11, 0));
    expect(await watermark(job, 100)).toEqual(['[-20, -10) 1', '[-10, 0) 2', '[0, 10) 1']);
  });

  test('lie at an offset, also before 1970 and also a negative one', async () => {
    const later = windows(tumblingWindows({ sizeMs: 10, offsetMs: 3 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(later, ...at(-8, 2, 3));
    expect(await watermark(later, 100)).toEqual(['[-17, -7) 1', '[-7, 3) 1', '[3, 13) 1']);
    const earlier = windows(tumblingWindows({ sizeMs: 10, offsetMs: -3 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(earlier, ...at(-4, -3, 6, 7));
    expect(await watermark(earlier, 100)).toEqual(['[-13, -3) 1', '[-3, 7) 2', '[7, 17) 1']);
  });

  test('without values give nothing', async () => {
    const job = windows(tumblingWindows({ sizeMs: 10 }));
    await epoch(job, ...at(5, 95));
    expect(await watermark(job, 1_000)).toEqual(['[90, 100) 1']);
    expect(job.values('write')).toEqual(['[0, 10) 1', '[90, 100) 1']);
  });

  test('are of each key by itself', async () => {
    const job = windows(tumblingWindows({ sizeMs: 10 }), {}, { parallelism: 2 });
    await epoch(job, { key: 'a', at: 1 }, { key: 'b', at: 2 }, { key: 'a', at: 3 });
    expect((await watermark(job, 9)).toSorted()).toEqual(['[0, 10) 1', '[0, 10) 2']);
  });

  test('that slide hold a value in all that lie over its time, also before 1970', async () => {
    const job = windows(slidingWindows({ sizeMs: 20, slideMs: 10 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(-5, 10));
    expect(await watermark(job, 100)).toEqual(['[-20, 0) 1', '[-10, 10) 1', '[0, 20) 1', '[10, 30) 1']);
  });

  test('that slide by what is no divisor of their size hold a value in more or fewer', async () => {
    const job = windows(slidingWindows({ sizeMs: 25, slideMs: 10 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(24));
    expect(await watermark(job, 100)).toEqual(['[0, 25) 1', '[10, 35) 1', '[20, 45) 1']);
    await epoch(job, ...at(228));
    expect(await watermark(job, 1_000)).toEqual(['[210, 235) 1', '[220, 245) 1']);
  });

  test('that cumulate grow by a step up to their size, and then begin anew', async () => {
    const job = windows(cumulatingWindows({ maxSizeMs: 30, stepMs: 10 }), { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(-1, 5, 15));
    expect(await watermark(job, 100)).toEqual(['[-30, 0) 1', '[0, 10) 1', '[0, 20) 2', '[0, 30) 2']);
  });

  test('of processing time are of that of the epoch, and give their result when it is over', async () => {
    const job = windows(tumblingWindows({ sizeMs: 1_000 }), { time: 'processing-time' });
    await epoch(job, ...at(77_777));
    await job.advanceProcessingTime({ toMs: 999 });
    await epoch(job, ...at(-5));
    expect(job.values('write')).toEqual([]);
    await job.advanceProcessingTime({ toMs: 1_000 });
    expect(job.values('write')).toEqual(['[0, 1000) 2']);
  });

  test('give early results of what has changed, by processing time, until they are over', async () => {
    const job = windows(tumblingWindows({ sizeMs: 100 }), { earlyEveryMs: 50 });
    await epoch(job, ...at(1));
    await job.advanceProcessingTime({ toMs: 200 });
    await epoch(job, ...at(2));
    await job.advanceProcessingTime({ toMs: 300 });
    await watermark(job, 99);
    await job.advanceProcessingTime({ toMs: 400 });
    expect(job.values('write')).toEqual(['[0, 100) 1 early', '[0, 100) 2 early', '[0, 100) 2']);
  });
});

describe('sessions', () => {
  const tens = sessionWindows({ gapMs: 10 });

  test('take in a value that is exactly the gap away, on either side, and no further one', async () => {
    const job = windows(tens, { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(20, 30, 10, 41, -1));
    expect(await watermark(job, 200)).toEqual(['[-1, 9) 1', '[10, 40) 3', '[41, 51) 1']);
  });

  test('begin at their first value and end the gap behind their last', async () => {
    const job = windows(tens);
    await epoch(job, ...at(3, 7));
    expect(await watermark(job, 100)).toEqual(['[3, 17) 2']);
  });

  test('that a value brings together become one, also when they came in different epochs', async () => {
    const job = windows(tens, { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(0, 20));
    await epoch(job, ...at(40));
    await epoch(job, ...at(10));
    expect(await watermark(job, 200)).toEqual(['[0, 30) 3', '[40, 50) 1']);
  });

  test('wait until no value can come that is exactly the gap behind their last', async () => {
    const job = windows(tens);
    await epoch(job, ...at(0));
    expect(await watermark(job, 9)).toEqual([]);
    expect(await watermark(job, 10)).toEqual(['[0, 10) 1']);
    expect(job.output('write')[0]?.timestamp).toBe(10);
  });

  test('that were over are open again within the allowed lateness, and give an update', async () => {
    const job = windows(tens, { allowedLatenessMs: 20 });
    await epoch(job, ...at(0));
    expect(await watermark(job, 12)).toEqual(['[0, 10) 1']);
    await epoch(job, ...at(8));
    expect(await watermark(job, 18)).toEqual(['[0, 18) 2 update']);
  });

  test('are the same before 1970', async () => {
    const job = windows(tens, { strategy: { maxOutOfOrdernessMs: 100 } });
    await epoch(job, ...at(-100, -95, -50));
    expect(await watermark(job, 0)).toEqual(['[-100, -85) 2', '[-50, -40) 1']);
  });
});
