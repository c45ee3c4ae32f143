import { describe, expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import {
  defineJob,
  float64,
  json,
  kafkaSink,
  kafkaSource,
  mapState,
  type Output,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { type TestJob, testJob, type WrittenOutput } from '../../../lib/testing/index.ts';
import { type Input, mulberry32, troubled, untroubled } from './troubled.ts';

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed + 1);

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

/** Of each key, which a text begins with, the records in their order. */
function byKey(output: readonly WrittenOutput[]): ReadonlyMap<string | undefined, readonly WrittenOutput[]> {
  return Map.groupBy(output, ({ value }) => /^[^ :]*/.exec(String(value))?.[0]);
}

describe('under ten random cuts, crashes and other parallelisms the output is the same', () => {
  const random = mulberry32(0);
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'hh', 'iii'];
  const someWords = () => Array.from({ length: 3 }, () => words[Math.floor(random() * words.length)]).join(' ');
  const lines: Input = Array.from({ length: 40 }, () => ({ to: 'read-lines', record: { value: someWords() } }));
  const counting = { job: wordCount, input: lines, partitions: { flink_kafka: 2 } };
  // Which line comes first does depend on how the partitions are read: of that are the times.
  const counts = (job: TestJob) => byKey(job.output('write-counts').map((record) => ({ ...record, timestamp: 0 })));

  test.each(SEEDS)('of the word count, seed %d', async (seed) => {
    const expected = counts(await untroubled(counting));
    expect(expected.get('a')?.length).toBeGreaterThan(3);
    expect(counts(await troubled(counting, seed))).toEqual(expected);
  });

  const sums = defineJob('sums', (job) => {
    job
      .source(
        'read',
        kafkaSource({
          topic: 'sales',
          value: json<{ shop: string; price: number }>(),
          eventTime: { maxOutOfOrdernessMs: 5_000 },
        }),
      )
      .keyBy(({ shop }) => shop, utf8)
      .process('sum-minutes', {
        state: { sums: mapState(float64, float64) },
        onRecord({ price }, { sums }, _out, { timestamp, timers }) {
          const end = Math.ceil((timestamp + 1) / 60_000) * 60_000;
          sums.set(end, (sums.get(end) ?? 0) + price);
          timers.setEventTime(end);
        },
        onTimer({ timeMs }, { sums }, out: Output<string>, { key }) {
          out.emit(`${key} ${timeMs} ${sums.get(timeMs)}`);
          sums.delete(timeMs);
        },
      })
      .sink('write', kafkaSink({ topic: 'sums', value: utf8 }));
  });
  const sales: Input = Array.from({ length: 60 }, (_, at) => ({
    to: 'read',
    record: { value: { shop: `shop-${at % 5}`, price: at }, timestamp: at * 5_000 + Math.floor(random() * 4_000), partition: at % 2 },
  }));
  const end = (job: TestJob) => job.advanceWatermark('read', 1_000_000);
  const selling = { job: sums, input: sales, partitions: { sales: 2 }, end };

  test.each(SEEDS)('of a job with timers, seed %d', async (seed) => {
    const expected = byKey((await untroubled(selling)).output('write'));
    expect([...expected.values()].flat()).toHaveLength(25);
    expect(byKey((await troubled(selling, seed)).output('write'))).toEqual(expected);
  });

  const rises = defineJob('rises', (job) => {
    const made = job
      .source('read', kafkaSource({ topic: 'readings', value: json<Reading>(), eventTime: { maxOutOfOrdernessMs: 15_000 } }))
      .keyBy(({ sensor }) => sensor, utf8)
      .process('compare', {
        inTimeOrder: true,
        state: { last: valueState(float64, 0) },
        onRecord({ celsius }, { last }, out: Output<string>, { key, timestamp, timers }) {
          out.emit(`${key} rose by ${celsius - last.get()} at ${timestamp}`);
          last.set(celsius);
          timers.setEventTime(timestamp + 7_000);
        },
        onTimer: ({ timeMs }, { last }, out, { key }) => out.emit(`${key} is at ${last.get()} at ${timeMs}`),
      });
    made.sink('write', kafkaSink({ topic: 'rises', value: utf8, toRecord: (text: string) => ({ value: text, partition: 0 }) }));
    made.late.map(({ sensor }) => sensor).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
  });
  const readings: Input = Array.from({ length: 60 }, (_, at) => ({
    to: 'read',
    record: {
      value: { sensor: `sensor-${at % 4}`, celsius: Math.floor(random() * 30) },
      // Several of one sensor have the same time.
      timestamp: Math.floor((at * 2_000 + Math.floor(random() * 4_000)) / 10_000) * 10_000,
      partition: at % 3,
    },
  }));
  const measuring = { job: rises, input: readings, partitions: { readings: 3 }, end };

  test.each(SEEDS)('of a job in time order, seed %d: of each key, and at one subtask all of it, record by record', async (seed) => {
    const expected = (await untroubled(measuring)).output('write');
    expect(expected.length).toBeGreaterThan(60);
    const atOne = await troubled(measuring, seed, 1);
    expect(atOne.output('write')).toEqual(expected);
    expect(atOne.output('write-late')).toEqual([]);
    expect(byKey((await troubled(measuring, seed)).output('write'))).toEqual(byKey(expected));
  });

  const windows = defineJob('windows', (job) => {
    const bySensor = job
      .source('read', kafkaSource({ topic: 'readings', value: json<Reading>(), eventTime: { maxOutOfOrdernessMs: 15_000 } }))
      .keyBy(({ sensor }) => sensor, utf8);
    const write = (uid: string) => kafkaSink({ topic: uid, value: utf8 });
    const most = {
      accumulator: float64,
      initial: 0,
      add: (sum: number, { celsius }: Reading) => sum + celsius,
      merge: (one: number, other: number) => one + other,
      result: (sum: number, { key, startMs, endMs }: { readonly key: string; readonly startMs: number; readonly endMs: number }) =>
        `${key} ${startMs} ${endMs} ${sum}`,
    };
    bySensor
      .window(tumblingWindows({ sizeMs: 20_000 }))
      .aggregate('tumble', most)
      .sink('tumbling', write('tumbling'));
    bySensor
      .window(slidingWindows({ sizeMs: 30_000, slideMs: 10_000 }))
      .aggregate('slide', most)
      .sink('sliding', write('sliding'));
    bySensor
      .window(sessionWindows({ gapMs: 9_000 }))
      .aggregate('visit', most)
      .sink('sessions', write('sessions'));
    bySensor
      .window(sessionWindows({ gapMs: 11_000 }))
      .process(
        'list',
        (values, { key, endMs }, out: Output<string>) => out.emit(`${key} ${endMs} ${values.map(({ celsius }) => celsius).toSorted()}`),
        json<Reading>(),
      )
      .sink('listed', write('listed'));
  });
  const seeing = { ...measuring, job: windows };

  test.each(SEEDS)('of windows and sessions, seed %d', async (seed) => {
    const expected = await untroubled(seeing);
    const actual = await troubled(seeing, seed);
    for (const [sink, least] of [
      ['tumbling', 20],
      ['sliding', 40],
      ['sessions', 20],
      ['listed', 3],
    ] as const) {
      expect(expected.output(sink).length).toBeGreaterThan(least);
      expect(byKey(actual.output(sink))).toEqual(byKey(expected.output(sink)));
    }
  });
});

test('a variable outside of state is found by a crash: it is not taken back', async () => {
  let seen = 0;
  const job = testJob(
    defineJob('forgetful', (builder) => {
      builder
        .source('read', kafkaSource({ topic: 'in', value: utf8 }))
        .map((line) => `${line} ${++seen}`)
        .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    }),
  );
  job.push('read', 'a', 'b');
  await job.crash();
  await job.runEpoch();
  expect(job.values('write')).toEqual(['a 3', 'b 4']);
});
