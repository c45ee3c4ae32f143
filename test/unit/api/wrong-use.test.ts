import { expect, test } from 'vitest';
import {
  aggregatingState,
  countWindows,
  type DataStream,
  defineJob,
  int64,
  type JobBuilder,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  tumblingWindows,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';

/*
 * What does not compile. None of these functions is called: the compiler reads them, and each line below an expected error has one.
 */

interface Event {
  readonly k: string;
  readonly v: number;
}

const texts = kafkaSink({ topic: 'texts', value: utf8 });
const numbers = kafkaSink({ topic: 'numbers', value: int64 });
const minutes = tumblingWindows({ sizeMs: 60_000 });
const count = { accumulator: int64, initial: 0, add: (n: number) => n + 1 };

function onAnUnkeyedStream(events: DataStream<Event>, keyed: KeyedStream<string, Event>) {
  // @ts-expect-error -- state is by key
  events.process('op', { state: {}, onRecord() {} });
  // @ts-expect-error -- windows are by key
  events.window(minutes);
  // @ts-expect-error -- sums are by key
  events.sum('op', () => 1);
  // @ts-expect-error -- what is kept is by key
  events.reduce('op', (one: Event) => one, json<Event>());
  // @ts-expect-error -- what was seen is by key
  events.deduplicate('op');
  // @ts-expect-error -- a stream by key leads into a keyed operator
  keyed.map(({ v }) => v);
  // @ts-expect-error -- nothing is behind the key
  keyed.sink('out', texts);
}

function withoutUid(job: JobBuilder, events: DataStream<Event>, keyed: KeyedStream<string, Event>) {
  // @ts-expect-error -- offsets have the source's uid
  job.source(kafkaSource({ topic: 'in', value: utf8 }));
  // @ts-expect-error -- state has the operator's uid
  keyed.process({ state: {}, onRecord() {} });
  // @ts-expect-error -- state has the operator's uid
  keyed.window(minutes).aggregate(count);
  // @ts-expect-error -- transactions have the sink's uid
  events.map(({ k }) => k).sink(texts);
}

function withASerdeThatDoesNotFit(events: DataStream<Event>, keyed: KeyedStream<string, Event>) {
  // @ts-expect-error -- the key is a text
  events.keyBy(({ k }) => k, int64);
  // @ts-expect-error -- the key is a number
  events.keyBy(({ v }) => v, utf8);
  // @ts-expect-error -- values are no texts
  events.keyBy(({ k }) => k, utf8, { value: utf8 });
  // @ts-expect-error -- a key needs a serde
  events.keyBy(({ k }) => k);
  // @ts-expect-error -- events are no texts
  events.sink('out', texts);
  // @ts-expect-error -- what is reduced are events
  keyed.window(minutes).reduce('op', (one) => one, utf8);
  // @ts-expect-error -- the initial value is a text
  keyed.process('op', { state: { n: valueState(int64, '') }, onRecord() {} });
  // @ts-expect-error -- the function makes a text
  keyed.process('op', { state: { n: valueState(int64, () => '') }, onRecord() {} });
  // @ts-expect-error -- the function makes a text
  keyed.process('op', { state: { n: reducingState(int64, (one, other) => `${one}${other}`) }, onRecord() {} });
  // @ts-expect-error -- a source needs a serde
  kafkaSource({ topic: 'in' });
  // @ts-expect-error -- a sink needs a serde
  kafkaSink({ topic: 'out' });
  // @ts-expect-error -- the record's value is a text
  kafkaSink({ topic: 'out', value: int64, toRecord: ({ k }: Event) => ({ value: k }) });
}

function withATypeThatIsLost(keyed: KeyedStream<string, Event>) {
  // @ts-expect-error -- what is emitted has no type
  keyed.process('op', { state: {}, onRecord: ({ k }, _, out) => out.emit(k) });
  // @ts-expect-error -- texts are emitted
  keyed.process('op', { state: {}, onRecord: ({ k }, _, out: Output<string>) => out.emit(k) }).sink('out', numbers);
  // @ts-expect-error -- a number is emitted
  keyed.process('op', { state: {}, onRecord: ({ v }, _, out: Output<string>) => out.emit(v) });
  // @ts-expect-error -- what is emitted has no type
  keyed.window(minutes).process('op', (values, _, out) => out.emit(values.length), json<Event>());
  // @ts-expect-error -- a result has key, start and end beside the count
  keyed.window(minutes).aggregate('op', count).sink('out', numbers);
  // @ts-expect-error -- late are events
  keyed.window(minutes).aggregate('op', count).late.sink('late', texts);
  // @ts-expect-error -- nothing is late without an order of time
  keyed.process('op', { state: {}, onRecord() {} }).late;
  // @ts-expect-error -- a state that is not declared
  keyed.process('op', { state: { n: valueState(int64, 0) }, onRecord: (_, { m }) => m });
  // @ts-expect-error -- without an initial value there may be none
  keyed.process('op', { state: { n: valueState(int64) }, onRecord: (_, { n }) => void (n.get() + 1) });
  // @ts-expect-error -- entries are numbers
  keyed.process('op', { state: { n: listState(int64) }, onRecord: ({ k }, { n }) => n.add(k) });
  // @ts-expect-error -- values are numbers
  keyed.process('op', { state: { n: mapState(utf8, int64) }, onRecord: ({ k }, { n }) => n.set(k, k) });
  const joined = aggregatingState(utf8, { initial: '', add: (all, more: string) => all + more });
  // @ts-expect-error -- texts are added
  keyed.process('op', { state: { joined }, onRecord: ({ v }, state) => state.joined.add(v) });
}

function withOptionsThatAreNone(keyed: KeyedStream<string, Event>) {
  // @ts-expect-error -- sizeMs
  tumblingWindows({ size: 5 });
  // @ts-expect-error -- no number
  tumblingWindows({ sizeMs: '5' });
  // @ts-expect-error -- these are no windows
  keyed.window({ sizeMs: 5 });
  // @ts-expect-error -- allowedLatenessMs
  keyed.window(minutes, { allowedLateness: 5 });
  // @ts-expect-error -- windows by number have no time
  keyed.window(countWindows({ size: 5 }), { earlyEveryMs: 5 });
  // @ts-expect-error -- how far may records be out of order?
  kafkaSource({ topic: 'in', value: json<Event>(), eventTime: { timestamp: ({ v }) => v } });
  // @ts-expect-error -- one of both
  kafkaSource({ topic: 'in', value: json<Event>(), eventTime: { maxOutOfOrdernessMs: 0, watermark: () => 0 } });
  // @ts-expect-error -- a time is a number
  kafkaSource({ topic: 'in', value: json<Event>(), eventTime: { timestamp: ({ k }) => k, maxOutOfOrdernessMs: 0 } });
  // @ts-expect-error -- idleAfterMs
  kafkaSource({ topic: 'in', value: json<Event>(), eventTime: { maxOutOfOrdernessMs: 0, idleAfter: 5 } });
  // @ts-expect-error -- ttlMs
  withTtl(valueState(int64), { ttl: 5 });
}

function withStreamsThatDoNotFit(events: DataStream<Event>, keyed: KeyedStream<string, Event>, numbered: KeyedStream<number, Event>) {
  const bounds = { lowerBoundMs: 0, upperBoundMs: 1 };
  const nothing = () => 0;
  // @ts-expect-error -- keys are of two types
  keyed.intervalJoin('op', numbered, { ...bounds, join: nothing });
  // @ts-expect-error -- keys are of two types
  keyed.tableJoin('op', numbered, { join: nothing });
  // @ts-expect-error -- keys are of two types
  keyed.joinTables('op', numbered, { join: nothing });
  // @ts-expect-error -- versions are by key
  keyed.asOfJoin('op', events, { join: nothing });
  // @ts-expect-error -- upperBoundMs
  keyed.intervalJoin('op', keyed, { lowerBoundMs: 0, join: nothing });
  // @ts-expect-error -- of a left join there may be no right row
  keyed.intervalJoin('op', keyed, { ...bounds, type: 'left', join: (_, { v }) => v });
  // @ts-expect-error -- an inner or a left one
  keyed.tableJoin('op', keyed, { type: 'full', join: nothing });
  // @ts-expect-error -- ties are of windows
  keyed.topN('op', { n: 1, by: ({ v }) => v, withTies: true });
  // @ts-expect-error -- forMs
  keyed.deduplicate('op', { ttlMs: 1 });
  // @ts-expect-error -- streams are put together before they are keyed
  events.union(keyed);
}

test('wrong use does not compile; what the compiler cannot see is refused when the job is defined', () => {
  const unseen = [
    onAnUnkeyedStream,
    withoutUid,
    withASerdeThatDoesNotFit,
    withATypeThatIsLost,
    withOptionsThatAreNone,
    withStreamsThatDoNotFit,
  ];
  for (const wrong of unseen) expect(wrong).toBeTypeOf('function');
  const defining = (define: (keyed: KeyedStream<string, Event>) => void) => () =>
    defineJob('job', (job) => define(job.source('read', kafkaSource({ topic: 'in', value: json<Event>() })).keyBy(({ k }) => k, utf8)));
  expect(defining((keyed) => keyed.process('read', { state: {}, onRecord() {} }))).toThrow(/uid read is used twice; .* must differ/);
  const byEventTime = /op works by event time, and source read before it has none: give it one \(kafkaSource\({ …, eventTime: { maxOutOf/;
  expect(defining((keyed) => keyed.window(minutes).aggregate('op', count))).toThrow(byEventTime);
  expect(defining((keyed) => keyed.process('op', { state: {}, onRecord() {}, onTimer() {} }))).toThrow(byEventTime);
  expect(defining((keyed) => keyed.process('op', { state: {}, inTimeOrder: true, onRecord() {} }))).toThrow(byEventTime);
});
