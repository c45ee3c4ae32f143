import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type DataStream,
  defineJob,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type TableChange,
  utf8,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { byKey, cuts, type Row } from './joining.ts';

type Type = 'inner' | 'left' | 'full';
type Keyed = KeyedStream<string, Row>;

// No event time: tables need none.
const left = kafkaSource({ topic: 'left', value: json<Row>() });
const right = kafkaSource({ topic: 'right', value: json<Row>() });
const out = kafkaSink({ topic: 'out', key: utf8, value: utf8, toRecord: (change: TableChange<string, string>) => change });

const isDeleted = ({ at }: Row) => at % 3 === 0;
const joinOf = (one: Row | undefined, other: Row | undefined) => `${one?.name ?? 'nothing'} ${other?.name ?? 'nothing'}`;

function joined(type: Type, one: Keyed, other: Keyed): DataStream<TableChange<string, string>> {
  const deletions = { isLeftDeleted: isDeleted, isRightDeleted: isDeleted };
  switch (type) {
    case 'inner':
      return one.joinTables('join', other, { ...deletions, join: joinOf });
    case 'left':
      return one.joinTables('join', other, { ...deletions, type, join: joinOf });
    case 'full':
      return one.joinTables('join', other, { ...deletions, type, join: joinOf });
  }
}

const tablesJob = (type: Type) =>
  defineJob('tables', (job) => {
    joined(type, byKey(job.source('read-left', left)), byKey(job.source('read-right', right))).sink('write', out);
  });

const rows = (side: string) =>
  fc
    .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 8 }) }), { maxLength: 14 })
    .map((all) => all.map(({ key, at }, index): Row => ({ key, at, name: `${side}${index}` })));

/** What both tables have together when all of it was read. */
function expected(type: Type, lefts: readonly Row[], rights: readonly Row[]): Map<string, string> {
  const tableOf = (all: readonly Row[], key: string) => {
    const last = all.filter((row) => row.key === key).at(-1);
    return last === undefined || isDeleted(last) ? undefined : last;
  };
  const table = new Map<string, string>();
  for (const key of ['a', 'b', 'c']) {
    const [one, other] = [tableOf(lefts, key), tableOf(rights, key)];
    const isThere = { inner: one && other, left: one, full: one ?? other }[type] !== undefined;
    if (isThere) table.set(key, joinOf(one, other));
  }
  return table;
}

test('two tables are joined as their last rows are, wherever epochs end, at any parallelism and after any restart', async () => {
  const types = fc.constantFrom<Type[]>('inner', 'left', 'full');
  await fc.assert(
    fc.asyncProperty(types, rows('l'), rows('r'), cuts, async (type, lefts, rights, { maxRecords, parallelism, restore }) => {
      const test = testJob(tablesJob(type), { parallelism });
      test.push(left, ...lefts);
      test.push(right, ...rights);
      await test.runEpoch({ maxRecords });
      if (restore) test.restore({ parallelism: 4 - parallelism });
      await test.runUntilIdle({ maxRecords });
      const table = new Map<string, string>();
      for (const { key, value } of test.output(out)) {
        // What is not there is not taken away.
        if (value === undefined) expect(table.delete(String(key))).toBe(true);
        else table.set(String(key), String(value));
      }
      expect(new Map([...table].sort())).toEqual(expected(type, lefts, rights));
    }),
    { numRuns: 60 },
  );
});

