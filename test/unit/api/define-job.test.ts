import { expect, expectTypeOf, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import failingAttempts from '../../../jobs/word-count-failing-attempts.ts';
import failingWords from '../../../jobs/word-count-failing-words.ts';
import {
  type AggregatingState,
  aggregatingState,
  type DataStream,
  defineJob,
  int64,
  type JobBuilder,
  JobDefinitionError,
  json,
  type KafkaSink,
  type KafkaSource,
  type KeyedStream,
  type KeySum,
  kafkaSink,
  kafkaSource,
  type ListState,
  listState,
  type MapState,
  mapState,
  type Output,
  type ReducingState,
  reducingState,
  type StateSpecs,
  utf8,
  type ValueState,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { parameters } from '../../../lib/config/parameters.ts';

const lines = kafkaSource({ topic: 'lines', value: utf8 });
const sink = kafkaSink({ topic: 'out', value: utf8 });
const keyed = (builder: JobBuilder) => builder.source('src', lines).keyBy((line) => line, utf8);
const job = (define: (builder: JobBuilder) => void) => () => defineJob('job', define);

test('the word count is a source, a flatMap, a keyBy, a keyed operator and a sink', () => {
  expect(wordCount.name).toBe('word-count');
  expect(wordCount.nodes.map(({ kind }) => kind)).toEqual(['source', 'flatMap', 'keyBy', 'process', 'sink']);
});

test('the failing jobs differ from it in name and in how they fail only', () => {
  for (const failing of [failingAttempts, failingWords]) {
    expect(failing.nodes.filter(({ kind }) => kind !== 'map').map((node) => ('uid' in node ? node.uid : node.kind))).toEqual([
      'read-lines',
      'flatMap',
      'keyBy',
      'count-words',
      'write-counts',
    ]);
  }
});

const withState = (state: StateSpecs) => job((b) => void keyed(b).process('op', { state, onRecord() {} }));

test.each<[string, unknown, RegExp]>([
  ['of 0', { ttlMs: 0 }, /state s of op: ttlMs is 0, and must be whole milliseconds, 1 at least/],
  ['that is negative', { ttlMs: -5 }, /ttlMs is -5, and must be whole milliseconds, 1 at least/],
  ['that is not whole', { ttlMs: 0.5 }, /ttlMs is 0.5, and must be/],
  ['that is a text', { ttlMs: '1h' }, /ttlMs is "1h", and must be/],
  ['without end', { ttlMs: Number.POSITIVE_INFINITY }, /ttlMs is Infinity, and must be/],
  ['that is not said', undefined, /ttlMs is undefined, and must be/],
  ['refreshed by what is no choice', { ttlMs: 1, refreshOn: 'read' }, /refreshOn is "read", and may be 'write' or 'read-and-write'/],
])('a time to live %s is refused when the job is defined', (_, options, message) => {
  const define = withState({ s: withTtl(valueState(int64, 0), options as { ttlMs: number }) });
  expect(define).toThrow(JobDefinitionError);
  expect(define).toThrow(message);
});

test('a time to live of a state that has one, or of what is no state, is refused', () => {
  const twice = withTtl(withTtl(listState(utf8), { ttlMs: 1 }), { ttlMs: 2 });
  expect(withState({ s: twice })).toThrow(/state s of op: it has a time to live already: take one withTtl out/);
  expect(withState({ s: withTtl(int64 as never, { ttlMs: 1 }) })).toThrow(/state s of op: Object is no state: declare it by/);
});

test('the same state with a time to live and without may stand beside each other', () => {
  const plain = valueState(int64, 0);
  const { nodes } = withState({ plain, aging: withTtl(plain, { ttlMs: 5, refreshOn: 'read-and-write' }) })();
  const node = nodes.find(({ kind }) => kind === 'process');
  expect(node?.kind === 'process' && node.states.map(({ ttl }) => ttl)).toEqual([undefined, { ttlMs: 5, refreshOn: 'read-and-write' }]);
});

test('a source starts at latest and a sink is exactly-once unless they say otherwise', () => {
  expect(lines.startingOffsets).toBe('latest');
  expect(kafkaSource({ topic: 'lines', value: utf8, startingOffsets: 'earliest' }).startingOffsets).toBe('earliest');
  expect(sink.delivery).toBe('exactly-once');
});

test.each([
  // As the code could name it before, as ONCEFLOW_JOB_NAME could, and as long as either.
  '-word-count',
  'Word_Count.2',
  'n'.repeat(64),
])('a job may be named %s, in its code and by ONCEFLOW_JOB_NAME', (name) => {
  expect(defineJob(name, (b) => void b.source('read', lines)).name).toBe(name);
  expect(parameters.jobName.schema.parse(name)).toBe(name);
});

test.each<[string, () => unknown, RegExp]>([
  ['a uid used twice', job((b) => b.source('same', lines).sink('same', sink)), /uid same is used twice/],
  ['a uid in capitals', job((b) => b.source('Read', lines)), /uid "Read" must be 1 to 60 characters of a-z 0-9 -/],
  ['an empty uid', job((b) => b.source('', lines)), /uid "" must be/],
  ['a job name with a slash', () => defineJob('a/b', () => {}), /job name "a\/b" must be/],
  ['a job without a source', job(() => {}), /job job has no source/],
  [
    'a keyBy without a keyed operator',
    job((b) => void b.source('src', lines).keyBy((line) => line, utf8)),
    /keyBy \(node 1\) behind src has no keyed operator behind it/,
  ],
  ['a topic that Kafka would refuse', () => kafkaSource({ topic: 'a b', value: utf8 }), /"a b" is no Kafka topic name/],
  ['a sink topic that Kafka would refuse', () => kafkaSink({ topic: '..', value: utf8 }), /"\.\." is no Kafka topic name/],
  ['an async map', job((b) => void b.source('src', lines).map(async (line) => line)), /job job: the function of map is async/],
  [
    'an async filter',
    job((b) => void b.source('src', lines).filter((async () => true) as unknown as () => boolean)),
    /function of filter is async/,
  ],
  [
    'an async generator as flatMap',
    job((b) => void b.source('src', lines).flatMap(async function* () {} as unknown as () => string[])),
    /function of flatMap is async/,
  ],
  [
    'an async key',
    job(
      (b) =>
        void b
          .source('src', lines)
          .keyBy(async () => '', utf8 as never)
          .sum('sum', () => 1),
    ),
    /function of keyBy is async/,
  ],
  [
    'an async onRecord',
    job(
      (b) =>
        void b
          .source('src', lines)
          .keyBy((line) => line, utf8)
          .process('op', { state: {}, async onRecord() {} }),
    ),
    /function of op is async/,
  ],
  [
    'a generator as onRecord',
    job(
      (b) =>
        void b
          .source('src', lines)
          .keyBy((line) => line, utf8)
          .process('op', { state: {}, *onRecord() {} }),
    ),
    /function of op is a generator/,
  ],
  ['an async select', () => kafkaSource({ topic: 't', value: utf8, select: async () => 1 }), /select of the source of topic t is async/],
  [
    'an async toRecord',
    () => kafkaSink({ topic: 't', value: utf8, toRecord: (async () => ({})) as never }),
    /toRecord of the sink to topic t is async/,
  ],
  ['an async definition', () => defineJob('job', async () => {}), /the definition of job job is async/],
  [
    'a serde that was not made',
    job((b) => b.source('src', kafkaSource({ topic: 't', value: json as never }))),
    /value of source src: function is no serde .*; call it if it makes one: json\(\)$/,
  ],
  [
    'a source without a serde',
    job((b) => b.source('src', kafkaSource({ topic: 't' } as never))),
    /value of source src: undefined is no serde/,
  ],
  [
    'a key without a serde',
    job((b) => void b.source('src', lines).keyBy((line) => line, 'utf8' as never)),
    /job job: key of keyBy: string is no serde/,
  ],
  [
    'a sink with half a serde',
    job((b) => b.source('src', lines).sink('out', kafkaSink({ topic: 't', value: { name: 'x' } as never }))),
    /value of sink out: Object is no serde/,
  ],
  [
    'a state without a serde',
    job((b) => void keyed(b).process('op', { state: { n: valueState(undefined as never) }, onRecord() {} })),
    /state n of op: undefined is no serde/,
  ],
  [
    'a list state without a serde',
    job((b) => void keyed(b).process('op', { state: { n: listState(undefined as never) }, onRecord() {} })),
    /state n of op: undefined is no serde/,
  ],
  [
    'a map state without a serde of its values',
    job((b) => void keyed(b).process('op', { state: { n: mapState(utf8, undefined as never) }, onRecord() {} })),
    /state n of op: value: undefined is no serde/,
  ],
  [
    'a map state without a serde of its keys',
    job((b) => void keyed(b).process('op', { state: { n: mapState(json as never, utf8) }, onRecord() {} })),
    /state n of op: key: function is no serde .*; call it if it makes one: json\(\)/,
  ],
  [
    'a reducing state without a function',
    job((b) => void keyed(b).process('op', { state: { n: reducingState(int64, undefined as never) }, onRecord() {} })),
    /state n of op: reduce is undefined, not a function/,
  ],
  [
    'a reducing state whose function is async',
    job((b) => void keyed(b).process('op', { state: { n: reducingState(int64, (async () => 1) as never) }, onRecord() {} })),
    /state n of op: reduce is async/,
  ],
  [
    'an aggregating state whose functions are async',
    job(
      (b) =>
        void keyed(b).process('op', {
          state: { n: aggregatingState(int64, { initial: 0, add: (n) => n, result: async (n) => n }) },
          onRecord() {},
        }),
    ),
    /state n of op: result is async/,
  ],
  [
    'an aggregating state without an initial accumulator',
    job(
      (b) =>
        void keyed(b).process('op', {
          state: { n: aggregatingState(int64, { initial: undefined as never, add: (n) => n }) },
          onRecord() {},
        }),
    ),
    /state n of op: initial is undefined: nothing could be added to it/,
  ],
  [
    'an initial accumulator that its serde cannot encode',
    job(
      (b) =>
        void keyed(b).process('op', {
          state: { n: aggregatingState(json<unknown>(), { initial: { n: 5n }, add: (n) => n }) },
          onRecord() {},
        }),
    ),
    /state n of op: its serde json cannot encode the initial value: .*BigInt/,
  ],
  [
    'a serde in place of a state',
    job((b) => void keyed(b).process('op', { state: { n: utf8 as never }, onRecord() {} })),
    /state n of op: Object is no state: declare it by valueState\(serde\), listState\(serde\) or their like/,
  ],
  [
    'an initial value that its serde cannot encode',
    job((b) => void keyed(b).process('op', { state: { n: valueState(json<unknown>(), { n: 5n }) }, onRecord() {} })),
    /state n of op: its serde json cannot encode the initial value: .*BigInt/,
  ],
  [
    'an initial value that is a promise later',
    job((b) => void keyed(b).process('op', { state: { n: valueState(json<unknown>(), async () => 1) }, onRecord() {} })),
    /state n of op: initial is async/,
  ],
  ['something else than a function', job((b) => void b.source('src', lines).map(5 as never)), /function of map is number, not a function/],
])('%s is refused when the job is defined', (_, define, message) => {
  expect(define).toThrow(JobDefinitionError);
  expect(define).toThrow(message);
});

test('types follow the values', () => {
  expectTypeOf(lines).toEqualTypeOf<KafkaSource<string, Uint8Array, string>>();
  expectTypeOf(kafkaSource({ topic: 't', key: utf8, value: int64, select: ({ key, value }) => ({ key, value }) })).toEqualTypeOf<
    KafkaSource<{ key: string | undefined; value: number | undefined }, string, number>
  >();
  expectTypeOf(kafkaSource({ topic: 't', value: int64, select: ({ key }) => key })).toEqualTypeOf<
    KafkaSource<Uint8Array | undefined, Uint8Array, number>
  >();
  expectTypeOf(sink).toEqualTypeOf<KafkaSink<string, never, string>>();
  expectTypeOf(
    kafkaSink({
      topic: 't',
      key: utf8,
      value: int64,
      toRecord: ({ name, size }: { name: string; size: number }) => ({ key: name, value: size }),
    }),
  ).toEqualTypeOf<KafkaSink<{ name: string; size: number }, string, number>>();
  // @ts-expect-error -- a key needs a serde
  kafkaSink({ topic: 't', value: int64, toRecord: (size: number) => ({ key: 'k', value: size }) });

  defineJob('job', (b) => {
    const stream = b.source('src', lines);
    expectTypeOf(stream.flatMap((line) => line.split(' '))).toEqualTypeOf<DataStream<string>>();
    expectTypeOf(stream.filter((line): line is 'yes' => line === 'yes')).toEqualTypeOf<DataStream<'yes'>>();
    // @ts-expect-error -- numbers do not fit a sink of strings
    stream.map((line) => line.length).sink('numbers', sink);
    const keyed = stream.keyBy((line) => line.length, int64);
    expectTypeOf(keyed.sum('sum', (line) => line.length)).toEqualTypeOf<DataStream<KeySum<number>>>();
    expectTypeOf(keyed.reduce('reduce', (joined, line) => joined + line, utf8)).toEqualTypeOf<DataStream<string>>();
    // A key of several parts is a tuple, not an array of whatever they are.
    const byParts = stream.keyBy((line) => [line, line.length], json<readonly [string, number]>());
    expectTypeOf(byParts).toEqualTypeOf<KeyedStream<readonly [string, number], string>>();
    expectTypeOf(byParts.sum('sum-by-parts', () => 1)).toEqualTypeOf<DataStream<KeySum<readonly [string, number]>>>();
    stream.sink(
      'by-parts',
      kafkaSink({ topic: 't', key: json<readonly [string, number]>(), value: utf8, toRecord: (line) => ({ key: [line, 1], value: line }) }),
    );
    // @ts-expect-error -- its parts the other way round
    stream.keyBy((line) => [line.length, line], json<readonly [string, number]>()).sum('turned', () => 1);
    const typed = keyed.process('typed', {
      state: {
        count: valueState(int64, 0),
        last: valueState(utf8),
        seen: valueState(json<string[]>(), []),
        made: valueState(json<string[]>(), () => []),
        list: listState(utf8),
        map: mapState(int64, json<string[]>()),
        highest: reducingState(int64, Math.max),
        mean: aggregatingState(json<{ sum: number; n: number }>(), {
          initial: { sum: 0, n: 0 },
          add: ({ sum, n }, value: number) => ({ sum: sum + value, n: n + 1 }),
          result: ({ sum, n }) => String(sum / n),
        }),
        plain: aggregatingState(utf8, { initial: '', add: (joined, value: number) => joined + value }),
        aging: withTtl(valueState(int64, 0), { ttlMs: 5 }),
        agingLast: withTtl(valueState(utf8), { ttlMs: 5 }),
        agingMap: withTtl(mapState(int64, json<string[]>()), { ttlMs: 5, refreshOn: 'read-and-write' }),
        agingMean: withTtl(aggregatingState(utf8, { initial: '', add: (joined, value: number) => joined + value }), { ttlMs: 5 }),
      },
      onRecord(
        line,
        { count, last, seen, made, list, map, highest, mean, plain, aging, agingLast, agingMap, agingMean },
        out: Output<{ line: string; count: number }>,
        { key, timestamp },
      ) {
        expectTypeOf(made.get()).toEqualTypeOf<string[]>();
        expectTypeOf(line).toEqualTypeOf<string>();
        expectTypeOf(count.get()).toEqualTypeOf<number>();
        expectTypeOf(last.get()).toEqualTypeOf<string | undefined>();
        expectTypeOf(seen.get()).toEqualTypeOf<string[]>();
        expectTypeOf(key).toEqualTypeOf<number>();
        expectTypeOf(timestamp).toEqualTypeOf<number>();
        expectTypeOf(list).toEqualTypeOf<ListState<string>>();
        expectTypeOf(map).toEqualTypeOf<MapState<number, string[]>>();
        expectTypeOf([...map]).toEqualTypeOf<[number, string[]][]>();
        expectTypeOf(map.keys().take(1).toArray()).toEqualTypeOf<number[]>();
        expectTypeOf(highest).toEqualTypeOf<ReducingState<number>>();
        expectTypeOf(mean).toEqualTypeOf<AggregatingState<number, string>>();
        expectTypeOf(plain).toEqualTypeOf<AggregatingState<number, string>>();
        expectTypeOf(aging).toEqualTypeOf<ValueState<number, number>>();
        expectTypeOf(agingLast.get()).toEqualTypeOf<string | undefined>();
        expectTypeOf(agingMap).toEqualTypeOf<MapState<number, string[]>>();
        expectTypeOf(agingMean).toEqualTypeOf<AggregatingState<number, string>>();
        // @ts-expect-error -- a time to live has to be said
        withTtl(valueState(int64, 0), {});
        // @ts-expect-error -- not a key of the map
        map.get('text');
        // @ts-expect-error -- not a value of the map
        map.set(1, 'text');
        // @ts-expect-error -- not what is added
        mean.add('text');
        out.emit({ line, count: count.update((n) => n + 1) });
        // @ts-expect-error -- not what the operator says it emits
        out.emit('text');
        // @ts-expect-error -- not what the state holds
        last.set(5);
      },
    });
    expectTypeOf(typed).toEqualTypeOf<DataStream<{ line: string; count: number }>>();
    // @ts-expect-error -- what is emitted has no type unless `out` names it
    keyed.process('untyped', { state: {}, onRecord: (line, _, out) => out.emit(line) });
    const late = keyed.process('by-timer', {
      timers: 'processing-time',
      state: {},
      onRecord: (_line, _, _out, { timers }) => timers.setProcessingTime(1),
      onTimer: ({ timeMs }, _, out: Output<number>) => out.emit(timeMs),
    });
    expectTypeOf(late).toEqualTypeOf<DataStream<number>>();
    // @ts-expect-error -- the sink writes text, and numbers are emitted
    late.sink('text-sink', sink);
    const both = keyed.process('by-both', {
      timers: 'processing-time',
      state: {},
      onRecord: (line, _, out: Output<string>) => out.emit(line),
      onTimer: ({ timeMs }, _, out: Output<number>) => out.emit(timeMs),
    });
    expectTypeOf(both).toEqualTypeOf<DataStream<string | number>>();
  });
});
