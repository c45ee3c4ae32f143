import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  defineJob,
  type JobBuilder,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type OrderedStream,
  utf8,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { byKey, cuts, eventTime, joining, left, out, outputOf, pair, passTo, type Row, right, rows, shown } from './joining.ts';

test('an interval join gives each two rows within its bounds once, and of a left join those that are alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows('l'),
      rows('r'),
      fc.integer({ min: -6, max: 6 }),
      fc.integer({ min: 0, max: 6 }),
      fc.boolean(),
      cuts,
      async (lefts, rights, lowerBoundMs, width, isLeft, how) => {
        const upperBoundMs = lowerBoundMs + width;
        const bounds = { lowerBoundMs, upperBoundMs };
        const job = joining((one, other) =>
          isLeft
            ? one.intervalJoin('join', other, { ...bounds, type: 'left', join: pair })
            : one.intervalJoin('join', other, { ...bounds, join: pair }),
        );
        const expected = lefts.flatMap((one) => {
          const matched = rights.filter(({ key, at }) => key === one.key && at >= one.at + lowerBoundMs && at <= one.at + upperBoundMs);
          if (matched.length === 0) return isLeft ? [`${pair(one, undefined)} at ${Math.max(one.at, one.at + upperBoundMs)}`] : [];
          return matched.map((other) => `${pair(one, other)} at ${Math.max(one.at, other.at)}`);
        });
        expect(shown(await outputOf(job, lefts, rights, how))).toEqual(expected.sort());
      },
    ),
    { numRuns: 25 },
  );
});

test('a join as of a time gives each row the last version that is not newer, of one time the one with the greater offset', async () => {
  await fc.assert(
    fc.asyncProperty(rows('l'), rows('r'), fc.boolean(), cuts, async (lefts, rights, isLeft, how) => {
      const job = joining((one, versions) =>
        isLeft
          ? one.asOfJoin('join', versions, { type: 'left', isDeleted: ({ name }) => name.endsWith('3'), join: pair })
          : one.asOfJoin('join', versions, { isDeleted: ({ name }) => name.endsWith('3'), join: pair }),
      );
      const expected = lefts.flatMap((one) => {
        const known = rights
          .filter(({ key, at }) => key === one.key && at <= one.at)
          .reduce<Row | undefined>((last, version) => (last !== undefined && last.at > version.at ? last : version), undefined);
        const version = known === undefined || known.name.endsWith('3') ? undefined : known;
        return version === undefined && !isLeft ? [] : [`${pair(one, version)} at ${one.at}`];
      });
      expect(shown(await outputOf(job, lefts, rights, { ...how, partitions: 1 }))).toEqual(expected.sort());
    }),
    { numRuns: 25 },
  );
});

test('what a join makes of a key does not depend on where epochs end, on parallelism or on a restart, byte for byte', async () => {
  const jobs = [
    joining((one, other) => one.intervalJoin('join', other, { lowerBoundMs: -3, upperBoundMs: 2, type: 'left', join: pair })),
    joining((one, other) => one.asOfJoin('join', other, { type: 'left', join: pair })),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...jobs), rows('l'), rows('r'), cuts, cuts, async (job, lefts, rights, how, other) => {
      const one = await outputOf(job, lefts, rights, { ...how, partitions: 1 });
      expect(new Map([...(await outputOf(job, lefts, rights, { ...other, partitions: 1 }))].sort())).toEqual(new Map([...one].sort()));
    }),
    { numRuns: 15 },
  );
});

