import { describe, expect, test } from 'vitest';
import {
  bytes,
  customSerde,
  defineJob,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  mapState,
  type Output,
  type Serde,
  structured,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { EpochFailedError, type TestJob, testJob, UserCodeError } from '../../../lib/testing/index.ts';

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

class Seen {
  n = 0;
}

const seenSerde = customSerde<Seen>({
  name: 'seen',
  serialize: ({ n }) => Buffer.from([n]),
  deserialize: (from) => Object.assign(new Seen(), { n: from[0] }),
});

type Marks = { readonly of: Map<string, number> };

const marksSerde = customSerde<Marks>({
  name: 'marks',
  serialize: ({ of }) => Buffer.from(JSON.stringify([...of])),
  deserialize: (from) => ({ of: new Map(JSON.parse(String(from)) as [string, number][]) }),
});

describe('an object that cannot be frozen, of a state', () => {
  /** What `first` keeps of its record `then` has for the next. */
  function keeping<T extends object>(serde: Serde<T>, initial: () => T, then: (kept: T, own: T) => void): TestJob {
    let kept: T | undefined;
    return testJob(
      defineJob('keeping', (builder) => {
        builder
          .source('read', kafkaSource({ topic: 'in', value: utf8 }))
          .keyBy((line) => line, utf8)
          .process('keep', {
            state: { last: valueState(serde, initial), all: mapState(utf8, serde) },
            onRecord(line, { last, all }) {
              const own = last.get();
              all.set(line, own);
              if (kept !== undefined) then(kept, own);
              kept ??= own;
            },
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
  }

  test.each<[string, () => TestJob]>([
    [
      'of a class',
      () =>
        keeping(
          seenSerde,
          () => new Seen(),
          (kept) => void kept.n++,
        ),
    ],
    [
      'a date',
      () =>
        keeping(
          structured as Serde<Date>,
          () => new Date(0),
          (kept) => void kept.setTime(5),
        ),
    ],
    [
      'bytes',
      () =>
        keeping(
          bytes,
          () => new Uint8Array(2),
          (kept) => void kept.fill(1),
        ),
    ],
    [
      'a Map in a plain object',
      () =>
        keeping(
          marksSerde,
          () => ({ of: new Map() }),
          ({ of }) => void of.set('a', 1),
        ),
    ],
  ])('%s, that is changed in a later epoch, fails that epoch, and is told once', async (_, made) => {
    const job = made();
    job.push('read', 'a', 'b');
    await expect(job.runUntilIdle({ maxRecords: 1 })).rejects.toThrow(
      /^keep: TypeError: an object of state (last|all) was changed in a later epoch than that of its record/,
    );
    expect(job.epoch).toBe(1);
    await job.runUntilIdle();
    expect(job.epoch).toBe(2);
  });

  test('may be changed while its record is worked on, and kept as it is', async () => {
    const job = keeping(
      seenSerde,
      () => new Seen(),
      (kept, own) => {
        own.n += kept.n + 1;
      },
    );
    job.push('read', 'a', 'b', 'b', 'c');
    await job.runUntilIdle({ maxRecords: 1 });
    expect(await job.state('keep', 'b')).toMatchObject({ last: { n: 2 } });
  });
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

describe('what json does not give back as it was fails its record when it comes into state, with its place', () => {
  const holding = (set: () => unknown, serde: Serde<unknown> = json()) =>
    testJob(
      defineJob('holding', (builder) => {
        builder
          .source('read', kafkaSource({ topic: 'in', value: utf8 }))
          .keyBy((line) => line, utf8)
          .process('hold', {
            state: { last: valueState(serde) },
            onRecord(_line, { last }) {
              last.set(set());
            },
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );

  test.each<[string, () => unknown, string]>([
    ['a date within', () => ({ at: new Date(0) }), 'the value at .at is an object with toJSON'],
    ['NaN within', () => ({ sums: [1, Number.NaN] }), 'the value at .sums[1] is NaN'],
    ['NaN', () => Number.NaN, 'the value is NaN'],
    ['a date', () => new Date(0), 'the value is a Date'],
    ['a Set within', () => ({ seen: new Set() }), 'the value at .seen is an instance of Set'],
  ])('%s', async (_, set, what) => {
    const job = holding(set);
    job.push('read', 'a');
    await expect(job.runEpoch()).rejects.toThrow(`json: ${what}, which JSON does not give back: it would be read as it was set`);
  });

  test.each<[string, () => unknown, Serde<unknown>?]>([
    ['what JSON holds', () => ({ at: 5, of: ['a', null, { is: true }] })],
    ['a property without a value', () => ({ at: 5, name: undefined })],
    ['a bigint that is read as one', () => ({ id: 2n ** 60n }), json({ largeIntegers: 'bigint' })],
  ])('but not %s', async (_, set, serde) => {
    const job = holding(set, serde);
    job.push('read', 'a');
    await expect(job.runEpoch()).resolves.toMatchObject({ recordsIn: 1 });
  });
});
