import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  connect,
  type DataStream,
  defineJob,
  int64,
  type JobBuilder,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type OrderedStream,
  type Output,
  type SideStreams,
  sideOutput,
  tumblingWindows,
  utf8,
  valueState,
  type WindowStream,
} from '../../../lib/api/index.ts';
import { JobDefinitionError } from '../../../lib/graph/job.ts';
import { UserCodeError } from '../../../lib/records/errors.ts';
import { testJob } from '../../../lib/testing/index.ts';

interface Order {
  readonly id: string;
  readonly total: number;
  readonly notes: string[];
}

const eventTime = { maxOutOfOrdernessMs: 0 };
const orders = kafkaSource({ topic: 'orders', value: json<Order>(), eventTime });
const out = kafkaSink({ topic: 'out', value: utf8 });
const aside = kafkaSink({ topic: 'aside', value: utf8 });
const byId = (job: JobBuilder): KeyedStream<string, Order> => job.source('read', orders).keyBy(({ id }) => id, utf8);
const order = (id: string, total: number): Order => ({ id, total, notes: [] });

describe('types', () => {
  test('what goes aside has the type that is declared, where it is emitted and where it is read', () => {
    defineJob('typed', (job) => {
      const checked = byId(job).process('check', {
        state: { n: valueState(int64, 0) },
        sideOutputs: { refused: sideOutput<string>(), large: sideOutput<Order>() },
        onRecord(given, { n }, to: Output<number>, { key, sideOutputs }) {
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf(sideOutputs.refused).toEqualTypeOf<Output<string>>();
          expectTypeOf(sideOutputs.large).toEqualTypeOf<Output<Order>>();
          // @ts-expect-error -- an order is no text
          sideOutputs.refused.emit(given);
          // @ts-expect-error -- no such side output is declared
          sideOutputs.small?.emit(given);
          to.emit(n.get());
        },
      });
      expectTypeOf(checked).toExtend<DataStream<number>>();
      expectTypeOf(checked.sideOutput('refused')).toEqualTypeOf<DataStream<string>>();
      expectTypeOf(checked.sideOutput('large')).toEqualTypeOf<DataStream<Order>>();
      // @ts-expect-error -- no such side output is declared
      expect(() => checked.sideOutput('small')).toThrow(JobDefinitionError);
      // @ts-expect-error -- orders do not fit a sink of texts
      checked.sideOutput('large').sink('write', aside);
    });
  });

  test('an operator that declares none gives a stream without, one in order of time and windows give theirs beside what is late', () => {
    defineJob('others', (job) => {
      const keyed = byId(job);
      expectTypeOf(keyed.process('plain', { state: {}, onRecord: () => {} })).toEqualTypeOf<DataStream<never>>();
      const sideOutputs = { refused: sideOutput<string>() };
      expectTypeOf(keyed.process('ordered', { state: {}, inTimeOrder: true, sideOutputs, onRecord: () => {} })).toEqualTypeOf<
        OrderedStream<never, Order> & SideStreams<typeof sideOutputs>
      >();
      const windows = keyed.window(tumblingWindows({ sizeMs: 10 })).process('windows', () => {}, json<Order>(), { sideOutputs });
      expectTypeOf(windows).toEqualTypeOf<WindowStream<never, Order> & SideStreams<typeof sideOutputs>>();
    });
  });
});