describe('an interval join', () => {
  const row = (at: number, name: string): Row => ({ key: 'a', at, name });

  test('gives what came late on either side to `late`, and joins it with nothing', async () => {
    const test = testJob(
      defineJob('late', (job) => {
        const made = byKey(job.source('read-left', left)).intervalJoin('join', byKey(job.source('read-right', right)), {
          lowerBoundMs: -100,
          upperBoundMs: 100,
          join: pair,
        });
        made.sink('write', out);
        made.late.map(({ name }) => name).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
      }),
    );
    test.push(left, row(0, 'l0'));
    test.push(right, row(50, 'r0'));
    await test.runUntilIdle();
    await passTo(test, 60);
    test.push(left, row(60, 'l1'));
    test.push(right, row(61, 'r1'), row(20, 'r2'));
    await test.runUntilIdle();
    await passTo(test, 1_000);
    expect(test.values(out)).toEqual(['a l0 r0', 'a l0 r1']);
    expect(test.values('write-late')).toEqual(['l1', 'r2']);
  });

  test('keeps nothing of a key behind the last interval', async () => {
    const job = joining((one, other) => one.intervalJoin('join', other, { lowerBoundMs: -10, upperBoundMs: 20, join: pair }));
    const test = testJob(job);
    test.push(left, row(0, 'l0'));
    test.push(right, row(0, 'r0'));
    await test.runUntilIdle();
    await passTo(test, 19);
    expect(await test.state('join', 'a')).toEqual({ left: new Map([[{ timeMs: 0, sequence: 0 }, expect.anything()]]), right: new Map() });
    await passTo(test, 20);
    expect(await test.state('join', 'a')).toEqual({ left: new Map(), right: new Map() });
    expect(await test.timers('join', 'a')).toEqual({ event: [], processing: [] });
  });

  test('may change in place what it is given: no other result sees that', async () => {
    const job = joining((one, other) =>
      one.intervalJoin('join', other, {
        lowerBoundMs: -10,
        upperBoundMs: 10,
        join: (l, r) => {
          (l as { name: string }).name += '!';
          (r as { name: string }).name += '?';
          return `${l.name} ${r.name}`;
        },
      }),
    );
    const test = testJob(job);
    test.push(left, row(0, 'l0'), row(1, 'l1'));
    test.push(right, row(0, 'r0'), row(2, 'r1'));
    await test.runUntilIdle();
    await passTo(test, 100);
    expect([...test.values(out)].sort()).toEqual(['l0! r0?', 'l0! r1?', 'l1! r0?', 'l1! r1?']);
  });
});

test('a table join gives the newest that was read, deletions too; of an epoch the table comes first', async () => {
  const job = joining((one, table) => one.tableJoin('join', table, { type: 'left', isDeleted: ({ name }) => name === '', join: pair }));
  const test = testJob(job);
  const push = (to: typeof left, at: number, name: string) => test.push(to, { key: 'a', at, name });
  push(left, 5, 'l0');
  push(right, 9, 'r0');
  await test.runUntilIdle();
  push(right, 1, 'r1');
  push(left, 0, 'l1');
  await test.runUntilIdle();
  push(left, 0, 'l2');
  push(right, 2, '');
  await test.runUntilIdle();
  expect(test.values(out)).toEqual(['a l0 r0', 'a l1 r1', 'a l2 alone']);
});

test('an isDeleted that answers with a promise fails, and is not taken for a yes', async () => {
  const later = { isDeleted: (() => Promise.resolve(false)) as unknown as (row: Row) => boolean };
  const deletions = { isLeftDeleted: later.isDeleted, isRightDeleted: later.isDeleted };
  const told = /isDeleted returned a promise; user functions return their result at once/;
  for (const job of [
    joining((one, table) => one.tableJoin('join', table, { ...later, join: pair })),
    joining((one, table) => one.joinTables('join', table, { ...deletions, join: pair }).map(({ key }) => key)),
  ]) {
    const test = testJob(job);
    test.push(right, { key: 'a', at: 1, name: 'r0' });
    await expect(test.runUntilIdle()).rejects.toThrow(told);
  }
});

test('a join that fails in order of time says which row of which key it was, and that nothing leaves that out', async () => {
  const fails = () => {
    throw new Error('no such rate');
  };
  const test = testJob(joining((one, versions) => one.asOfJoin('join', versions, { type: 'left', join: fails })));
  test.push(left, { key: 'a', at: 1, name: 'l0' });
  await test.runUntilIdle();
  await expect(passTo(test, 10)).rejects.toThrow(
    /join, row of time 1 of key a: Error: no such rate\. What fails when its time has come, a timer or a row that has waited, is no record that could be left out/,
  );
});

