import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  cumulatingWindows,
  type DataStream,
  defineJob,
  int64,
  type JobDefinition,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type Output,
  type RankChange,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  utf8,
  type WindowOptions,
  type WindowTop,
} from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';

interface Row {
  readonly key: string;
  readonly at: number;
  readonly n: number;
  readonly name: string;
}

const source = kafkaSource({
  topic: 'in',
  value: json<Row>(),
  eventTime: { timestamp: ({ at }: Row) => at, maxOutOfOrdernessMs: 1_000 },
});
const out = kafkaSink({ topic: 'out', value: json<unknown>() });

function shaped(shape: (keyed: KeyedStream<string, Row>) => DataStream<unknown>): JobDefinition {
  return defineJob('shaped', (job) => {
    shape(job.source('read', source).keyBy(({ key }) => key, utf8)).sink('write', out);
  });
}

const rows = fc
  .array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), at: fc.integer({ min: -8, max: 8 }), n: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 20,
  })
  .map((all) => all.map((row, index): Row => ({ ...row, name: `r${index % 9}` })));
const cuts = fc.record({
  maxRecords: fc.constantFrom(1, 3, 100),
  parallelism: fc.constantFrom(1, 2, 3),
  partitions: fc.constantFrom(1, 2),
  restore: fc.boolean(),
});
type Cuts = typeof cuts extends fc.Arbitrary<infer C> ? C : never;

/** What is written of these rows in the end. Half of the way all is restored, so that what waits is in a snapshot. */
async function outputOf(
  job: JobDefinition,
  all: readonly Row[],
  { maxRecords, parallelism, partitions, restore }: Cuts,
): Promise<unknown[]> {
  const test = testJob(job, { parallelism, partitions });
  test.push(source, ...all);
  await test.runEpoch({ maxRecords });
  if (restore) test.restore({ parallelism: 4 - parallelism });
  await test.runUntilIdle({ maxRecords });
  await test.advanceWatermark('read', 0);
  if (restore) test.restore();
  await test.advanceWatermark('read', 10_000);
  return [...test.values(out)];
}

const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).toSorted();

interface Aligned {
  readonly windows: TimeWindows;
  /** All windows that there could be, as `[start, end)`. */
  readonly bounds: readonly (readonly [number, number])[];
}

const starts = Array.from({ length: 61 }, (_, index) => index - 30);
const windowsOfAnyKind: fc.Arbitrary<Aligned> = fc.oneof(
  fc.integer({ min: 1, max: 8 }).map((sizeMs) => {
    return {
      windows: tumblingWindows({ sizeMs, offsetMs: -1 % sizeMs }),
      bounds: starts.map((n) => [n * sizeMs + (-1 % sizeMs), n * sizeMs + (-1 % sizeMs) + sizeMs] as const),
    };
  }),
  fc.record({ slideMs: fc.integer({ min: 1, max: 4 }), more: fc.integer({ min: 0, max: 6 }) }).map(({ slideMs, more }) => {
    return {
      windows: slidingWindows({ sizeMs: slideMs + more, slideMs }),
      bounds: starts.map((n) => [n * slideMs, n * slideMs + slideMs + more] as const),
    };
  }),
  fc.record({ stepMs: fc.integer({ min: 1, max: 4 }), steps: fc.integer({ min: 1, max: 3 }) }).map(({ stepMs, steps }) => {
    const of = Array.from({ length: steps }, (_, index) => (index + 1) * stepMs);
    return {
      windows: cumulatingWindows({ maxSizeMs: stepMs * steps, stepMs }),
      bounds: starts.flatMap((n) => of.map((size) => [n * stepMs * steps, n * stepMs * steps + size] as const)),
    };
  }),
);

/** The greatest first; of equals the one whose bytes are less. */
const byNumber = (one: Row, other: Row) =>
  other.n - one.n || Buffer.compare(Buffer.from(JSON.stringify(one)), Buffer.from(JSON.stringify(other)));

function firstOf(all: readonly Row[], n: number, withTies: boolean): Row[] {
  const inOrder = all.toSorted(byNumber);
  const last = inOrder[n - 1];
  return inOrder.filter((row, index) => index < n || (withTies && last !== undefined && row.n === last.n));
}

const within = (all: readonly Row[], [startMs, endMs]: readonly [number, number]) => all.filter(({ at }) => at >= startMs && at < endMs);
const keysOf = (all: readonly Row[]) => [...new Set(all.map(({ key }) => key))];

