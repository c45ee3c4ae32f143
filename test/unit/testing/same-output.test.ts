import { describe, expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { defineJob, float64, json, kafkaSink, kafkaSource, mapState, utf8 } from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';
import { type Input, mulberry32, troubled, untroubled } from './troubled.ts';

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed + 1);

/** Of each key the values in their order. */
function byKey(values: readonly unknown[], keyOf: (value: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const value of values as string[]) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return new Map([...groups].sort(([one], [other]) => (one < other ? -1 : 1)));
}

describe('under ten random cuts, crashes and other parallelisms the output is the same', () => {
  const random = mulberry32(0);
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'hh', 'iii'];
  const someWords = () => Array.from({ length: 3 }, () => words[Math.floor(random() * words.length)]).join(' ');
  const lines: Input = Array.from({ length: 40 }, () => ({ to: 'read-lines', record: { value: someWords() } }));
  const counting = { job: wordCount, input: lines, partitions: { flink_kafka: 2 } };
  const wordOf = (value: string) => value.split(':::')[0] ?? '';
  const counts = (job: TestJob) => byKey(job.values('write-counts'), wordOf);

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
        onTimer({ timeMs }, { sums }, out, { key }) {
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
  const shopOf = (value: string) => value.split(' ')[0] ?? '';

  test.each(SEEDS)('of a job with timers, seed %d', async (seed) => {
    const expected = byKey((await untroubled(selling)).values('write'), shopOf);
    expect([...expected.values()].flat()).toHaveLength(25);
    expect(byKey((await troubled(selling, seed)).values('write'), shopOf)).toEqual(expected);
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