describe('a join of tables', () => {
  const row = (name: string, at = 1): Row => ({ key: 'a', at, name });
  const changesOf = async (type: Type, ...steps: readonly (readonly ['left' | 'right', Row])[]) => {
    const test = testJob(tablesJob(type));
    for (const [side, of] of steps) {
      test.push(side === 'left' ? left : right, of);
      await test.runUntilIdle();
    }
    return test.output(out).map(({ value }) => value);
  };

  test('gives a result for each change of either table', async () => {
    const changes = await changesOf('inner', ['left', row('l0')], ['right', row('r0')], ['left', row('l1')], ['right', row('r1')]);
    expect(changes).toEqual(['l0 r0', 'l1 r0', 'l1 r1']);
  });

  test('gives a tombstone when what there was is no more, and none for what never was', async () => {
    const changes = await changesOf(
      'inner',
      ['right', row('', 0)],
      ['left', row('l0')],
      ['left', row('', 0)],
      ['right', row('r0')],
      ['left', row('l1')],
      ['left', row('', 3)],
      ['left', row('', 3)],
    );
    expect(changes).toEqual(['l1 r0', undefined]);
  });

  test('of type left goes on without the right table, and ends with the left one', async () => {
    const changes = await changesOf(
      'left',
      ['left', row('l0')],
      ['right', row('r0')],
      ['right', row('', 0)],
      ['right', row('', 0)],
      ['left', row('', 0)],
      ['right', row('r1')],
    );
    expect(changes).toEqual(['l0 nothing', 'l0 r0', 'l0 nothing', undefined]);
  });

  test('of type full ends when both tables have nothing of the key', async () => {
    const changes = await changesOf('full', ['right', row('r0')], ['left', row('l0')], ['right', row('', 0)], ['left', row('', 0)]);
    expect(changes).toEqual(['nothing r0', 'l0 r0', 'l0 nothing', undefined]);
  });

  test('keeps nothing of a key that both tables have deleted', async () => {
    const test = testJob(tablesJob('inner'));
    test.push(left, row('l0'), row('', 0));
    test.push(right, row('r0'), row('', 0));
    await test.runUntilIdle();
    expect(await test.state('join', 'a')).toEqual({ left: undefined, right: undefined });
  });

  test('is a table itself: its changes are joined with a third one', async () => {
    const third = kafkaSource({ topic: 'third', value: json<Row>() });
    const job = defineJob('three', (builder) => {
      joined('inner', byKey(builder.source('read-left', left)), byKey(builder.source('read-right', right)))
        .keyBy(({ key }) => key, utf8)
        .joinTables('again', byKey(builder.source('read-third', third)), {
          isLeftDeleted: ({ value }) => value === undefined,
          join: ({ value }, { name }) => `${value} ${name}`,
        })
        .sink('write', out);
    });
    const test = testJob(job);
    test.push(left, row('l0'));
    test.push(right, row('r0'));
    test.push(third, row('t0'));
    await test.runUntilIdle();
    test.push(right, row('', 0));
    await test.runUntilIdle();
    expect(test.output(out).map(({ value }) => value)).toEqual(['l0 r0 t0', undefined]);
  });

  test('refuses a promise for a result', async () => {
    const job = defineJob('promise', (builder) => {
      byKey(builder.source('read-left', left))
        .joinTables('join', byKey(builder.source('read-right', right)), { type: 'left', join: (one) => Promise.resolve(one.name) })
        .map(({ key }) => key)
        .sink('write', kafkaSink({ topic: 'keys', value: utf8 }));
    });
    const test = testJob(job);
    test.push(left, row('l0'));
    await expect(test.runUntilIdle()).rejects.toThrow('returned a promise');
  });

  test('says what its changes are, and refuses a type that there is not', () => {
    defineJob('typed', (job) => {
      const [one, other] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
      expectTypeOf(one.joinTables('join', other, { join: (l, r) => l.at + r.at })).toEqualTypeOf<DataStream<TableChange<string, number>>>();
      expect(() => one.joinTables('odd', other, { type: 'right' as 'inner', join: () => 0 })).toThrow(
        "job typed: joinTables odd: type is \"right\", and may be 'inner', 'left' or 'full'; for a right one turn the tables round",
      );
      expect(() => one.joinTables('odd', one, { join: () => 0 })).toThrow(
        'job typed: joinTables odd joins a stream with itself: give one side a keyBy of its own',
      );
    });
  });
});