describe('when the job is defined', () => {
  const defining = (define: (keyed: KeyedStream<string, Order>) => void) => () => defineJob('refused', (job) => define(byId(job)));
  const declaring = (sideOutputs: object) => (keyed: KeyedStream<string, Order>) =>
    keyed.process('check', { state: {}, sideOutputs: sideOutputs as Record<never, never>, onRecord: () => {} }) as unknown as {
      sideOutput(name: string): DataStream<unknown>;
    };

  test('a side output that is not declared is refused, with those that are', () => {
    const declared = { refused: sideOutput<string>(), large: sideOutput<string>() };
    expect(defining((keyed) => declaring(declared)(keyed).sideOutput('refussed'))).toThrow(
      'job refused: check has no side output "refussed": those are refused, large',
    );
    expect(defining((keyed) => declaring({})(keyed).sideOutput('constructor'))).toThrow(
      'job refused: check has no side output "constructor": declare it: sideOutputs: { refused: sideOutput<Order>() }',
    );
  });

  test('what is declared under no name, a taken name, or by something else is refused', () => {
    expect(defining(declaring({ 'no name': sideOutput() }))).toThrow('side output of check "no name" must be 1 to 60 characters');
    expect(defining(declaring({ late: sideOutput() }))).toThrow(
      'side output late of check: late is the name of what comes too late: give it another',
    );
    expect(defining(declaring({ refused: utf8 }))).toThrow('is no side output: declare it by sideOutput<Order>()');
  });

  test('an operator that reads what another behind the same keyBy gives aside is refused as one that waits for itself', () => {
    expect(
      defining((keyed) => {
        const refused = keyed
          .process('check', { state: {}, sideOutputs: { refused: sideOutput<string>() }, onRecord: () => {} })
          .sideOutput('refused')
          .keyBy((text) => text, utf8);
        connect({ keyed, refused }).process('again', { on: { keyed: () => {}, refused: () => {} } });
      }),
    ).toThrow('would wait for what is made of its own output');
  });
});

/** Emits the same object to three, with what each makes of it. */
function parting() {
  const noting = (note: string) => (given: Order) => {
    given.notes.push(note);
    return `${given.id} ${given.total}: ${given.notes.join(' ')}`;
  };
  return defineJob('parting', (job) => {
    const parted = byId(job).process('part', {
      state: { last: valueState(json<Order>()) },
      sideOutputs: { one: sideOutput<Order>(), other: sideOutput<Order>(), unread: sideOutput<Order>() },
      onRecord(given, { last }, to: Output<Order>, { timers, timestamp, sideOutputs: { one, other, unread } }) {
        last.set(given);
        unread.emit(given);
        one.emit(given);
        to.emit(given);
        if (given.total > 1) other.emit(given);
        timers.setEventTime(timestamp + 10);
      },
      onTimer({ timeMs }, { last }, _to, { key, sideOutputs }) {
        sideOutputs.one.emit({ id: key, total: timeMs, notes: [...(last.get()?.notes ?? []), 'timer'] });
      },
    });
    parted.map(noting('main')).sink('write', out);
    const one = parted.sideOutput('one');
    // What two operators of one stage make is one stream, and written by one sink.
    one
      .map(noting('one'))
      .union(parted.sideOutput('other').map(noting('other')))
      .sink('write-aside', aside);
    one
      .keyBy(({ total }) => total % 2, int64)
      .process('count', {
        state: { n: valueState(int64, 0) },
        onRecord({ id, notes }, { n }, to: Output<string>, { key, timestamp }) {
          to.emit(`${key} ${n.update((before) => before + 1)} at ${timestamp}: ${id} ${notes.join(' ')}`);
        },
      })
      .sink('write-count', kafkaSink({ topic: 'counts', value: utf8 }));
  });
}

