import { describe, expect, test } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState, withTtl } from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

/** Says after a minute without a line of a key how many came. */
const quiet = defineJob('quiet', (job) => {
  job
    .source('read', kafkaSource({ topic: 'in', value: utf8 }))
    .keyBy((line) => line, utf8)
    .process('count', {
      timers: 'processing-time',
      state: { count: valueState(int64, 0), due: valueState(int64) },
      onRecord(_line, { count, due }, _out, { processingTimeMs, timers }) {
        count.update((n) => n + 1);
        const before = due.get();
        if (before !== undefined) timers.deleteProcessingTime(before);
        due.set(processingTimeMs + 60_000);
        timers.setProcessingTime(processingTimeMs + 60_000);
      },
      onTimer({ timeMs }, { count, due }, out: Output<string>, { key, processingTimeMs }) {
        out.emit(`${key} ${count.get()} due ${timeMs} at ${processingTimeMs}`);
        count.clear();
        due.clear();
      },
    })
    .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
});

/** Says when event time has come to the time of a record and a second. */
const later = defineJob('later', (job) => {
  const source = (topic: string) => kafkaSource({ topic, value: utf8, eventTime: { maxOutOfOrdernessMs: 0, idleAfterMs: 10_000 } });
  const onRecord = (
    _line: string,
    _state: unknown,
    _out: unknown,
    { timestamp, timers }: { timestamp: number; timers: { setEventTime(ms: number): void } },
  ) => timers.setEventTime(timestamp + 1_000);
  job
    .source('read', source('in'))
    .keyBy((line) => line, utf8)
    .process('wait', { state: {}, onRecord, onTimer: ({ timeMs }, _state, out: Output<string>, { key }) => out.emit(`${key} ${timeMs}`) })
    .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
});

/** Counts what came in the last second. */
const lately = defineJob('lately', (job) => {
  job
    .source('read', kafkaSource({ topic: 'in', value: utf8 }))
    .keyBy((line) => line, utf8)
    .process('count', {
      state: { count: withTtl(valueState(int64, 0), { ttlMs: 1_000 }) },
      onRecord: (line, { count }, out: Output<string>) => out.emit(`${line} ${count.update((n) => n + 1)}`),
    })
    .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
});

describe('processing time', () => {
  test('has state expire: in the next epoch, and for who looks at it', async () => {
    const job = testJob(lately);
    job.push('read', 'a', 'a');
    await job.runUntilIdle();
    await job.advanceProcessingTime({ byMs: 999 });
    expect(await job.state('count', 'a')).toEqual({ count: 2 });
    await job.advanceProcessingTime({ byMs: 1 });
    expect(await job.state('count', 'a')).toEqual({ count: 0 });
    job.push('read', 'a');
    await job.runUntilIdle();
    expect(job.values('write')).toEqual(['a 1', 'a 2', 'a 1']);
  });

  test('stands while the test does not let it pass, and begins at startMs', async () => {
    const job = testJob(quiet, { startMs: 5_000 });
    job.push('read', 'a');
    await job.runUntilIdle();
    expect(job.nowMs).toBe(5_000);
    expect(await job.timers('count', 'a')).toEqual({ event: [], processing: [65_000] });
    expect(job.values('write')).toEqual([]);
  });

  test('passes while the job runs: each time comes in an epoch of its own, at that time', async () => {
    const job = testJob(quiet);
    job.push('read', 'a');
    await job.advanceProcessingTime({ byMs: 30_000 });
    job.push('read', 'b', 'b');
    const reports = await job.advanceProcessingTime({ toMs: 200_000 });
    expect(reports.map(({ isForTime, recordsIn, recordsOut }) => [isForTime, recordsIn, recordsOut])).toEqual([
      [false, 2, 0],
      [true, 0, 1],
      [true, 0, 1],
    ]);
    expect(job.values('write')).toEqual(['a 1 due 60000 at 60000', 'b 2 due 90000 at 90000']);
    expect(job.nowMs).toBe(200_000);
    expect(await job.state('count', 'a')).toEqual({ count: 0, due: undefined });
  });

  test('passes while the job is down: what has come then fires in the next epoch, together', async () => {
    const job = testJob(quiet);
    job.push('read', 'a');
    await job.runUntilIdle();
    await job.advanceProcessingTime({ byMs: 1_000 });
    job.push('read', 'b');
    await job.runUntilIdle();
    expect(await job.advanceProcessingTime({ byMs: 100_000, job: 'down' })).toEqual([]);
    expect(await job.runUntilIdle()).toHaveLength(1);
    expect(job.values('write')).toEqual(['a 1 due 60000 at 101000', 'b 1 due 61000 at 101000']);
  });

  test('does not go back', async () => {
    const job = testJob(quiet, { startMs: 10 });
    await expect(job.advanceProcessingTime({ toMs: 9 })).rejects.toThrow(RangeError);
    await expect(job.advanceProcessingTime({ byMs: -1 })).rejects.toThrow(RangeError);
  });
});