test('topN of a window gives its first values in their order, of equals the one with the lesser bytes, whatever came when', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      windowsOfAnyKind,
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      cuts,
      async (all, { windows, bounds }, n, withTies, how) => {
        const job = shaped((keyed) => keyed.window(windows).topN('top', { n, by: (row) => row.n, withTies }));
        const should = bounds.flatMap(([startMs, endMs]) =>
          keysOf(within(all, [startMs, endMs])).map((key) => {
            const own = within(all, [startMs, endMs]).filter((row) => row.key === key);
            return { key, startMs, endMs, value: firstOf(own, n, withTies) };
          }),
        );
        expect(sorted(await outputOf(job, all, how))).toEqual(sorted(should));
      },
    ),
    { numRuns: 30 },
  );
});

const counted = (keyed: KeyedStream<string, Row>, windows: TimeWindows, options?: WindowOptions) =>
  keyed
    .window(windows, options)
    .aggregate('count', { accumulator: int64, initial: 0, add: (n) => n + 1, merge: (one, other) => one + other });

/** Of each window the keys that have most rows, of equals the lesser one. */
function mostOf(all: readonly Row[], [startMs, endMs]: readonly [number, number], n: number): WindowTop<unknown>[] {
  const own = within(all, [startMs, endMs]);
  if (own.length === 0) return [];
  const counts = keysOf(own).map((key) => ({ key, startMs, endMs, value: own.filter((row) => row.key === key).length }));
  const value = counts.toSorted((one, other) => other.value - one.value || (one.key < other.key ? -1 : 1)).slice(0, n);
  return [{ startMs, endMs, value }];
}

test('topN behind windows ranks the results of all keys of a window, once for each window', async () => {
  await fc.assert(
    fc.asyncProperty(rows, windowsOfAnyKind, fc.integer({ min: 1, max: 3 }), cuts, async (all, { windows, bounds }, n, how) => {
      const job = shaped((keyed) => counted(keyed, windows).topN('most', { n, by: ({ value }) => value }));
      expect(sorted(await outputOf(job, all, how))).toEqual(sorted(bounds.flatMap((of) => mostOf(all, of, n))));
    }),
    { numRuns: 30 },
  );
});

test('topN behind windows that take late values ranks anew: the last result of a window is of all that came in time', async () => {
  const options = { allowedLatenessMs: 100, earlyEveryMs: 10 };
  await fc.assert(
    fc.asyncProperty(rows, rows, windowsOfAnyKind, cuts, async (all, late, { windows, bounds }, { maxRecords, parallelism, restore }) => {
      const job = shaped((keyed) => counted(keyed, windows, options).topN('most', { n: 2, by: ({ value }) => value }));
      const test = testJob(job, { parallelism });
      test.push(source, ...all);
      await test.runUntilIdle({ maxRecords });
      await test.advanceWatermark('read', 0);
      await test.advanceProcessingTime({ byMs: 10 });
      if (restore) test.restore({ parallelism: 4 - parallelism });
      test.push(source, ...late);
      await test.runUntilIdle({ maxRecords });
      await test.advanceWatermark('read', 10_000);
      const last = new Map((test.values(out) as WindowTop<unknown>[]).map((one) => [`${one.startMs} ${one.endMs}`, one]));
      expect(sorted([...last.values()])).toEqual(sorted(bounds.flatMap((of) => mostOf([...all, ...late], of, 2))));
      expect(await timersLeft(test, bounds)).toBe(0);
    }),
    { numRuns: 30 },
  );
});

async function timersLeft(test: TestJob, bounds: readonly (readonly [number, number])[]): Promise<number> {
  let left = 0;
  for (const [, endMs] of bounds) {
    const [{ event }, state] = [await test.timers('most', endMs - 1), await test.state('most', endMs - 1)];
    left += event.length + ((state as { results: Map<unknown, unknown> }).results.size > 0 ? 1 : 0);
  }
  return left;
}

