import { describe, expect, test } from 'vitest';
import {
  connect,
  defineJob,
  float64,
  int64,
  json,
  type KeyedContext,
  kafkaSink,
  kafkaSource,
  mapState,
  type Output,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { type TestOptions, testJob } from '../../../lib/testing/index.ts';

interface Limit {
  readonly country: string;
  readonly most: number;
}
interface Payment {
  readonly card: string;
  readonly country: string;
  readonly amount: number;
}

const limits = kafkaSource({ topic: 'limits', value: json<Limit>() });
const payments = kafkaSource({ topic: 'payments', value: json<Payment>() });
const refused = kafkaSink({ topic: 'refused', value: utf8 });

const job = defineJob('limits', (builder) => {
  const paid = builder.source('read-payments', payments).keyBy(({ card }) => card, utf8);
  connect({ payments: paid, limits: builder.source('read-limits', limits).broadcast() })
    .process('check', {
      state: { n: valueState(int64, 0) },
      broadcastState: { limit: mapState(utf8, float64), said: valueState(utf8, '') },
      on: {
        limits({ country, most }, { limit, said }) {
          limit.set(country, most);
          said.update((before) => `${before}${country}${most} `);
        },
        payments({ country, amount }, { n, limit, said }, out: Output<string>, { key }) {
          const most = limit.get(country) ?? Number.POSITIVE_INFINITY;
          if (amount > most) out.emit(`${key} ${n.update((before) => before + 1)} above ${most} (${said.get().trim()})`);
        },
      },
    })
    .sink('write', refused);
});

const CARDS = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay'];
const run = (options: TestOptions = {}) => testJob(job, options);
const pay = (amount: number): Payment[] => CARDS.map((card) => ({ card, country: 'at', amount }));

test('what is broadcast is known to the records of its epoch, whichever of them was there first', async () => {
  const test = run();
  test.push(payments, ...pay(10));
  test.push(limits, { country: 'at', most: 5 });
  await test.runEpoch();
  expect(test.values(refused)).toEqual(CARDS.map((card) => `${card} 1 above 5 (at5)`));
});

test.each([1, 2, 3, 5])('each of %i subtasks holds what was broadcast, in this epoch and the next', async (parallelism) => {
  const test = run({ parallelism: { check: parallelism }, partitions: 3 });
  test.push(limits, { country: 'at', most: 5 });
  test.push(payments, ...pay(6));
  await test.runUntilIdle();
  test.push(payments, ...pay(7));
  await test.runUntilIdle();
  const expected = CARDS.flatMap((card) => [`${card} 1 above 5 (at5)`, `${card} 2 above 5 (at5)`]);
  expect([...test.values(refused)].sort()).toEqual(expected.sort());
  expect(await test.broadcastState('check')).toEqual({ limit: new Map([['at', 5]]), said: 'at5 ' });
});

test('within an epoch what is broadcast comes in the order of source, partition and offset, however it is read', async () => {
  for (const parallelism of [1, 2, 3]) {
    const test = run({ parallelism: { 'read-limits': parallelism, check: 2 }, partitions: { limits: 3 } });
    // Round by round to the partitions 0, 1, 2.
    test.push(limits, ...[1, 2, 3, 4, 5, 6].map((most) => ({ country: 'at', most })));
    await test.runUntilIdle();
    expect(await test.broadcastState('check')).toEqual({ limit: new Map([['at', 6]]), said: 'at1 at4 at2 at5 at3 at6 ' });
  }
});

test('it is there after a crash, from a snapshot, and at another parallelism', async () => {
  const test = run({ parallelism: 2, partitions: 2 });
  test.push(limits, { country: 'at', most: 5 });
  await test.runUntilIdle();
  test.push(limits, { country: 'at', most: 1 });
  test.push(payments, ...pay(4));
  await test.crash();
  await test.crash({ of: 'coordinator', before: 'write' });
  await test.runUntilIdle();
  expect([...test.values(refused)].sort()).toEqual(CARDS.map((card) => `${card} 1 above 1 (at5 at1)`));
  for (const parallelism of [5, 1, 3]) {
    test.restore({ parallelism });
    test.push(payments, ...pay(2));
    await test.runUntilIdle();
  }
  expect([...test.values(refused)].sort()).toEqual(
    CARDS.flatMap((card) => [1, 2, 3, 4].map((n) => `${card} ${n} above 1 (at5 at1)`)).sort(),
  );
});

test('an attempt that was lost leaves nothing of it in functions that stay warm', async () => {
  const test = run({ parallelism: { check: 3 } });
  test.push(limits, { country: 'at', most: 5 });
  await test.crash({ of: 'coordinator' });
  test.push(limits, { country: 'de', most: 6 });
  test.push(payments, ...pay(9));
  await test.runUntilIdle();
  expect([...test.values(refused)].sort()).toEqual(CARDS.map((card) => `${card} 1 above 5 (at5 de6)`));
});

describe('records that were not broadcast, and timers, only read it', () => {
  type State = Parameters<Parameters<typeof changing>[0]>[0];
  const lists = kafkaSource({ topic: 'lists', value: json<string[]>() });
  const words = kafkaSource({ topic: 'words', value: utf8 });
  function changing(
    change: (state: {
      readonly known: { get(key: string): string[] | undefined; set?(key: string, value: string[]): void; delete?(key: string): boolean };
      readonly n: { get(): number; set?(n: number): void };
    }) => void,
    when: 'record' | 'timer' = 'record',
  ) {
    return testJob(
      defineJob('changing', (builder) => {
        const keyed = builder.source('read-words', words).keyBy((word) => word, utf8);
        connect({ words: keyed, lists: builder.source('read-lists', lists).broadcast() }).process('change', {
          timers: 'processing-time',
          broadcastState: { known: mapState(utf8, json<string[]>()), n: valueState(int64, 0) },
          on: {
            lists(list, { known, n }) {
              known.set('list', list);
              n.update((before) => before + 1);
            },
            words(_word, state, _out, { processingTimeMs, timers }) {
              if (when === 'record') change(state);
              else timers.setProcessingTime(processingTimeMs);
            },
          },
          onTimer(_timer, state) {
            change(state);
          },
        });
      }),
    );
  }
  const READ_ONLY = 'the broadcast state of change is changed by a record that was not broadcast, or by a timer';

  test.each<[string, (state: State) => void]>([
    ['a value that is set', ({ n }) => n.set?.(5)],
    ['an entry that is set', ({ known }) => known.set?.('other', [])],
    ['an entry that is deleted', ({ known }) => known.delete?.('list')],
    ['an object that is changed in place', ({ known }) => known.get('list')?.push('x')],
  ])('%s is an error, also when the state has changed in this epoch', async (_, change) => {
    for (const when of ['record', 'timer'] as const)
      for (const isNew of [true, false]) {
        const test = changing(change, when);
        test.push(lists, ['a']);
        if (!isNew) await test.runUntilIdle();
        test.push(words, 'word');
        await expect(test.runUntilIdle(), `${when}, ${isNew}`).rejects.toThrow(READ_ONLY);
        expect(await test.broadcastState('change')).toEqual({ known: new Map(isNew ? [] : [['list', ['a']]]), n: isNew ? 0 : 1 });
      }
  });

  test('what they read, and what they write that it holds already, is no error', async () => {
    const test = changing(({ known }) => void [...(known.get('list') ?? [])].push('x'));
    test.push(lists, ['a']);
    test.push(words, 'word');
    await test.runUntilIdle();
    expect(await test.broadcastState('change')).toEqual({ known: new Map([['list', ['a']]]), n: 1 });
  });
});

test.each<[string, (out: Output<string>, context: KeyedContext<string>) => unknown]>([
  ['out.emit', (out) => out.emit('once for each subtask')],
  ['context.key', (_, { key }) => key],
  ['context.timers', (_, { timers }) => timers.setProcessingTime(1)],
])('%s of a record is of no use to the functions that take what is broadcast', async (what, use) => {
  let kept: (() => unknown) | undefined;
  const keeping = defineJob('keeping', (builder) => {
    const keyed = builder.source('read-payments', payments).keyBy(({ card }) => card, utf8);
    connect({ payments: keyed, limits: builder.source('read-limits', limits).broadcast() })
      .process('check', {
        timers: 'processing-time',
        on: {
          payments(_payment, _state, out: Output<string>, context) {
            kept = () => use(out, context);
          },
          limits() {
            kept?.();
          },
        },
        onTimer() {},
      })
      .sink('write', refused);
  });
  const test = testJob(keeping);
  test.push(payments, ...pay(1));
  await test.runUntilIdle();
  test.push(limits, { country: 'at', most: 1 });
  await expect(test.runUntilIdle()).rejects.toThrow(`${what} was used outside of its record`);
});

test('what a broadcast function throws names operator and record', async () => {
  const odd = defineJob('odd', (builder) => {
    const keyed = builder.source('read-payments', payments).keyBy(({ card }) => card, utf8);
    connect({ payments: keyed, limits: builder.source('read-limits', limits).broadcast() }).process('check', {
      on: {
        payments() {},
        limits({ most }) {
          if (most < 0) throw new Error('a limit below zero');
        },
      },
    });
  });
  const test = testJob(odd, { parallelism: 2 });
  test.push(limits, { country: 'at', most: 1 }, { country: 'de', most: -1 });
  await expect(test.runUntilIdle()).rejects.toThrow('check at topic limits, partition 0, offset 1: Error: a limit below zero');
});
