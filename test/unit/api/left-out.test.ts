import { describe, expect, test } from 'vitest';
import {
  connect,
  type DataStream,
  defineJob,
  type JobBuilder,
  JobDefinitionError,
  json,
  type KafkaSource,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  tumblingWindows,
  utf8,
} from '../../../lib/api/index.ts';

interface Row {
  readonly k: string;
  readonly n: number;
}

const source = kafkaSource({ topic: 'rows', value: json<Row>(), eventTime: { maxOutOfOrdernessMs: 0 } });
const other = kafkaSource({ topic: 'others', value: json<Row>(), eventTime: { maxOutOfOrdernessMs: 0 } });
const byKey = (rows: DataStream<Row>) => rows.keyBy(({ k }) => k, utf8);
const minutes = tumblingWindows({ sizeMs: 60_000 });
/** What a caller without types, or with a variable of `any`, may give. */
const anything = (given: unknown) => given as never;

type Build = (rows: KeyedStream<string, Row>, others: KeyedStream<string, Row>, job: JobBuilder) => unknown;

const defining = (build: Build) => () =>
  defineJob('odd', (job) => void build(byKey(job.source('read', source)), byKey(job.source('read-others', other)), job));

describe('what is left out, or is something else, is refused when the job is defined, with what to give:', () => {
  test.each<[string, Build, string]>([
    [
      'the options of an interval join',
      (rows, others) => rows.intervalJoin('join', others, anything(undefined)),
      'job odd: intervalJoin join is given undefined in place of its options: give it { lowerBoundMs: 0, upperBoundMs: 60_000, join: (left, right) => … }',
    ],
    [
      'the options of a join with a table',
      (rows, others) =>
        rows.tableJoin(
          'join',
          others,
          anything(() => 'a function'),
        ),
      'job odd: tableJoin join is given function in place of its options: give it { join: (row, version) => … }',
    ],
    [
      'the options of a join of two tables',
      (rows, others) => rows.joinTables('join', others, anything(null)),
      'job odd: joinTables join is given null in place of its options: give it { join: (left, right) => … }',
    ],
    [
      'the options of a window join',
      (rows, others) => rows.window(minutes).join('join', others, anything(undefined)),
      'job odd: join join is given undefined in place of its options: give it { join: (left, right) => … }',
    ],
    [
      'the options of an aggregate',
      (rows) => rows.window(minutes).aggregate('sum', anything(undefined)),
      'job odd: aggregate sum is given undefined in place of its options: give it { accumulator: int64, initial: 0, add: (n) => n + 1 }',
    ],
    [
      'the order of a ranking',
      (rows) => rows.topN('top', anything(undefined)),
      'job odd: topN top is given undefined in place of its options: give it { n: 10, by: ({ price }) => price }',
    ],
    [
      'what an operator does',
      (rows) => rows.process('op', anything(undefined)),
      'job odd: process op is given undefined in place of its options: give it { onRecord(value, state, out) { … } }',
    ],
    [
      'what an operator of several streams does',
      (rows, others) => connect({ rows, others }).process('op', anything(undefined)),
      'job odd: process op is given undefined in place of its options: give it { state: {}, on: { orders(value, state, out) { … } } }',
    ],
    [
      'what kafkaSource has to make',
      (_rows, _others, job) => job.source('plain', { topic: 'rows', value: utf8 } as KafkaSource<string>),
      "job odd: source plain is given what kafkaSource has not made: give it kafkaSource({ topic: 'orders', value: json() })",
    ],
    [
      'a source',
      (_rows, _others, job) => job.source('none', anything(undefined)),
      'job odd: source none is given what kafkaSource has not made',
    ],
    [
      'what kafkaSink has to make',
      (_rows, _others, job) => job.source('more', source).sink('plain', anything({ topic: 'rows', value: utf8 })),
      "job odd: sink plain is given what is no sink: give it kafkaSink({ topic: 'orders', value: json() }), say",
    ],
    [
      'a sink',
      (_rows, _others, job) => job.source('more', source).sink('none', anything(undefined)),
      'job odd: sink none is given what is no sink',
    ],
  ])('%s', (_, build, message) => {
    expect(defining(build)).toThrow(JobDefinitionError);
    expect(defining(build)).toThrow(message);
  });
});

describe('what is refused is named as its author wrote it:', () => {
  test.each<[string, Build, string]>([
    [
      'for how long deduplicate remembers',
      (rows) => rows.deduplicate('once', { forMs: 0 }),
      'job odd: deduplicate once: forMs is 0, and must be whole milliseconds, 1 or more',
    ],
    [
      'a bound that is a bigint',
      (rows, others) => rows.intervalJoin('join', others, { lowerBoundMs: anything(0n), upperBoundMs: 1, join: () => 0 }),
      'job odd: intervalJoin join: lowerBoundMs is 0n, and must be whole milliseconds',
    ],
    [
      'ties of a ranking that has no end',
      (rows) => {
        const top = { n: 3, by: ({ n }: Row) => n, withTies: true };
        return rows.topN('top', top);
      },
      'job odd: topN top: withTies is for the first of a window, and not for those of a key: take it out',
    ],
    [
      'a stream by key in a union',
      (rows, _others, job) => job.source('more', source).union(anything(rows)),
      'job odd: union: stream 1 is not a stream of this job: it is one by key already, which comes behind this',
    ],
    [
      'a stream under two names',
      (rows) => connect({ one: rows, two: rows }),
      'job odd: connect: two is given under two names: give one of them a keyBy of its own',
    ],
  ])('%s', (_, build, message) => {
    expect(defining(build)).toThrow(JobDefinitionError);
    expect(defining(build)).toThrow(message);
  });
});

test('what works by event time behind a source without it is told of what would mend it, and of nothing else', () => {
  const timeless = kafkaSource({ topic: 'timeless', value: json<Row>() });
  const message = (build: (timeless: KeyedStream<string, Row>) => unknown) => {
    try {
      defineJob('odd', (job) => void build(byKey(job.source('timeless', timeless))));
    } catch (error) {
      return String(error);
    }
    return 'nothing';
  };
  expect(message((rows) => rows.process('op', { state: {}, inTimeOrder: true, onRecord() {} }))).toMatch(
    /op works by event time, and source timeless before it has none: give it one \(kafkaSource\(.*\)\)$/,
  );
  expect(message((rows) => rows.process('op', { state: {}, onRecord() {}, onTimer() {} }))).toMatch(
    /; or, if all its timers are of processing time, say so \(timers: 'processing-time'\)$/,
  );
  expect(message((rows) => rows.window(minutes).distinctCount('op', ({ k }) => k, utf8))).toMatch(
    /; or cut it by processing time \(time: 'processing-time'\)$/,
  );
});

test('a stream that is used when its job is defined already is refused: nothing of it would be in the plan', () => {
  let kept: DataStream<Row> | undefined;
  const job = defineJob('even', (builder) => {
    kept = builder.source('read', source);
    kept.sink('write', kafkaSink({ topic: 'out', value: json<Row>() }));
  });
  const nodes = job.nodes.length;
  expect(() => kept?.map(({ n }) => n)).toThrow('job even: a stream of it is used after the job was defined');
  expect(() => kept?.sink('late', kafkaSink({ topic: 'late', value: json<Row>() }))).toThrow(JobDefinitionError);
  expect(job.nodes).toHaveLength(nodes);
});
