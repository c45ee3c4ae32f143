import { describe, expect, test } from 'vitest';
import {
  aggregatingState,
  connect,
  countWindows,
  cumulatingWindows,
  type DataStream,
  defineJob,
  dynamoSink,
  fileSink,
  int64,
  JobDefinitionError,
  json,
  jsonLines,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  utf8,
  valueState,
  withTtl,
  writeAheadSink,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

/** As JavaScript gives it, or TypeScript whose types were stripped: nothing has compiled it. */
function uncompiled<T>(options: T, more: object): T {
  return { ...options, ...more };
}

const topic = { topic: 'rows', value: json<{ k: string }>(), eventTime: { maxOutOfOrdernessMs: 0 } };
const minutes = tumblingWindows({ sizeMs: 60_000 });
const count = { accumulator: int64, initial: 0, add: (n: number) => n + 1, merge: (one: number, other: number) => one + other };

type Rows = KeyedStream<string, { k: string }>;

function defining(build: (rows: Rows, others: Rows, stream: DataStream<{ k: string }>) => unknown) {
  return () =>
    defineJob('odd', (job) => {
      const stream = job.source('read', kafkaSource(topic));
      build(
        stream.keyBy(({ k }) => k, utf8),
        stream.keyBy(({ k }) => k, utf8),
        stream,
      );
    });
}

describe('an option that there is not is refused, with the one that was likely meant:', () => {
  test.each<[string, () => unknown, string]>([
    [
      'of a source',
      () => kafkaSource(uncompiled(topic, { startingOffset: 'earliest' })),
      'kafkaSource of topic rows: there is no option startingOffset (the nearest is startingOffsets); there are topic, value, key,',
    ],
    [
      'of event time',
      () => kafkaSource({ ...topic, eventTime: uncompiled(topic.eventTime, { idleAfter: 5 }) }),
      'eventTime of the source of topic rows: there is no option idleAfter (the nearest is idleAfterMs)',
    ],
    [
      'of a sink',
      () => kafkaSink(uncompiled({ topic: 'out', value: utf8 }, { Compression: 'zstd' })),
      'kafkaSink of topic out: there is no option Compression (the nearest is compression)',
    ],
    [
      'of files',
      () => fileSink(uncompiled({ location: 'file:///tmp/rows', format: jsonLines() }, { maxBytes: 5 })),
      'fileSink: there is no option maxBytes; there are location, format, path, maxFileBytes, compression, manifests',
    ],
    [
      'of a table of DynamoDB',
      () => dynamoSink(uncompiled({ table: 'rows' }, { ledger: 'other' })),
      'dynamoSink: there is no option ledger; there are',
    ],
    [
      'of a function that delivers',
      () => writeAheadSink(uncompiled({ async deliver() {} }, { maxBatchRow: 5 })),
      'writeAheadSink: there is no option maxBatchRow (the nearest is maxBatchRows)',
    ],
    [
      'of tumbling windows',
      () => tumblingWindows(uncompiled({ sizeMs: 5 }, { offset: 1 })),
      'tumblingWindows: there is no option offset (the nearest is offsetMs)',
    ],
    [
      'of sliding windows',
      () => slidingWindows(uncompiled({ sizeMs: 5, slideMs: 5 }, { offset: 1 })),
      'slidingWindows: there is no option offset (the nearest is offsetMs)',
    ],
    [
      'of cumulating windows',
      () => cumulatingWindows(uncompiled({ maxSizeMs: 5, stepMs: 5 }, { OffsetMs: 1 })),
      'cumulatingWindows: there is no option OffsetMs (the nearest is offsetMs)',
    ],
    [
      'of sessions',
      () => sessionWindows(uncompiled({ gapMs: 5 }, { gap: 1 })),
      'sessionWindows: there is no option gap (the nearest is gapMs)',
    ],
    [
      'of count windows',
      () => countWindows(uncompiled({ size: 5 }, { sizes: 1 })),
      'countWindows: there is no option sizes (the nearest is size)',
    ],
    [
      'of window',
      defining((rows) => rows.window(minutes, uncompiled({}, { allowedLateness: 5 })).aggregate('sum', count)),
      'job odd: window: there is no option allowedLateness (the nearest is allowedLatenessMs)',
    ],
    [
      'of an aggregate',
      defining((rows) => rows.window(minutes).aggregate('sum', uncompiled(count, { mergee: count.merge }))),
      'job odd: aggregate sum: there is no option mergee (the nearest is merge)',
    ],
    [
      'of keyBy',
      defining((_rows, _others, stream) => stream.keyBy(({ k }) => k, utf8, uncompiled({}, { values: json() }))),
      'job odd: keyBy: there is no option values (the nearest is value)',
    ],
    [
      'of broadcast',
      defining((_rows, _others, stream) => stream.broadcast(uncompiled({}, { values: json() }))),
      'job odd: broadcast: there is no option values (the nearest is value)',
    ],
    [
      'of mapAsync',
      defining((_rows, _others, stream) => stream.mapAsync(async (row) => row, uncompiled({}, { timeout: 5 }))),
      'job odd: the function of mapAsync: there is no option timeout (the nearest is timeoutMs)',
    ],
    [
      'of an operator',
      defining((rows) => rows.process('op', uncompiled({ onRecord() {} }, { intimeorder: true }))),
      'job odd: process op: there is no option intimeorder (the nearest is inTimeOrder)',
    ],
    [
      'of an operator of several streams',
      defining((rows, others) => connect({ rows, others }).process('op', uncompiled({ on: { rows() {}, others() {} } }, { ontimer() {} }))),
      'job odd: process op: there is no option ontimer (the nearest is onTimer)',
    ],
    [
      'of an interval join',
      defining((rows, others) =>
        rows.intervalJoin('join', others, uncompiled({ lowerBoundMs: 0, upperBoundMs: 5, join: () => 1 }, { typ: 'left' })),
      ),
      'job odd: intervalJoin join: there is no option typ (the nearest is type)',
    ],
    [
      'of a join with a table',
      defining((rows, others) => rows.tableJoin('join', others, uncompiled({ join: () => 1 }, { isdeleted: () => true }))),
      'job odd: tableJoin join: there is no option isdeleted (the nearest is isDeleted)',
    ],
    [
      'of a join of tables',
      defining((rows, others) => rows.joinTables('join', others, uncompiled({ join: () => 1 }, { isDeleted: () => true }))),
      'job odd: joinTables join: there is no option isDeleted',
    ],
    [
      'of a window join',
      defining((rows, others) => rows.window(minutes).join('join', others, uncompiled({ join: () => 1 }, { Type: 'left' }))),
      'job odd: join join: there is no option Type (the nearest is type)',
    ],
    [
      'of a ranking',
      defining((rows) => rows.topN('top', uncompiled({ n: 5, by: () => 1 }, { ttl: 5 }))),
      'job odd: topN top: there is no option ttl (the nearest is ttlMs)',
    ],
    [
      'of deduplicate',
      defining((rows) => rows.deduplicate('once', uncompiled({}, { for: 5 }))),
      'job odd: deduplicate once: there is no option for (the nearest is forMs)',
    ],
    [
      'of distinctCount',
      defining((rows) => rows.distinctCount('count', ({ k }) => k, utf8, uncompiled({}, { ttl: 5 }))),
      'job odd: distinctCount count: there is no option ttl (the nearest is ttlMs)',
    ],
    [
      'of a time to live',
      defining((rows) =>
        rows.process('op', { state: { n: withTtl(valueState(int64), uncompiled({ ttlMs: 5 }, { refresh: 'write' })) }, onRecord() {} }),
      ),
      'job odd: state n of op: there is no option refresh (the nearest is refreshOn)',
    ],
    [
      'of an aggregating state',
      defining((rows) =>
        rows.process('op', {
          state: { n: aggregatingState(int64, uncompiled({ initial: 0, add: (n: number) => n }, { results: () => 1 })) },
          onRecord() {},
        }),
      ),
      'job odd: state n of op: there is no option results (the nearest is result)',
    ],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(JobDefinitionError);
    expect(define).toThrow(message);
  });

  test('of a job in memory', () => {
    const job = defineJob('plain', (draft) =>
      draft.source('read', kafkaSource(topic)).sink('write', kafkaSink({ topic: 'out', value: json() })),
    );
    expect(() => testJob(job, uncompiled({}, { paralelism: 3 }))).toThrow(
      'testJob: there is no option paralelism (the nearest is parallelism)',
    );
  });
});

test('an option without a value is none', () => {
  expect(() => kafkaSource(uncompiled(topic, { startingOffset: undefined }))).not.toThrow();
});

test('what the functions of an operator use besides may be in it, if it is like no option', () => {
  const operator = uncompiled({ onRecord() {} }, { limit: 5, rules: [] });
  const define = () =>
    defineJob('plain', (job) => {
      const rows = job.source('read', kafkaSource(topic)).keyBy(({ k }) => k, utf8);
      rows.process('op', operator);
    });
  expect(define).not.toThrow();
});

test('a serde of keys without toRecord is refused: no record would have a key', () => {
  expect(() => kafkaSink(uncompiled({ topic: 'out', value: utf8 }, { key: utf8 }))).toThrow(
    'kafkaSink of topic out: key is given, and toRecord is not, so that no record would have a key: add toRecord',
  );
});

test('a delivery that there is not is refused, with the setting for the other one', () => {
  expect(() => kafkaSink(uncompiled({ topic: 'out', value: utf8 }, { delivery: 'at-least-once' }))).toThrow(
    'kafkaSink of topic out: delivery is "at-least-once", and may only be \'exactly-once\'; at least once is a setting of the job, ONCEFLOW_DELIVERY_GUARANTEE=at-least-once',
  );
});

test('an operator without state says nothing of it', async () => {
  const rows = kafkaSource({ topic: 'rows', value: utf8 });
  const out = kafkaSink({ topic: 'out', value: utf8 });
  const job = testJob(
    defineJob('plain', (draft) =>
      draft
        .source('read', rows)
        .keyBy((row) => row, utf8)
        .process('shout', { onRecord: (row, _state, made: { emit(row: string): void }) => made.emit(row.toUpperCase()) })
        .sink('write', out),
    ),
  );
  job.push(rows, 'a');
  await job.runUntilIdle();
  expect(job.values(out)).toEqual(['A']);
});

test('what several streams write to one sink is its output', async () => {
  const rows = kafkaSource({ topic: 'rows', value: utf8 });
  const out = kafkaSink({ topic: 'out', value: utf8 });
  const job = testJob(
    defineJob('plain', (draft) => {
      const stream = draft.source('read', rows);
      stream.sink('write', out);
      stream.map((row) => row.toUpperCase()).sink('shout', out);
    }),
  );
  job.push(rows, 'a');
  await job.runUntilIdle();
  expect(job.values(out).toSorted()).toEqual(['A', 'a']);
  expect(job.values('shout')).toEqual(['A']);
  expect(() => job.values('out')).toThrow('the job has no sink out; it has write, shout');
});
