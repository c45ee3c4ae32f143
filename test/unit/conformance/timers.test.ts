import { describe, expect, test } from 'vitest';
import { epoch, timers, watermark } from './jobs.ts';

describe('timers', () => {
  test('of event time fire when the watermark has come to their time, and not a millisecond sooner', async () => {
    const job = timers();
    await epoch(job, { set: [100] });
    expect(await watermark(job, 99)).toEqual([]);
    expect(await watermark(job, 100)).toEqual(['a event 100, 1']);
  });

  test('of processing time fire when the processing time has come to their time, and not a millisecond sooner', async () => {
    const job = timers();
    await epoch(job, { setProcessing: [100] });
    expect(await job.advanceProcessingTime({ toMs: 99 })).toEqual([]);
    expect(await job.advanceProcessingTime({ toMs: 100 })).toHaveLength(1);
    expect(job.values('write')).toEqual(['a processing 100, 1']);
  });

  test('set twice for one key and time fire once', async () => {
    const job = timers();
    await epoch(job, { set: [10, 10] }, { set: [10] });
    await epoch(job, { set: [10] });
    expect(await job.timers('time', 'a')).toEqual({ event: [10], processing: [] });
    expect(await watermark(job, 50)).toEqual(['a event 10, 1']);
    job.restore();
    expect(await watermark(job, 60)).toEqual([]);
  });

  test('of one time in both domains are two', async () => {
    const job = timers();
    await epoch(job, { set: [10], setProcessing: [10] });
    expect(await watermark(job, 10)).toEqual(['a event 10, 1']);
    await job.advanceProcessingTime({ toMs: 10 });
    expect(job.values('write')).toEqual(['a event 10, 1', 'a processing 10, 2']);
  });

  test('of two keys at one time are two', async () => {
    const job = timers();
    await epoch(job, { key: 'a', set: [10] }, { key: 'b', set: [10] });
    expect((await watermark(job, 10)).toSorted()).toEqual(['a event 10, 1', 'b event 10, 1']);
  });

  test('fire in the order of their times, whatever the order in which they were set, across keys', async () => {
    const job = timers();
    await epoch(job, { key: 'b', set: [30, 10] }, { key: 'a', set: [20, 40] });
    expect(await watermark(job, 50)).toEqual(['b event 10, 1', 'a event 20, 1', 'b event 30, 2', 'a event 40, 2']);
  });

  test('that are deleted do not fire; deleting one that is not there changes nothing', async () => {
    const job = timers();
    await epoch(job, { set: [10, 20], delete: [15] });
    await epoch(job, { delete: [10] });
    expect(await watermark(job, 50)).toEqual(['a event 20, 1']);
  });

  test('deleted in one domain stay in the other', async () => {
    const job = timers();
    await epoch(job, { set: [10], setProcessing: [10], deleteProcessing: [10] });
    expect(await watermark(job, 10)).toEqual(['a event 10, 1']);
    await epoch(job, { set: [20], setProcessing: [20], delete: [20] });
    await job.advanceProcessingTime({ toMs: 20 });
    await job.advanceWatermark('read', 100);
    expect(job.values('write').at(-1)).toBe('a processing 20, 2');
  });

  test('that are deleted and set again fire', async () => {
    const job = timers();
    await epoch(job, { set: [10] });
    await epoch(job, { delete: [10] });
    await epoch(job, { set: [10] });
    expect(await watermark(job, 10)).toEqual(['a event 10, 1']);
  });

  test('in the past fire at once: at the end of the epoch that sets them', async () => {
    const job = timers();
    await watermark(job, 1_000);
    expect(await epoch(job, { set: [10, 1_000, 1_001] })).toEqual(['a event 10, 1', 'a event 1000, 2']);
    expect(await watermark(job, 2_000)).toEqual(['a event 1001, 3']);
    await job.advanceProcessingTime({ toMs: 500 });
    expect(await epoch(job, { setProcessing: [3] })).toEqual(['a processing 3, 4']);
  });

  test('that a timer sets and that are due fire in their place; one that a timer deletes does not', async () => {
    const job = timers();
    await epoch(job, { set: [10, 30, 40], next: { 10: { set: [20, 5], delete: [40] }, 30: { set: [60] } } });
    expect(await watermark(job, 50)).toEqual(['a event 10, 1', 'a event 5, 2', 'a event 20, 3', 'a event 30, 4']);
    expect(await watermark(job, 60)).toEqual(['a event 60, 5']);
  });

  test('that set themselves again for a later time fire once for each', async () => {
    const job = timers();
    await epoch(job, { set: [10], next: { 10: { set: [20] }, 20: { set: [30] } } });
    expect(await watermark(job, 100)).toEqual(['a event 10, 1', 'a event 20, 2', 'a event 30, 3']);
  });

  test('that set themselves again for the same time, without end, fail the job', async () => {
    const job = timers();
    await epoch(job, { set: [10], next: { 10: { set: [10] } } });
    await expect(job.advanceWatermark('read', 10)).rejects.toThrow(/timer of event time 10 of key a.*that never ends/);
  });

  test('see the state of the key that set them', async () => {
    const job = timers({}, { parallelism: 3 });
    await epoch(job, ...['a', 'b', 'c', 'd'].map((key) => ({ key, set: [1, 2] })));
    const fired = await watermark(job, 10);
    expect(fired.toSorted()).toEqual(['a', 'b', 'c', 'd'].flatMap((key) => [`${key} event 1, 1`, `${key} event 2, 2`]));
    expect(await job.state('time', 'c')).toMatchObject({ fired: 2 });
  });

  test('are state: they are there after a crash, a restart and at another parallelism', async () => {
    const job = timers({}, { parallelism: 2 });
    const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    await epoch(job, ...keys.map((key) => ({ key, set: [10] })));
    await job.crash();
    job.restore({ parallelism: 3 });
    await epoch(job, { key: 'key-3', delete: [10] });
    job.restore({ parallelism: 1 });
    const fired = await watermark(job, 10);
    expect(fired.toSorted()).toEqual(
      keys
        .filter((key) => key !== 'key-3')
        .map((key) => `${key} event 10, 1`)
        .toSorted(),
    );
  });

  test('of processing time that should have fired while the job was down fire when it is back', async () => {
    const job = timers();
    await epoch(job, { setProcessing: [10, 20, 9_000] });
    job.restore();
    await job.advanceProcessingTime({ toMs: 5_000, job: 'down' });
    await job.runEpoch();
    expect(job.values('write')).toEqual(['a processing 10, 1', 'a processing 20, 2']);
  });

  test('give what they make their own time', async () => {
    const job = timers();
    await epoch(job, { set: [10], setProcessing: [70] });
    await watermark(job, 50);
    await job.advanceProcessingTime({ toMs: 80 });
    expect(job.output('write').map(({ timestamp }) => timestamp)).toEqual([10, 70]);
  });

  test('fire before 1970 too', async () => {
    const job = timers();
    await epoch(job, { at: -1_000, set: [-5, -50] });
    expect(await watermark(job, -10)).toEqual(['a event -50, 1']);
    expect(await watermark(job, 0)).toEqual(['a event -5, 2']);
  });

  test('fire behind the records of their epoch, and between them in time order', async () => {
    const steps = [{ at: 10, set: [15] }, { at: 20 }, { at: 30 }];
    expect(await epoch(timers(), ...steps)).toEqual(['a at 10', 'a at 20', 'a at 30', 'a event 15, 1']);
    expect(await epoch(timers({ inTimeOrder: true }), ...steps)).toEqual(['a at 10', 'a event 15, 1', 'a at 20']);
  });

  test('of event time fire before those of processing time in an epoch in which both are due', async () => {
    const job = timers();
    await job.advanceProcessingTime({ toMs: 100 });
    await watermark(job, 100);
    expect(await epoch(job, { setProcessing: [1], set: [50] })).toEqual(['a event 50, 1', 'a processing 1, 2']);
  });
});