test('topN of a key says which ranks have changed: the last of each rank are its first values', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 4 }), cuts, async (all, n, how) => {
      const job = shaped((keyed) => keyed.topN('top', { n, compare: (one, other) => other.n - one.n }));
      const changes = (await outputOf(job, all, how)) as RankChange<string, Row>[];
      const last = new Map(changes.map((change) => [`${change.key} ${change.rank}`, change]));
      const should = keysOf(all).flatMap((key) =>
        firstOf(
          all.filter((row) => row.key === key),
          n,
          false,
        ).map((value, index) => ({ key, rank: index + 1, value })),
      );
      expect(sorted([...last.values()])).toEqual(sorted(should));
    }),
    { numRuns: 30 },
  );
});

test('distinctCount of a window counts what is different in it', async () => {
  await fc.assert(
    fc.asyncProperty(rows, windowsOfAnyKind, cuts, async (all, { windows, bounds }, how) => {
      const job = shaped((keyed) => keyed.window(windows).distinctCount('names', ({ name }) => name, utf8));
      const should = bounds.flatMap(([startMs, endMs]) =>
        keysOf(within(all, [startMs, endMs])).map((key) => {
          const own = within(all, [startMs, endMs]).filter((row) => row.key === key);
          return { key, startMs, endMs, value: new Set(own.map(({ name }) => name)).size };
        }),
      );
      expect(sorted(await outputOf(job, all, how))).toEqual(sorted(should));
    }),
    { numRuns: 25 },
  );
});

test('distinctCount of a key counts what it has had, one result for each value', async () => {
  await fc.assert(
    fc.asyncProperty(rows, cuts, async (all, how) => {
      const job = shaped((keyed) => keyed.distinctCount('names', ({ name }) => name, utf8));
      const should = all.map(({ key }, index) => {
        const before = all.slice(0, index + 1).filter((row) => row.key === key);
        return { key, count: new Set(before.map(({ name }) => name)).size };
      });
      expect(sorted(await outputOf(job, all, { ...how, partitions: 1 }))).toEqual(sorted(should));
    }),
    { numRuns: 25 },
  );
});

const row = (key: string, at: number, n = 0, name = key): Row => ({ key, at, n, name });

describe('with a time to live', () => {
  test('distinctCount forgets what has not come for so long', async () => {
    const test = testJob(shaped((keyed) => keyed.distinctCount('names', ({ name }) => name, utf8, { ttlMs: 100 })));
    test.push(source, row('a', 0, 0, 'x'), row('a', 0, 0, 'y'));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 60 });
    test.push(source, row('a', 0, 0, 'y'));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 60 });
    test.push(source, row('a', 0, 0, 'z'));
    await test.runUntilIdle();
    expect(test.values(out)).toEqual([1, 2, 2, 2].map((count) => ({ key: 'a', count })));
  });

  test('topN begins anew when nothing came among the first for so long', async () => {
    const test = testJob(shaped((keyed) => keyed.topN('top', { n: 1, by: ({ n }) => n, ttlMs: 100 })));
    test.push(source, row('a', 0, 5));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 60 });
    test.push(source, row('a', 0, 1));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 40 });
    test.push(source, row('a', 0, 2));
    await test.runUntilIdle();
    expect(test.values(out).map((change) => (change as RankChange<string, Row>).value.n)).toEqual([5, 2]);
  });
});

test('topN behind windows keeps no more than the first of a window, and nothing when it is over', async () => {
  const test = testJob(shaped((keyed) => counted(keyed, tumblingWindows({ sizeMs: 10 })).topN('most', { n: 2, by: ({ value }) => value })));
  test.push(source, row('a', 0), row('b', 1), row('b', 2), row('c', 3), row('d', 4));
  await test.runUntilIdle();
  await test.advanceWatermark('read', 9);
  expect((test.values(out) as WindowTop<{ key: string }>[]).map(({ value }) => value.map(({ key }) => key))).toEqual([['b', 'a']]);
  expect(await test.state('most', 9)).toEqual({ top: [] });
  expect(await test.timers('most', 9)).toEqual({ event: [], processing: [] });
});

test('topN behind windows of processing time gives its result in the epoch in which the window is over', async () => {
  const test = testJob(
    shaped((keyed) =>
      counted(keyed, tumblingWindows({ sizeMs: 1_000 }), { time: 'processing-time' }).topN('most', { n: 1, by: ({ value }) => value }),
    ),
  );
  test.push(source, row('a', 0), row('b', 0), row('b', 0));
  await test.runUntilIdle();
  await test.advanceProcessingTime({ byMs: 1_000 });
  const [only, ...more] = test.values(out) as WindowTop<{ key: string; value: number }>[];
  expect(more).toEqual([]);
  expect(only?.value).toMatchObject([{ key: 'b', value: 2 }]);
  expect((only?.endMs ?? 0) - (only?.startMs ?? 0)).toBe(1_000);
});

