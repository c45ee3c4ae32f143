import fc from 'fast-check';
import {
  type DataStream,
  defineJob,
  type JobDefinition,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  utf8,
} from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';

export interface Row {
  readonly key: string;
  readonly at: number;
  readonly name: string;
}

const DISORDER_MS = 1_000;
const END_MS = 10_000;
export const eventTime = { timestamp: ({ at }: Row) => at, maxOutOfOrdernessMs: DISORDER_MS };
export const left = kafkaSource({ topic: 'left', value: json<Row>(), eventTime });
export const right = kafkaSource({ topic: 'right', value: json<Row>(), eventTime });
export const out = kafkaSink({ topic: 'out', value: utf8 });
export const byKey = (rows: DataStream<Row>): KeyedStream<string, Row> => rows.keyBy(({ key }) => key, utf8);
export const pair = (one: Row, other: Row | undefined) => `${one.key} ${one.name} ${other?.name ?? 'alone'}`;

export function joining(join: (left: KeyedStream<string, Row>, right: KeyedStream<string, Row>) => DataStream<string>): JobDefinition {
  return defineJob('joining', (job) => {
    const [lefts, rights] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
    join(lefts, rights).sink('write', out);
  });
}

export const rows = (side: string) =>
  fc
    .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: -8, max: 8 }) }), { maxLength: 12 })
    .map((all) => all.map(({ key, at }, index): Row => ({ key, at, name: `${side}${index}` })));
export const cuts = fc.record({
  maxRecords: fc.constantFrom(1, 2, 5, 100),
  parallelism: fc.constantFrom(1, 2, 3),
  partitions: fc.constantFrom(1, 2),
  restore: fc.boolean(),
});
export type Cuts = typeof cuts extends fc.Arbitrary<infer C> ? C : never;

/** Of each key what was written, in order. */
export async function outputOf(
  job: JobDefinition,
  lefts: readonly Row[],
  rights: readonly Row[],
  { maxRecords, parallelism, partitions, restore }: Cuts,
) {
  const test = testJob(job, { parallelism, partitions });
  test.push(left, ...lefts);
  test.push(right, ...rights);
  await test.runEpoch({ maxRecords });
  if (restore) test.restore({ parallelism: 4 - parallelism });
  await test.runUntilIdle({ maxRecords });
  // Half of the way, so that what waits is in a snapshot.
  await passTo(test, 0);
  if (restore) test.restore();
  await passTo(test, END_MS);
  return Map.groupBy(
    test.output(out).map(({ value, timestamp }) => `${value} at ${timestamp}`),
    (text) => text.slice(0, 1),
  );
}

export async function passTo(test: TestJob, watermarkMs: number): Promise<void> {
  await test.advanceWatermark('read-left', watermarkMs);
  await test.advanceWatermark('read-right', watermarkMs);
}

export const shown = (output: ReadonlyMap<string, readonly string[]>) => [...output].flatMap(([, texts]) => texts).sort();
