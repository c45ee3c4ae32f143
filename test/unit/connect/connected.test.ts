import { expect, test } from 'vitest';
import { connect, defineJob, int64, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { testJob } from '../../../lib/testing/index.ts';

interface Event {
  readonly id: string;
  readonly at: number;
  readonly what: string;
}

const eventTime = { timestamp: ({ at }: Event) => at, maxOutOfOrdernessMs: 1_000 };
const left = kafkaSource({ topic: 'left', value: json<Event>(), eventTime });
const right = kafkaSource({ topic: 'right', value: json<Event>(), eventTime });
const out = kafkaSink({ topic: 'out', value: utf8 });
const byId = ({ id }: Event) => id;

function meeting(inTimeOrder: boolean) {
  return defineJob('meeting', (builder) => {
    const inputs = {
      left: builder.source('read-left', left).keyBy(byId, utf8),
      // The values of two inputs may cross in two ways.
      right: builder.source('read-right', right).keyBy(byId, utf8, { value: json<Event>() }),
    };
    const operator = {
      state: { last: valueState(utf8, 'nothing') },
      on: {
        left({ what }: Event, { last }: { last: { get(): string; set(to: string): void } }, out: Output<string>) {
          out.emit(`${what} behind ${last.get()}`);
          last.set(what);
        },
        right({ what }: Event, { last }: { last: { get(): string; set(to: string): void } }) {
          last.set(`right ${what}`);
        },
      },
    };
    const connected = connect(inputs);
    (inTimeOrder ? connected.process('meet', { ...operator, inTimeOrder }) : connected.process('meet', operator)).sink('write', out);
  });
}

const event = (at: number, what = `${at}`): Event => ({ id: 'a', at, what });

test('each stream has a function of its own, and one state of the key; of an epoch the first stream comes first', async () => {
  const test = testJob(meeting(false));
  test.push(right, event(1));
  test.push(left, event(2), event(3));
  await test.runUntilIdle();
  test.push(left, event(4));
  await test.runUntilIdle();
  expect(test.values(out)).toEqual(['2 behind nothing', '3 behind 2', '4 behind right 1']);
});

test('of an epoch the streams come in the order of the operator, also when another one before it reads the second alone', async () => {
  const job = defineJob('shared', (builder) => {
    const lefts = builder.source('read-left', left).keyBy(byId, utf8);
    const rights = builder.source('read-right', right).keyBy(byId, utf8);
    rights.process('alone', { state: {}, onRecord() {} });
    connect({ left: lefts, right: rights })
      .process('meet', {
        on: {
          left: ({ what }, _, output: Output<string>) => output.emit(`left ${what}`),
          right: ({ what }, _, output: Output<string>) => output.emit(`right ${what}`),
        },
      })
      .sink('write', out);
  });
  const test = testJob(job);
  test.push(right, event(1));
  test.push(left, event(2));
  await test.runUntilIdle();
  expect(test.values(out)).toEqual(['left 2', 'right 1']);
});

test('two operators that read the same streams in opposite orders are refused, unless they work in order of time', () => {
  const define = (inTimeOrder: boolean) => () =>
    defineJob('opposite', (builder) => {
      const lefts = builder.source('read-left', left).keyBy(byId, utf8);
      const rights = builder.source('read-right', right).keyBy(byId, utf8);
      const on = { left() {}, right() {} };
      const there = connect({ left: lefts, right: rights });
      if (inTimeOrder) there.process('there', { inTimeOrder, on });
      else there.process('there', { on });
      connect({ right: rights, left: lefts }).process('back', { on });
    });
  expect(define(true)).not.toThrow();
  expect(define(false)).toThrow(
    'job opposite: stage there: its operators (there, back) read the same streams in different orders, and it reads all of one before the next: name them in one order everywhere, or give an operator keyBys of its own',
  );
});

test('in order of time the rows of all streams are one sequence, whatever epochs they come in, and each goes to its own function', async () => {
  const lefts = [100, 300, 500, 700].map((at) => event(at));
  const rights = [200, 300, 400, 600].map((at) => event(at));
  // Of one time in the order of the sources' uids.
  const expected = ['100 behind nothing', '300 behind right 200', '500 behind right 400', '700 behind right 600'];
  for (const maxRecords of [1, 2, 3, 100])
    for (const parallelism of [1, 3]) {
      const test = testJob(meeting(true), { parallelism });
      test.push(left, ...lefts, event(5_000));
      test.push(right, ...rights, event(5_000));
      await test.runUntilIdle({ maxRecords });
      test.restore({ parallelism: 4 - parallelism });
      await test.advanceWatermark('read-left', 4_500);
      await test.advanceWatermark('read-right', 4_500);
      expect(test.values(out), `${maxRecords} a time, ${parallelism} subtasks`).toEqual(expected);
    }
});

test('rows that wait are of the streams that they came from: a job in which these have other names or another order is refused', async () => {
  const define = (names: readonly ['left' | 'right', 'left' | 'right']) =>
    defineJob('renamed', (builder) => {
      const keyed = {
        left: builder.source('read-left', left).keyBy(byId, utf8),
        right: builder.source('read-right', right).keyBy(byId, utf8),
      };
      const inputs = Object.fromEntries(names.map((name) => [name, keyed[name]])) as typeof keyed;
      connect(inputs)
        .process('meet', {
          inTimeOrder: true,
          on: {
            left: ({ what }, _, output: Output<string>) => output.emit(`left ${what}`),
            right: ({ what }, _, output: Output<string>) => output.emit(`right ${what}`),
          },
        })
        .sink('write', out);
    });
  const of = (names: Parameters<typeof define>[0]) => fingerprint(describeGraph(define(names)));
  expect(checkCompatible(of(['left', 'right']), of(['right', 'left']))).toEqual({
    outcome: 'incompatible',
    differences: [
      expect.stringContaining(
        'state of meet: @waiting had serde one of (left structured, right structured) and has now one of (right structured, left structured)',
      ),
    ],
  });
});

test('a union has the values of all its streams, and goes on like one', async () => {
  const words = kafkaSource({ topic: 'words', value: utf8 });
  const names = kafkaSource({ topic: 'names', value: utf8 });
  const job = defineJob('union', (builder) => {
    const all = builder.source('read-words', words).union(builder.source('read-names', names).map((name) => name.toUpperCase()));
    all.sink('copy', kafkaSink({ topic: 'copies', value: utf8 }));
    all
      .keyBy((word) => word.toLowerCase(), utf8)
      .process('count', {
        state: { n: valueState(int64, 0) },
        onRecord(word, { n }, out: Output<string>) {
          out.emit(`${word} ${n.update((before) => before + 1)}`);
        },
      })
      .sink('write', out);
  });
  const test = testJob(job, { parallelism: 2 });
  test.push(names, 'ann', 'bob');
  test.push(words, 'ann', 'cid');
  await test.runUntilIdle();
  expect([...test.values('copy')].sort()).toEqual(['ANN', 'BOB', 'ann', 'cid']);
  expect([...test.values(out)].sort()).toEqual(['ANN 2', 'BOB 1', 'ann 1', 'cid 1']);
});
