import { describe, expect, test } from 'vitest';
import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { EpochFailedError, testJob, UserCodeError } from '../../../lib/testing/index.ts';

const thrown = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Counts, and fails where `failsAt` says. */
function counting(failsAt: (line: string, where: 'source' | 'operator') => boolean) {
  return defineJob('counting', (job) => {
    const check = (line: string, where: 'source' | 'operator') => {
      if (failsAt(line, where)) throw new RangeError(`no ${line} here`);
      return line;
    };
    job
      .source('read', kafkaSource({ topic: 'in', value: utf8 }))
      .map((line) => check(line, 'source'))
      .keyBy((line) => line, utf8)
      .process('count', {
        state: { count: valueState(int64, 0) },
        onRecord(line, { count }, out: Output<string>) {
          check(line, 'operator');
          out.emit(`${line} ${count.update((n) => n + 1)}`);
        },
      })
      .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
}

describe.each(['source', 'operator'] as const)('a function that throws in a stage of kind %s', (where) => {
  test('is told with its record, and all is as before', async () => {
    let isBad = true;
    const job = testJob(
      counting((line, at) => isBad && line === 'bad' && at === where),
      { parallelism: 2 },
    );
    job.push('read', 'a', 'b');
    await job.runUntilIdle();
    job.push('read', ...Array.from({ length: 20 }, () => 'a'), 'bad', 'c', 'd');
    const error = await thrown(job.runEpoch());
    expect(error).toBeInstanceOf(UserCodeError);
    expect(error).toMatchObject({
      operator: where === 'source' ? expect.stringContaining('map') : 'count',
      record: { topic: 'in', partition: 0, offset: 22 },
      message: expect.stringContaining('RangeError: no bad here'),
    });
    expect(job.epoch).toBe(1);
    expect(job.values('write').toSorted()).toEqual(['a 1', 'b 1']);
    expect(await job.state('count', 'a')).toEqual({ count: 1 });
    isBad = false;
    expect(await job.runEpoch()).toMatchObject({ epoch: 2, recordsIn: 23 });
    expect(await job.state('count', 'a')).toEqual({ count: 21 });
  });
});

test('a record that its serde does not read is told with its place', async () => {
  const job = testJob(
    defineJob('reading', (builder) => {
      builder.source('read', kafkaSource({ topic: 'in', value: json<number>() })).sink('write', kafkaSink({ topic: 'out', value: json() }));
      builder.source('write-bytes', kafkaSource({ topic: 'in', value: utf8 })).sink('copy', kafkaSink({ topic: 'copy', value: utf8 }));
    }),
  );
  job.push('write-bytes', '1', '{');
  const error = await thrown(job.runEpoch());
  expect(error).toBeInstanceOf(EpochFailedError);
  expect(error).toMatchObject({ stage: 'read', kind: 'record', fault: { record: { topic: 'in', partition: 0, offset: 1 } } });
  expect(job.epoch).toBe(0);
});

test('a timer that throws is told with its key', async () => {
  const job = testJob(
    defineJob('timing', (builder) => {
      builder
        .source('read', kafkaSource({ topic: 'in', value: utf8 }))
        .keyBy((line) => line, utf8)
        .process('time', {
          timers: 'processing-time',
          state: {},
          onRecord: (_line, _state, _out, { timers }) => timers.setProcessingTime(5),
          onTimer() {
            throw new Error('no time');
          },
        })
        .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    }),
  );
  job.push('read', 'a');
  const error = await thrown(job.advanceProcessingTime({ toMs: 10 }));
  expect(error).toBeInstanceOf(EpochFailedError);
  expect(error).toMatchObject({ stage: 'time', message: expect.stringMatching(/timer of processing time 5 of key a.*no time/) });
});

test('an object of the state that is changed when its record is done with fails the job', async () => {
  let kept: { n: number } | undefined;
  const job = testJob(
    defineJob('keeping', (builder) => {
      builder
        .source('read', kafkaSource({ topic: 'in', value: utf8 }))
        .keyBy((line) => line, utf8)
        .process('keep', {
          state: { last: valueState(json<{ n: number }>(), { n: 0 }) },
          onRecord(_line, { last }) {
            if (kept === undefined) kept = last.get();
            else kept.n++;
          },
        })
        .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    }),
  );
  job.push('read', 'a', 'b');
  await expect(job.runUntilIdle({ maxRecords: 1 })).rejects.toThrow(/keep.*TypeError.*read only/);
});

test('a promise that is returned fails the job', async () => {
  const job = testJob(
    defineJob('waiting', (builder) => {
      builder
        .source('read', kafkaSource({ topic: 'in', value: utf8 }))
        .map((line) => (line === '' ? line : (Promise.resolve(line) as unknown as string)))
        .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    }),
  );
  job.push('read', 'a');
  await expect(job.runEpoch()).rejects.toThrow(/returned a promise/);
});

test('calls that are not awaited are refused', async () => {
  const job = testJob(counting(() => false));
  const first = job.runEpoch();
  await expect(job.runEpoch()).rejects.toThrow(/await each call/);
  expect(() => job.restore()).toThrow(/await each call/);
  await first;
});
