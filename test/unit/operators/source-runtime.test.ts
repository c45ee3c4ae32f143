import { expect, test } from 'vitest';
import { customSerde, defineJob, int64, json, type KafkaSource, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { BATCH } from '../../../lib/format/batch-layout.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { MalformedRecordError, MissingValueError, UserCodeError } from '../../../lib/records/errors.ts';
import { decodeStagedOutput } from '../../../lib/sinks/kafka/staged-output.ts';
import { recrc } from '../format/record-sets.ts';
import { compiled, type InputRecord, partsTo, recordSet, recordsTo, stageContext, stagedRecords, stagedValues } from './runtimes.ts';

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [] };
const words = kafkaSource({ topic: 'in', value: utf8 });

function pipeline<T>(source: KafkaSource<T>, toText: (value: T) => string) {
  const job = defineJob('job', (builder) => {
    builder
      .source('src', source)
      .map(toText)
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
  return createSourceRuntime(compiled(job), 'src', stageContext({ partitions: 1 }));
}

function run<T>(source: KafkaSource<T>, toText: (value: T) => string, records: readonly InputRecord[], range = ALL) {
  const runtime = pipeline(source, toText);
  runtime.begin();
  const read = runtime.consume('in', 2, recordSet(records), range);
  return { read, output: runtime.finish() };
}

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('values pass the chain in order with the timestamps of their records', () => {
  const { read, output } = run(words, (word) => word.toUpperCase(), [
    { value: 'a', timestamp: 7 },
    { value: 'b', timestamp: 5 },
  ]);
  expect(read).toEqual({ next: 2, records: 2, isHeld: false });
  expect(
    stagedRecords(output, 'out')
      .get(0)
      ?.map(({ value, timestamp }) => [value, timestamp]),
  ).toEqual([
    ['A', 7],
    ['B', 5],
  ]);
  expect([output.recordsIn, recordsTo(output, 'out'), output.oldestTimestampMs]).toEqual([2, 2, 5]);
});

test('only records within the range are read, and the epoch may come in several chunks', () => {
  const runtime = pipeline(words, String);
  const records = recordSet(['a', 'b', 'c', 'd', 'e'].map((value) => ({ value })));
  runtime.begin();
  expect(runtime.consume('in', 0, records, { from: 1, to: 3, aborted: [] })).toEqual({ next: 3, records: 2, isHeld: false });
  expect(runtime.consume('in', 1, recordSet([{ value: 'x' }], 40), { from: 40, to: 41, aborted: [] })).toEqual({
    next: 41,
    records: 1,
    isHeld: false,
  });
  expect(stagedValues(runtime.finish(), 'out')).toEqual(['b', 'c', 'x']);
});

test('the oldest timestamp is that of the records within the range, of this epoch alone', () => {
  const runtime = pipeline(words, String);
  const oldestOf = (...timestamps: number[]) => {
    runtime.begin();
    const records = recordSet(timestamps.map((timestamp) => ({ value: 'a', timestamp })));
    runtime.consume('in', 0, records, { from: 1, to: 3, aborted: [] });
    return runtime.finish().oldestTimestampMs;
  };
  expect(oldestOf(1, 30, 20, 2)).toBe(20);
  expect(oldestOf(1, 40, 50, 2)).toBe(40);
  expect(oldestOf(1)).toBeUndefined();
});

test('an operator that throws is named with the topic, partition and offset of the record', () => {
  const error = failureOf(() => run(words, (word) => (word === 'b' ? raise('no b') : word), [{ value: 'a' }, { value: 'b' }]));
  expect(error).toBeInstanceOf(UserCodeError);
  expect(error).toMatchObject({
    operator: 'map (node 1) behind src',
    record: { topic: 'in', partition: 2, offset: 1 },
    cause: { message: 'no b' },
  });
  expect(String(error)).toContain('map (node 1) behind src at topic in, partition 2, offset 1: Error: no b');
});

test('a value that the serde cannot read is named with its place, its first bytes and what to do', () => {
  const error = failureOf(() => run(kafkaSource({ topic: 'in', value: int64 }), String, [{ value: 'sixteen byte text' }]));
  expect(error).toBeInstanceOf(MalformedRecordError);
  expect(error).toMatchObject({ record: { topic: 'in', partition: 2, offset: 0 }, serde: 'int64' });
  expect(String(error)).toContain('source src cannot read the value with serde int64');
  expect(String(error)).toContain('It has 17 bytes: 7369787465656e20');
  expect(String(error)).toContain('read `bytes` and decode in a flatMap');
});

test('whatever a serde throws, the record is malformed, and the key too', () => {
  const strict = customSerde<string>({ name: 'strict', serialize: Buffer.from, deserialize: () => raise('never') });
  const source = kafkaSource({ topic: 'in', key: strict, value: utf8, select: ({ value }) => value });
  expect(failureOf(() => run(source, String, [{ key: 'k', value: 'v' }]))).toMatchObject({ name: 'MalformedRecordError', serde: 'strict' });
  expect(failureOf(() => run(kafkaSource({ topic: 'in', value: json<number>() }), String, [{ value: '{' }]))).toBeInstanceOf(
    MalformedRecordError,
  );
});

test('a tombstone is an error unless select says what to make of it', () => {
  const error = failureOf(() => run(words, String, [{ key: 'k' }]));
  expect(error).toBeInstanceOf(MissingValueError);
  expect(String(error)).toContain('topic in, partition 2, offset 0: the record has no value (a tombstone)');
  const source = kafkaSource({ topic: 'in', value: utf8, select: ({ value }) => value ?? 'none' });
  expect(stagedValues(run(source, String, [{ key: 'k' }]).output, 'out')).toEqual(['none']);
});

test('select sees key, value, headers, timestamp, topic, partition and offset', () => {
  const source = kafkaSource({ topic: 'in', key: utf8, value: utf8, select: (record) => record });
  const records = [{ key: 'k', value: 'v', timestamp: 99, headers: [{ key: 'h', value: Buffer.from('1') }] }, { value: 'w' }];
  const { output } = run(
    source,
    ({ headers, ...rest }) => JSON.stringify({ ...rest, headers: headers.map(({ key, value }) => [key, String(value)]) }),
    records,
  );
  expect(stagedValues(output, 'out').map((text) => JSON.parse(text ?? ''))).toEqual([
    { key: 'k', value: 'v', timestamp: 99, topic: 'in', partition: 2, offset: 0, headers: [['h', '1']] },
    { value: 'w', timestamp: 1000, topic: 'in', partition: 2, offset: 1, headers: [] },
  ]);
});

test("keys are bytes when no serde is named for them, and what select throws is the user's", () => {
  const source = kafkaSource({ topic: 'in', value: utf8, select: ({ key }) => (key === undefined ? raise('no key') : key.length) });
  expect(stagedValues(run(source, String, [{ key: 'four', value: '' }]).output, 'out')).toEqual(['4']);
  expect(failureOf(() => run(source, String, [{ value: '' }]))).toMatchObject({ name: 'UserCodeError', operator: 'select of src' });
});

test('nothing of a failed epoch is left in the next one', () => {
  const runtime = pipeline(words, (word) => (word === 'bad' ? raise('bad') : word));
  runtime.begin();
  expect(() => runtime.consume('in', 0, recordSet([{ value: 'lost' }, { value: 'bad' }]), ALL)).toThrow(UserCodeError);
  expect(() => runtime.consume('in', 0, recordSet([{ value: 'a' }]), ALL)).toThrow(/after a failure/);
  expect(() => runtime.finish()).toThrow(/after a failure/);
  runtime.begin();
  runtime.consume('in', 0, recordSet([{ value: 'a' }]), ALL);
  const output = runtime.finish();
  expect(stagedValues(output, 'out')).toEqual(['a']);
  expect(output.recordsIn).toBe(1);
});

test('an epoch without records has no output', () => {
  const runtime = pipeline(words, String);
  runtime.begin();
  expect(runtime.finish()).toEqual({
    edges: new Map([['src>out.0', { how: 'sink', parts: [undefined], records: 0 }]]),
    recordsIn: 0,
    oldestTimestampMs: undefined,
  });
});

test('map, filter and flatMap do what their names say, and a stream may have several consumers', () => {
  const job = defineJob('job', (builder) => {
    const lines = builder.source('src', words);
    lines
      .flatMap(function* (line) {
        yield* line.split(' ');
      })
      .filter((word) => word.length > 1)
      .sink('long', kafkaSink({ topic: 'long', value: utf8 }));
    lines.map((line) => line.length).sink('sizes', kafkaSink({ topic: 'sizes', value: json<number>() }));
    lines.map(() => raise('never read'));
  });
  const runtime = createSourceRuntime(compiled(job), 'src', stageContext({ partitions: 1 }));
  runtime.begin();
  expect(() => runtime.consume('in', 0, recordSet([{ value: 'a bc d ef' }]), ALL)).toThrow('never read');
  const two = defineJob('job', (builder) => {
    const lines = builder.source('src', words);
    lines
      .flatMap((line) => new Set(line.split(' ')))
      .filter((word) => word.length > 1)
      .sink('long', kafkaSink({ topic: 'long', value: utf8 }));
    lines.map((line) => line.length).sink('sizes', kafkaSink({ topic: 'sizes', value: json<number>() }));
  });
  const second = createSourceRuntime(compiled(two), 'src', stageContext({ partitions: 1 }));
  second.begin();
  second.consume('in', 0, recordSet([{ value: 'a bc d ef bc' }]), ALL);
  const output = second.finish();
  expect(stagedValues(output, 'long')).toEqual(['bc', 'ef']);
  expect(stagedValues(output, 'sizes')).toEqual(['12']);
});

test.each([
  ['map', (job: ReturnType<typeof source>) => job.map((): unknown => Promise.resolve(1))],
  ['filter', (job: ReturnType<typeof source>) => job.filter((): boolean => Promise.resolve(false) as unknown as boolean)],
  ['flatMap', (job: ReturnType<typeof source>) => job.flatMap((): string[] => Promise.resolve([]) as unknown as string[])],
  [
    'keyBy',
    (job: ReturnType<typeof source>) => job.keyBy((): string => Promise.resolve('') as unknown as string, utf8).sum('sum', () => 1),
  ],
])('a promise from the function of %s is refused', (kind, add) => {
  const job = defineJob('job', (builder) => {
    add(source(builder));
  });
  const runtime = createSourceRuntime(compiled(job), 'src', stageContext());
  runtime.begin();
  const error = failureOf(() => runtime.consume('in', 0, recordSet([{ value: 'a' }]), ALL));
  expect(error).toMatchObject({ name: 'UserCodeError', operator: `${kind} (node 1) behind src` });
  expect(String(error)).toContain('the function returned a promise');
});

test('a key of undefined, and a key or value that its serde cannot encode, are errors of the keyBy', () => {
  const job = (key: unknown, value: unknown) =>
    defineJob('job', (builder) => {
      source(builder)
        .map(() => value)
        .keyBy(() => key as string, utf8, { value: utf8 as never })
        .sum('sum', () => 1);
    });
  for (const [key, value, message] of [
    [undefined, 'v', /gave undefined for the key/],
    [7, 'v', /utf8: expected a string/],
    ['k', 7, /utf8: expected a string/],
  ] as const) {
    const runtime = createSourceRuntime(compiled(job(key, value)), 'src', stageContext());
    runtime.begin();
    expect(failureOf(() => runtime.consume('in', 0, recordSet([{ value: 'a' }]), ALL))).toMatchObject({
      name: 'UserCodeError',
      operator: 'keyBy (node 2) behind src',
      message,
    });
  }
});

function source(builder: Parameters<Parameters<typeof defineJob>[1]>[0]) {
  return builder.source('src', words);
}

function raise(message: string): never {
  throw new Error(message);
}

test.each<[string, bigint, number]>([
  ["Go's zero time", -62_135_596_800_000n, -62_135_596_800_000],
  ['nanoseconds', 1_700_000_000_123_456_789n, 1_700_000_000_123_456_800],
  ['Long.MAX', 2n ** 63n - 1n, 2 ** 63],
  ['Long.MIN', -(2n ** 63n), -(2 ** 63)],
])('a record with the timestamp %s is processed, and what is made of it has the same', (_what, timestamp, asNumber) => {
  const set = recordSet([{ value: 'a' }]);
  set.writeBigInt64BE(timestamp, BATCH.baseTimestamp);
  const source = kafkaSource({ topic: 'in', value: utf8, select: ({ value, timestamp: seen }) => `${value} at ${seen}` });
  const runtime = pipeline(source, String);
  runtime.begin();
  runtime.consume('in', 2, recrc(set), ALL);
  const output = runtime.finish();
  expect(stagedValues(output, 'out')).toEqual([`a at ${asNumber}`]);
  const [section] = decodeStagedOutput(Buffer.concat(partsTo(output, 'out')[0] ?? []), 'test');
  const written = section?.batches.readBigInt64BE(BATCH.baseTimestamp);
  expect(written).toBe(timestamp === 1_700_000_000_123_456_789n ? BigInt(asNumber) : timestamp);
  expect(output.oldestTimestampMs).toBe(asNumber < 0 ? undefined : asNumber);
});

test('headers may be kept, and changed: they are copies', () => {
  const records = recordSet([{ value: 'a', headers: [{ key: 'h', value: Buffer.from('1') }] }]);
  const before = Buffer.from(records);
  const kept: (Uint8Array | undefined)[] = [];
  const source = kafkaSource({
    topic: 'in',
    value: utf8,
    select: ({ value, headers }) => {
      headers[0]?.value?.fill(0);
      kept.push(headers[0]?.value);
      return value ?? '';
    },
  });
  const runtime = pipeline(source, String);
  runtime.begin();
  runtime.consume('in', 2, records, ALL);
  expect(records.equals(before)).toBe(true);
  records.fill(7);
  expect(kept).toEqual([Buffer.from([0])]);
});