describe('event time', () => {
  test('goes on with records', async () => {
    const job = testJob(later);
    job.pushRecords('read', { value: 'a', timestamp: 1_000 }, { value: 'b', timestamp: 2_000 });
    await job.runEpoch();
    expect(job.values('write')).toEqual([]);
    job.pushRecords('read', { value: 'b', timestamp: 2_001 });
    await job.runEpoch();
    expect(job.values('write')).toEqual(['a 2000']);
  });

  test('is moved on by the test, in an epoch without input', async () => {
    const job = testJob(later, { partitions: 3 });
    job.pushRecords('read', { value: 'a', timestamp: 1_000 });
    await job.runUntilIdle();
    expect(await job.advanceWatermark('read', 1_999)).toEqual({ epoch: 2, isForTime: true, recordsIn: 0, recordsOut: 0 });
    expect(await job.advanceWatermark('read', 2_000)).toEqual({ epoch: 3, isForTime: true, recordsIn: 0, recordsOut: 1 });
    expect(job.values('write')).toEqual(['a 2000']);
    expect(job.output('write')[0]?.timestamp).toBe(2_000);
  });

  test('leaves input where it is when it is moved on', async () => {
    const job = testJob(later);
    job.pushRecords('read', { value: 'a', timestamp: 1_000 });
    expect(await job.advanceWatermark('read', 5_000)).toMatchObject({ recordsIn: 0 });
    await job.runUntilIdle();
    expect(job.values('write')).toEqual(['a 2000']);
  });

  test('waits for a partition without records until that is idle', async () => {
    const job = testJob(later, { partitions: 2 });
    job.pushRecords('read', { value: 'a', timestamp: 1_000, partition: 0 }, { value: 'b', timestamp: 9_000, partition: 0 });
    await job.advanceProcessingTime({ byMs: 9_999 });
    expect(job.values('write')).toEqual([]);
    await job.advanceProcessingTime({ byMs: 1 });
    expect(job.values('write')).toEqual(['a 2000']);
  });

  test('lets in what is too far ahead as soon as the rest is idle', async () => {
    const aligned = defineJob('aligned', (builder) => {
      const eventTime = { maxOutOfOrdernessMs: 0, idleAfterMs: 10_000, alignWithinMs: 500 };
      builder
        .source('read', kafkaSource({ topic: 'in', value: utf8, eventTime }))
        .keyBy((line) => line, utf8)
        .process('say', {
          state: {},
          usesTime: true,
          onRecord: (line, _state, out: Output<string>, { processingTimeMs }) => out.emit(`${line} at ${processingTimeMs}`),
        })
        .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    });
    const job = testJob(aligned, { partitions: 2 });
    for (const partition of [0, 1]) job.pushRecords('read', { value: 'a', timestamp: 1_000, partition });
    await job.runUntilIdle();
    job.pushRecords('read', { value: 'b', timestamp: 5_000, partition: 0 }, { value: 'c', timestamp: 6_000, partition: 0 });
    await job.advanceProcessingTime({ byMs: 60_000 });
    expect(job.values('write')).toEqual(['a at 0', 'a at 0', 'b at 0', 'c at 10000']);
  });

  test('is of no source that has none', async () => {
    await expect(testJob(quiet).advanceWatermark('read', 1)).rejects.toThrow(/no source read that has event time/);
    await expect(testJob(later).advanceWatermark('read', 1.5)).rejects.toThrow(RangeError);
  });
});