describe('what goes aside', () => {
  test('reaches the streams of its name alone, a copy each, with key and timestamp of what it is made of', async () => {
    for (const parallelism of [1, 3])
      for (const maxRecords of [1, 2, 100]) {
        const job = testJob(parting(), { parallelism });
        job.pushRecords(orders, { value: order('a', 1), timestamp: 5 }, { value: order('b', 2), timestamp: 6 });
        await job.runUntilIdle({ maxRecords });
        job.restore({ parallelism: 2 });
        await job.advanceWatermark('read', 100);
        expect([...job.values(out)].sort()).toEqual(['a 1: main', 'b 2: main']);
        const asides = ['a 15: timer one', 'a 1: one', 'b 16: timer one', 'b 2: one', 'b 2: other'];
        expect([...job.values(aside)].sort()).toEqual(asides);
        expect([...job.values('write-count')].sort()).toEqual(['0 1 at 6: b ', '0 2 at 16: b timer', '1 1 at 5: a ', '1 2 at 15: a timer']);
        expect(job.output(aside).every(({ timestamp }) => timestamp < 17)).toBe(true);
      }
  });

  test('of windows goes aside by `process`', async () => {
    const job = testJob(
      defineJob('windows', (builder) => {
        const listed = byId(builder)
          .window(tumblingWindows({ sizeMs: 10 }))
          .process(
            'list',
            (all, { key, startMs, sideOutputs }, to: Output<string>) => {
              if (all.length > 1) sideOutputs.several.emit(`${key} from ${startMs}: ${all.length}`);
              else to.emit(`${key} from ${startMs}`);
            },
            json<Order>(),
            { sideOutputs: { several: sideOutput<string>() } },
          );
        listed.sink('write', out);
        listed.sideOutput('several').sink('write-aside', aside);
        listed.late.map(({ id }) => `${id} is late`).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
      }),
    );
    job.pushRecords(orders, ...[1, 2, 11].map((timestamp) => ({ value: order('a', 1), timestamp })));
    await job.runUntilIdle();
    await job.advanceWatermark('read', 100);
    job.pushRecords(orders, { value: order('a', 1), timestamp: 3 });
    await job.runUntilIdle();
    expect([job.values(out), job.values(aside), job.values('write-late')]).toEqual([['a from 10'], ['a from 0: 2'], ['a is late']]);
    expect(job.output(aside).map(({ timestamp }) => timestamp)).toEqual([9]);
  });

  test('is refused outside of its record, and as a promise', async () => {
    let kept: Output<unknown> | undefined;
    const job = testJob(
      defineJob('keeping', (builder) => {
        byId(builder)
          .process('keep', {
            state: {},
            sideOutputs: { some: sideOutput<unknown>() },
            onRecord({ total }, _, _to, { sideOutputs: { some } }) {
              if (total === 0) some.emit(Promise.resolve(1));
              kept = some;
            },
          })
          .sideOutput('some')
          .sink('write', kafkaSink({ topic: 'some', value: json() }));
      }),
    );
    job.push(orders, order('a', 1));
    await job.runUntilIdle();
    expect(() => kept?.emit(1)).toThrow('sideOutputs.some.emit was used outside of its record');
    job.push(orders, order('a', 0));
    await expect(job.runUntilIdle()).rejects.toThrow(UserCodeError);
  });
});

describe('a stream', () => {
  test('into two sinks is written by both, and two streams into one topic, or one sink, by all that is in them', async () => {
    const job = testJob(
      defineJob('shapes', (builder) => {
        const [one, other] = [
          builder.source('read', orders),
          builder.source('read-more', kafkaSource({ topic: 'more', value: json<Order>() })),
        ];
        one.map(({ id }) => `${id} first`).sink('write-first', out);
        one.map(({ id }) => `${id} second`).sink('write-second', aside);
        other.map(({ id }) => `${id} more`).sink('write-more', out);
        const both = kafkaSink({ topic: 'both', value: utf8 });
        one
          .union(other)
          .map(({ id }) => id)
          .sink('write-both', both);
      }),
      { parallelism: 2, partitions: 2 },
    );
    job.push(orders, order('a', 1), order('b', 1));
    job.push('read-more', order('c', 1));
    await job.runUntilIdle({ maxRecords: 1 });
    const valuesOf = (sink: string) => [...job.values(sink)].sort();
    expect(valuesOf('write-first')).toEqual(['a first', 'b first']);
    expect(valuesOf('write-second')).toEqual(['a second', 'b second']);
    expect(valuesOf('write-more')).toEqual(['c more']);
    expect(valuesOf('write-both')).toEqual(['a', 'b', 'c']);
  });

  test('that parts is changed by no branch for another, also where one of them is a union', async () => {
    const job = testJob(
      defineJob('branches', (builder) => {
        const [one, other] = [
          builder.source('read', orders),
          builder.source('read-more', kafkaSource({ topic: 'more', value: json<Order>() })),
        ];
        const changed = (way: string) => (given: Order) => {
          given.notes.push(way);
          return `${given.id}: ${given.notes.join(' ')}`;
        };
        one.union(other).map(changed('union')).sink('write-union', aside);
        one.map(changed('alone')).sink('write', out);
      }),
    );
    job.push(orders, order('a', 1));
    await job.runUntilIdle();
    expect([job.values(out), job.values(aside)]).toEqual([['a: alone'], ['a: union']]);
  });
});
