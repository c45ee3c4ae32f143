import { describe, expect, test } from 'vitest';
import { defineJob, type EventTime, json, kafkaSink, kafkaSource, type Output, utf8 } from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';
import { epoch, type Step, timers } from './jobs.ts';

/** The watermark that the next record sees: that of the end of the last epoch. Of itself it changes nothing that is not seen. */
async function watermarkOf(job: TestJob): Promise<number | string> {
  const probe = job.fork();
  probe.pushRecords('read', { value: {}, partition: 0 });
  await probe.runEpoch();
  const [last] = probe.values('write').slice(-1);
  return last === '-Infinity' ? 'none' : Number(last);
}

interface Seeing {
  readonly strategy?: Partial<EventTime<Step>>;
  readonly partitions?: Readonly<Record<string, number>>;
  /** Is there another source, `other`, in front of the same keyBy? @default false */
  readonly isOfTwo?: boolean;
}

/** Says which watermark each record sees. */
function seeing({ strategy = {}, partitions = {}, isOfTwo = false }: Seeing = {}): TestJob {
  const source = (topic: string) =>
    kafkaSource({
      topic,
      value: json<Step>(),
      eventTime: { timestamp: ({ at = -1_000_000 }: Step) => at, maxOutOfOrdernessMs: 0, ...strategy } as EventTime<Step>,
    });
  const job = defineJob('seeing', (builder) => {
    const read = builder.source('read', source('in'));
    if (isOfTwo) builder.source('other', source('other'));
    read
      .keyBy(() => 'a', utf8)
      .process('see', {
        usesTime: true,
        state: {},
        onRecord: (_step, _state, out: Output<string>, { watermarkMs }) => out.emit(String(watermarkMs)),
      })
      .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
  // The API has no union yet; graphs have.
  const nodes = job.nodes.map((node) => (node.kind === 'keyBy' && isOfTwo ? { ...node, inputs: [0, 1] } : node));
  return testJob({ ...job, nodes }, { partitions });
}

const push = (job: TestJob, partition: number, ...times: readonly number[]) =>
  job.pushRecords('read', ...times.map((at) => ({ value: { at }, partition })));

describe('watermarks', () => {
  test('of records that are out of order by so much are that far behind the largest time, and a millisecond', async () => {
    const job = seeing({ strategy: { maxOutOfOrdernessMs: 50 } });
    push(job, 0, 100, 300, 200);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(249);
  });

  test('of times that only go forward are a millisecond behind the last', async () => {
    const job = seeing();
    push(job, 0, 100, 300);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(299);
  });

  test('never go back', async () => {
    const job = seeing();
    push(job, 0, 1_000);
    await job.runEpoch();
    push(job, 0, 10);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(999);
    await job.advanceWatermark('read', 5);
    expect(await watermarkOf(job)).toBe(999);
  });

  test('do not begin before a record has come', async () => {
    expect(await watermarkOf(seeing())).toBe('none');
  });

  test('come with the records that bring them, if a function says so', async () => {
    const job = seeing({ strategy: { maxOutOfOrdernessMs: undefined, watermark: ({ key }, at) => (key === 'mark' ? at : undefined) } });
    push(job, 0, 500);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe('none');
    job.pushRecords('read', { value: { key: 'mark', at: 400 } });
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(400);
  });

  test('of several partitions are the least of them', async () => {
    const job = seeing({ partitions: { in: 3 } });
    push(job, 0, 1_000);
    push(job, 1, 200);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe('none');
    push(job, 2, 700);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(199);
    push(job, 1, 900);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(699);
  });

  test('of several sources are the least of them', async () => {
    const job = seeing({ isOfTwo: true });
    push(job, 0, 1_000);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe('none');
    job.pushRecords('other', { value: { at: 400 } });
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(399);
    await job.advanceWatermark('other', 5_000);
    expect(await watermarkOf(job)).toBe(999);
  });

  test('do not wait for an idle partition, once it is idle', async () => {
    const job = seeing({ strategy: { idleAfterMs: 60_000 }, partitions: { in: 2 } });
    push(job, 1, 100);
    await job.runEpoch();
    await job.advanceProcessingTime({ byMs: 30_000 });
    push(job, 0, 900);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(99);
    await job.advanceProcessingTime({ byMs: 30_000 });
    push(job, 0, 1_000);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(999);
  });

  test('wait again for a partition that was idle and has records; they do not go back for it', async () => {
    const job = seeing({ strategy: { idleAfterMs: 60_000 }, partitions: { in: 2 } });
    push(job, 0, 900);
    push(job, 1, 100);
    await job.runEpoch();
    await job.advanceProcessingTime({ byMs: 60_000 });
    push(job, 0, 1_000);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(999);
    push(job, 1, 500);
    push(job, 0, 2_000);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(999);
    push(job, 1, 1_500);
    await job.runEpoch();
    expect(await watermarkOf(job)).toBe(1_499);
  });

  test('are the largest of all partitions when all are idle', async () => {
    const job = timers({ strategy: { idleAfterMs: 10_000 } }, { partitions: { in: 2 } });
    await epoch(job, { at: 100, set: [850], partition: 0 }, { at: 900, partition: 1 });
    await job.advanceProcessingTime({ byMs: 9_999 });
    expect(job.values('write')).toHaveLength(2);
    await job.advanceProcessingTime({ byMs: 1 });
    expect(job.values('write').slice(2)).toEqual(['a event 850, 1']);
  });

  test('wait for a partition with more to read, however long it is not its turn: it is not idle', async () => {
    const job = seeing({ strategy: { idleAfterMs: 10 }, partitions: { in: 2 } });
    push(job, 0, 100);
    push(job, 1, 5_000);
    await job.runEpoch();
    push(job, 0, 200, 300);
    push(job, 1, 6_000, 7_000, 8_000, 9_000);
    for (const _ of [1, 2, 3]) {
      await job.advanceProcessingTime({ byMs: 1_000, job: 'down' });
      await job.runEpoch({ maxRecords: 1 });
      expect(Number(await watermarkOf(job))).toBeLessThanOrEqual(299);
    }
  });

  test('hold a partition that is too far ahead of the others, until they have come nearer', async () => {
    const job = seeing({ strategy: { alignWithinMs: 1_000 }, partitions: { in: 2 } });
    push(job, 0, 100);
    push(job, 1, 100);
    await job.runEpoch();
    push(job, 0, 2_000, 3_000, 4_000);
    expect(await job.runEpoch()).toMatchObject({ recordsIn: 1 });
    expect(await job.runEpoch()).toBeUndefined();
    push(job, 1, 3_500);
    await job.runUntilIdle();
    push(job, 1, 9_000);
    await job.runUntilIdle();
    expect(await watermarkOf(job)).toBe(3_999);
  });

  test('see no time that is further ahead than a day: such a record fails, until time has come nearer', async () => {
    const job = seeing();
    push(job, 0, 86_400_001);
    await expect(job.runEpoch()).rejects.toThrow(/ahead of the epoch's processing time 0, and eventTime.maxAheadMs/);
    await job.advanceProcessingTime({ byMs: 1, job: 'down' });
    expect(await job.runEpoch()).toMatchObject({ recordsIn: 1 });
    expect(await watermarkOf(job)).toBe(86_400_000);
  });

  test('go on without input only by idleness: a job without records stands still', async () => {
    const job = timers();
    await epoch(job, { at: 100, set: [150] });
    await job.advanceProcessingTime({ byMs: 1_000_000_000 });
    expect(job.values('write')).toEqual(['a at 100']);
  });
});