test('deduplicate gives the first of each key, and after its time another', async () => {
  const words = kafkaSource({ topic: 'words', value: utf8 });
  const job = defineJob('once', (builder) => {
    const keyed = builder.source('read', words).keyBy((word) => word.slice(0, 1), utf8);
    keyed.deduplicate('ever').sink('write', out);
    keyed.deduplicate('a-while', { forMs: 100 }).sink('write-again', kafkaSink({ topic: 'again', value: utf8 }));
  });
  const test = testJob(job);
  test.push(words, 'a1', 'a2', 'b1');
  await test.runUntilIdle();
  await test.advanceProcessingTime({ byMs: 99 });
  test.push(words, 'a3');
  await test.runUntilIdle();
  await test.advanceProcessingTime({ byMs: 1 });
  test.push(words, 'a4', 'c1');
  await test.runUntilIdle();
  expect([...test.values(out)].sort()).toEqual(['a1', 'b1', 'c1']);
  expect([...test.values('write-again')].sort()).toEqual(['a1', 'a4', 'b1', 'c1']);
});

test('the types of both sides come to the join, and its result goes on', () => {
  defineJob('typed', (job) => {
    const [lefts, rights] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
    const inner = lefts.intervalJoin('inner', rights, { lowerBoundMs: 0, upperBoundMs: 1, join: (one, other) => one.at + other.at });
    expectTypeOf(inner).toEqualTypeOf<OrderedStream<number, Row>>();
    byKey(job.source('again', kafkaSource({ topic: 'again', value: json<Row>(), eventTime }))).asOfJoin(
      'left',
      byKey(job.source('more', kafkaSource({ topic: 'more', value: json<Row>(), eventTime }))),
      {
        type: 'left',
        join: (_, version) => {
          expectTypeOf(version).toEqualTypeOf<Row | undefined>();
          return 1;
        },
      },
    );
  });
});

describe('a job is refused', () => {
  const define = (build: (lefts: KeyedStream<string, Row>, rights: KeyedStream<string, Row>, job: JobBuilder) => unknown) => () =>
    defineJob('odd', (job) => {
      const [lefts, rights] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
      rights.deduplicate('read');
      build(lefts, rights, job);
    });
  const join = () => 0;

  test.each<[string, ReturnType<typeof define>, string]>([
    [
      'whose bounds are the wrong way round',
      define((one, other) => one.intervalJoin('join', other, { lowerBoundMs: 5, upperBoundMs: -5, join })),
      'job odd: intervalJoin join: lowerBoundMs is 5, above upperBoundMs, which is -5: no row could belong to another; turn them round',
    ],
    [
      'whose bound is no number',
      define((one, other) => one.intervalJoin('join', other, { lowerBoundMs: 0, upperBoundMs: Number.NaN, join })),
      'job odd: intervalJoin join: upperBoundMs is NaN, and must be whole milliseconds',
    ],
    [
      'whose bound is beyond all times',
      define((one, other) => one.intervalJoin('join', other, { lowerBoundMs: 0, upperBoundMs: Number.MAX_SAFE_INTEGER, join })),
      'job odd: intervalJoin join: upperBoundMs is 9007199254740991, and may be 31536000000000 at most (a thousand years)',
    ],
    [
      'whose type is unknown',
      define((one, other) => one.asOfJoin('join', other, { type: 'outer' as 'inner', join })),
      "job odd: asOfJoin join: type is \"outer\", and may be 'inner' or 'left'",
    ],
    [
      'whose join is async',
      define((one, other) => one.tableJoin('join', other, { join: async () => 0 })),
      'job odd: tableJoin join: join is async',
    ],
    [
      'that joins a stream with itself',
      define((one) => one.tableJoin('join', one, { join })),
      'job odd: tableJoin join joins a stream with itself: give one side a keyBy of its own',
    ],
    [
      'that joins with no stream by key',
      define((one) => one.tableJoin('join', {} as KeyedStream<string, Row>, { join })),
      'job odd: tableJoin join: what it joins with is not a stream by key: give it stream.keyBy(…)',
    ],
    [
      'whose table has keys of another serde',
      define((one, _, job) =>
        one.tableJoin(
          'join',
          job.source('table', kafkaSource({ topic: 'table', value: json<Row>() })).keyBy(({ key }) => key, json<string>()),
          {
            join,
          },
        ),
      ),
      'job odd: stage join is reached by keys of serde json and of serde utf8; the keys of one stage have one serde: give each keyBy before it the same one',
    ],
    [
      'that joins by event time behind a source without it',
      define((one, _, job) =>
        one.asOfJoin('join', byKey(job.source('timeless', kafkaSource({ topic: 'timeless', value: json<Row>() }))), { join }),
      ),
      'job odd: join works by event time, and source timeless before it has none',
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });
});
