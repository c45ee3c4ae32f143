import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, defineJob, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

interface Part {
  readonly id: string;
  readonly amount: number;
}

const MOST = 32;
const out = kafkaSink({ topic: 'out', value: json<unknown>() });
const topics = Array.from({ length: MOST }, (_, n) => kafkaSource({ topic: `part-${n}`, value: json<Part>() }));

/** What all streams have of a key, each by a function of its own: `cogroup` of Kafka Streams. */
function merging(streams: number) {
  return defineJob('merging', (job) => {
    const parts = topics
      .slice(0, streams)
      .map((topic, n) => [`part-${n}`, job.source(`read-${n}`, topic).keyBy(({ id }) => id, utf8)] as const);
    connect(Object.fromEntries(parts))
      .process('merge', {
        state: { sums: valueState(json<Record<string, number>>(), {}) },
        on: Object.fromEntries(
          parts.map(([name]) => [
            name,
            (
              { amount }: Part,
              { sums }: { sums: { update(fn: (sums: Record<string, number>) => Record<string, number>): unknown } },
              emit: Output<unknown>,
              { key }: { key: unknown },
            ) => {
              emit.emit({ key, sums: sums.update((before) => ({ ...before, [name]: (before[name] ?? 0) + amount })) });
            },
          ]),
        ),
      })
      .sink('write', out);
  });
}

test('up to 32 streams are merged by key into one state, wherever epochs end and at any parallelism', async () => {
  const rows = fc.array(
    fc.record({ stream: fc.nat(MOST - 1), id: fc.constantFrom('a', 'b', 'c'), amount: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(2, 5, MOST),
      fc.constantFrom(1, 3, 100),
      fc.constantFrom(1, 2),
      async (drawn, streams, maxRecords, parallelism) => {
        const all = drawn.map((row) => ({ ...row, stream: row.stream % streams }));
        const test = testJob(merging(streams), { parallelism });
        for (const { stream, id, amount } of all) test.push(topics[stream] as (typeof topics)[number], { id, amount });
        await test.runEpoch({ maxRecords });
        test.restore({ parallelism: 3 - parallelism });
        await test.runUntilIdle({ maxRecords });
        const last = new Map((test.values(out) as { key: string; sums: Record<string, number> }[]).map(({ key, sums }) => [key, sums]));
        const should = new Map<string, Record<string, number>>();
        for (const { stream, id, amount } of all) {
          const sums = should.get(id) ?? {};
          sums[`part-${stream}`] = (sums[`part-${stream}`] ?? 0) + amount;
          should.set(id, sums);
        }
        expect(last.size).toBe(should.size);
        for (const [id, sums] of should) expect(last.get(id)).toEqual(sums);
      },
    ),
    { numRuns: 12 },
  );
});