test('the types of what is ranked and counted go on', () => {
  shaped((keyed) => {
    expectTypeOf(keyed.topN('running', { n: 1, by: ({ n }) => n })).toEqualTypeOf<DataStream<RankChange<string, Row>>>();
    const top = counted(keyed, tumblingWindows({ sizeMs: 1 })).topN('top', { n: 1, compare: (one, other) => one.value - other.value });
    expectTypeOf(top).toEqualTypeOf<
      DataStream<WindowTop<{ readonly key: string; readonly startMs: number; readonly endMs: number; readonly value: number }>>
    >();
    return top;
  });
});

describe('a job is refused', () => {
  const define = (shape: (keyed: KeyedStream<string, Row>) => DataStream<unknown>) => () => shaped(shape);
  const by = ({ n }: Row) => n;

  test.each<[string, () => unknown, string]>([
    [
      'whose n is nothing',
      define((keyed) => keyed.topN('top', { n: 0, by })),
      'job shaped: topN top: n is 0, and must be a whole number of 1 to 10000',
    ],
    [
      'that is given two orders',
      define((keyed) => keyed.topN('top', { n: 1, by, compare: () => 0 } as never)),
      'job shaped: topN top: give it either `by`, by whose number the greatest ranks first, or `compare`',
    ],
    [
      'whose order is async',
      define((keyed) => keyed.topN('top', { n: 1, by: (async () => 1) as never })),
      'job shaped: topN top: by is async',
    ],
    [
      'that ranks sessions of several keys',
      define((keyed) => counted(keyed, sessionWindows({ gapMs: 1 })).topN('most', { n: 1, by: ({ value }) => value })),
      'job shaped: topN most: sessionWindows of several keys are not one: take windows that begin at fixed times',
    ],
    [
      'that ranks several results of a key, which come again',
      define((keyed) =>
        keyed
          .window(tumblingWindows({ sizeMs: 1 }), { allowedLatenessMs: 1 })
          .process('list', ([one], _, emit: Output<Row>) => emit.emit(one as Row), json<Row>())
          .topN('most', { n: 1, by }),
      ),
      'job shaped: topN most: the windows before it give results more than once (allowedLatenessMs, earlyEveryMs)',
    ],
    [
      'whose serde is none',
      define((keyed) => keyed.distinctCount('names', ({ name }) => name, json as never)),
      'job shaped: distinctCount names: serde: function is no serde (an object with name, read and write); call it if it makes one: json()',
    ],
    [
      'whose time to live is none',
      define((keyed) => keyed.topN('top', { n: 1, by, ttlMs: 0 })),
      'ttlMs is 0, and must be whole milliseconds, 1 at least',
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });

  test('and an order that gives no number fails the record', async () => {
    const test = testJob(shaped((keyed) => keyed.topN('top', { n: 2, by: () => Number.NaN })));
    test.push(source, row('a', 0), row('a', 1));
    await expect(test.runUntilIdle()).rejects.toThrow('by gave NaN, which is no number');
  });

  test('and a compare that tells a value from itself fails it: the first of equals would be the one that came first', async () => {
    const test = testJob(shaped((keyed) => keyed.topN('top', { n: 2, compare: (one, other) => (one.n > other.n ? -1 : 1) })));
    test.push(source, row('a', 0));
    await expect(test.runUntilIdle()).rejects.toThrow('compare gave 1 for a value and itself, so that which of two equals ranks first');
  });

  test.each<[string, Parameters<typeof shaped>[0]]>([
    ['of a key', (keyed) => keyed.topN('top', { n: 2, by: ({ n }) => (n === 7 ? Number.NaN : n) })],
    [
      'of a window',
      (keyed) => keyed.window(tumblingWindows({ sizeMs: 10 })).topN('top', { n: 2, by: ({ n }) => (n === 7 ? Number.NaN : n) }),
    ],
  ])('and that record is the one without a number, also when it is the first %s', async (_, build) => {
    const test = testJob(shaped(build));
    test.push(source, row('a', 1, 7), row('a', 1, 1));
    await expect(test.runUntilIdle()).rejects.toThrow(/partition 0, offset 0: TypeError: by gave NaN, which is no number/);
  });
});
