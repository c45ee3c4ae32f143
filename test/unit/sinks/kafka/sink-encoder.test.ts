import { expect, test } from 'vitest';
import {
  defineJob,
  int32,
  int64,
  type KafkaSink,
  kafkaSink,
  kafkaSource,
  type Output,
  type OutputRecord,
  type Serde,
  utf8,
} from '../../../../lib/api/index.ts';
import { murmur2, toPositive } from '../../../../lib/format/murmur2.ts';
import { batchesOf } from '../../../../lib/format/stamp-batches.ts';
import type { EpochOutput } from '../../../../lib/operators/epoch-output.ts';
import { createOperatorRuntime } from '../../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../../lib/operators/source-runtime.ts';
import { OversizedRecordError, UserCodeError } from '../../../../lib/records/errors.ts';
import { decodeStagedOutput } from '../../../../lib/sinks/kafka/staged-output.ts';
import { asLog, readAll } from '../../format/record-sets.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob, topicFacts } from '../../operators/runtimes.ts';

/** Writes the values to the sink from the source stage, in one epoch or several. */
function write(
  sink: KafkaSink<string>,
  epochs: readonly (readonly string[])[],
  settings: Parameters<typeof stageContext>[0] = {},
  more: Partial<ReturnType<typeof stageContext>> = {},
): EpochOutput[] {
  const job = defineJob('job', (builder) => builder.source('src', kafkaSource({ topic: 'in', value: utf8 })).sink('out', sink));
  const runtime = createSourceRuntime(compiled(job), 'src', { ...stageContext(settings), ...more });
  return epochs.map((values) => {
    runtime.begin();
    runtime.consume('in', 0, recordSet(values.map((value) => ({ value, timestamp: 50 }))), { from: 0, to: values.length, aborted: [] });
    const output = runtime.finish();
    // The parts are views until the next begin.
    const edges = [...output.edges].map(([id, edge]) => {
      return [id, { ...edge, parts: edge.parts.map((parts) => parts?.map((part) => Buffer.from(part))) }] as const;
    });
    return { ...output, edges: new Map(edges) };
  });
}

function writeRecords(
  toRecord: (value: string) => OutputRecord<string, string>,
  values: readonly string[],
  settings?: Parameters<typeof stageContext>[0],
) {
  const [output] = write(kafkaSink({ topic: 'out', key: utf8, value: utf8, toRecord }), [values], settings);
  if (output === undefined) throw new Error('no output');
  return stagedRecords(output, 'out');
}

const javaPartition = (key: string, partitions: number) => toPositive(murmur2(Buffer.from(key), 0, Buffer.byteLength(key))) % partitions;

test('a record with a key goes where the Java client sends it', () => {
  // Checked against org.apache.kafka.clients.producer's BuiltInPartitioner in murmur2.test.ts; here: that it is used.
  const keys = ['hello', 'world', 'ü', ''];
  const written = writeRecords((value) => ({ key: value, value: `${value}!` }), keys, { partitions: 7 });
  for (const key of keys) {
    const latin1 = Buffer.from(key).toString('latin1');
    expect(written.get(javaPartition(key, 7))?.map((record) => record.key)).toContain(latin1);
  }
});

test('toRecord may give partition, timestamp, headers, and a record without a value', () => {
  const written = writeRecords(
    (value) => ({
      key: 'k',
      value: value === 'none' ? undefined : value,
      partition: 2,
      timestamp: 77,
      headers: [{ key: 'h', value: Buffer.from('x') }],
    }),
    ['a', 'none'],
  );
  expect([...written]).toEqual([
    [
      2,
      [
        { offset: 0, timestamp: 77, key: 'k', value: 'a', headers: [['h', 'x']] },
        { offset: 1, timestamp: 77, key: 'k', value: null, headers: [['h', 'x']] },
      ],
    ],
  ]);
});

test('the timestamp is that of the input record unless toRecord gives one', () => {
  const written = writeRecords((value) => ({ value, partition: 0 }), ['a']);
  expect(written.get(0)?.[0]?.timestamp).toBe(50);
});

test.each([
  ['a partition that the topic does not have', { value: '', partition: 3 }, /topic out has partitions 0 to 2/],
  ['half a partition', { value: '', partition: 0.5 }, /gave partition 0.5/],
  ['a timestamp that is none', { value: '', timestamp: Number.NaN }, /timestamp NaN/],
  ['a value of another type', { value: 5 as never }, /expected a string, got number/],
])("%s is the user's error", (_, record, message) => {
  expect(() => writeRecords(() => record, ['a'])).toThrow(UserCodeError);
  expect(() => writeRecords(() => record, ['a'])).toThrow(message);
});

test('a key for a sink without a serde for keys is refused with the option to give', () => {
  const sink = kafkaSink({ topic: 'out', value: utf8, toRecord: (value: string) => ({ key: value as never, value }) });
  expect(() => write(sink, [['a']])).toThrow(/give kafkaSink a `key`/);
});

test('undefined is not written as a tombstone in silence', () => {
  const job = defineJob('job', (builder) =>
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .map(() => undefined as unknown as string)
      .sink('out', kafkaSink({ topic: 'out', value: utf8 })),
  );
  const runtime = createSourceRuntime(compiled(job), 'src', stageContext());
  runtime.begin();
  expect(() => runtime.consume('in', 0, recordSet([{ value: 'a' }]), { from: 0, to: 1, aborted: [] })).toThrow(
    /out at .*: TypeError: undefined has no encoding/,
  );
});

test("a record that is too large for its topic is no error of the user's code, and names sink, topic and setting", () => {
  const action = () => write(kafkaSink({ topic: 'out', value: utf8 }), [['x'.repeat(600)]], { maxBatchBytes: 500 });
  expect(action).toThrow(OversizedRecordError);
  expect(action).toThrow(/sink out, topic out: .*max\.message\.bytes/);
});

test('batches stay within what the topic takes', () => {
  const [output] = write(kafkaSink({ topic: 'out', value: utf8 }), [Array.from({ length: 200 }, () => 'x'.repeat(50))], {
    maxBatchBytes: 500,
    partitions: 1,
  });
  const [section] = decodeStagedOutput(Buffer.concat((output && partsTo(output, 'out')[0]) ?? []), 'test');
  const sizes = batchesOf(section?.batches ?? Buffer.alloc(0)).map(({ start, end }) => end - start);
  expect(sizes.length).toBeGreaterThan(20);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
});

test("records without any key fill one partition after the other, and go on behind the last epoch's", () => {
  const values = Array.from({ length: 300 }, () => 'x'.repeat(1000));
  const [many] = write(kafkaSink({ topic: 'out', value: utf8 }), [values]);
  const counts = [...(many === undefined ? new Map() : stagedRecords(many, 'out')).values()].map((records) => records.length);
  expect(counts.length).toBe(3);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(60);
  const small = write(kafkaSink({ topic: 'out', value: utf8 }), [['a', 'b'], ['c'], ['d'], ['e']]);
  expect(small.map((output) => [...stagedRecords(output, 'out').keys()])).toEqual([[1], [2], [0], [1]]);
});

test("behind a keyBy a record without a key goes where the stream's key would", () => {
  const job = defineJob('job', (builder) => {
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word.slice(0, 2), utf8, { value: utf8 })
      .process('op', { state: {}, onRecord: (word, _, out: Output<string>) => out.emit(word) })
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const context = stageContext({ partitions: 5 });
  const source = createSourceRuntime(compiled(job), 'src', context);
  source.begin();
  const words = ['aa1', 'bb1', 'cc1', 'aa2', 'dd1', 'bb2', 'aa3'];
  source.consume('in', 0, recordSet(words.map((value) => ({ value }))), { from: 0, to: words.length, aborted: [] });
  const operator = createOperatorRuntime(compiled(job), 'op', context, 0);
  operator.begin();
  operator.consume(throughBlob(partsTo(source.finish(), 'op')[0] ?? []));
  const written = stagedRecords(operator.finish(), 'out');
  for (const key of ['aa', 'bb', 'cc', 'dd']) {
    expect(
      written
        .get(javaPartition(key, 5))
        ?.map(({ value }) => value)
        .filter((value) => value?.startsWith(key)),
    ).toEqual(words.filter((word) => word.startsWith(key)));
  }
});

test("a record's key that is the stream's key, another key, and one of another encoding, go where their own bytes say", () => {
  type Sum = { key: number; sum: number };
  const job = defineJob('job', (builder) => {
    const sums = builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word.length, int64, { value: utf8 })
      .sum('op', () => 1);
    sums.sink('same', kafkaSink({ topic: 'same', key: int64, value: int64, toRecord: ({ key, sum }: Sum) => ({ key, value: sum }) }));
    sums.sink(
      'next',
      kafkaSink({ topic: 'next', key: int64, value: int64, toRecord: ({ key, sum }: Sum) => ({ key: key + 1, value: sum }) }),
    );
    sums.sink('short', kafkaSink({ topic: 'short', key: int32, value: int64, toRecord: ({ key, sum }: Sum) => ({ key, value: sum }) }));
    sums.sink(
      'text',
      kafkaSink({ topic: 'text', key: utf8, value: int64, toRecord: ({ key, sum }: Sum) => ({ key: String(key), value: sum }) }),
    );
  });
  const context = stageContext({ partitions: 1009 });
  const source = createSourceRuntime(compiled(job), 'src', context);
  source.begin();
  source.consume('in', 0, recordSet([{ value: 'abc' }]), { from: 0, to: 1, aborted: [] });
  const operator = createOperatorRuntime(compiled(job), 'op', context, 0);
  operator.begin();
  operator.consume(throughBlob(partsTo(source.finish(), 'op')[0] ?? []));
  const output = operator.finish();
  const partitionOf = (bytes: number[]) => [toPositive(murmur2(Buffer.from(bytes), 0, bytes.length)) % 1009];
  expect([...stagedRecords(output, 'same').keys()]).toEqual(partitionOf([0, 0, 0, 0, 0, 0, 0, 3]));
  expect([...stagedRecords(output, 'next').keys()]).toEqual(partitionOf([0, 0, 0, 0, 0, 0, 0, 4]));
  expect([...stagedRecords(output, 'short').keys()]).toEqual(partitionOf([0, 0, 0, 3]));
  expect([...stagedRecords(output, 'text').keys()]).toEqual(partitionOf([0x33]));
});

test('a topic that got more partitions is used at the next epoch', () => {
  let partitions = 1;
  const job = defineJob('job', (builder) =>
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .sink('out', kafkaSink({ topic: 'out', value: utf8, toRecord: (value: string) => ({ value, partition: Number(value) }) })),
  );
  const runtime = createSourceRuntime(compiled(job), 'src', { ...stageContext(), facts: () => topicFacts({ partitions }) });
  const epoch = () => {
    runtime.begin();
    runtime.consume('in', 0, recordSet([{ value: '1' }]), { from: 0, to: 1, aborted: [] });
    return [...stagedRecords(runtime.finish(), 'out').keys()];
  };
  expect(epoch).toThrow(/partitions 0 to 0/);
  partitions = 2;
  expect(epoch()).toEqual([1]);
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s compresses each batch, and readers have the same records', (compression) => {
  const values = Array.from({ length: 2_000 }, (_, n) => `word ${n % 50} is one of many`);
  const sizes = (output: EpochOutput | undefined) => {
    const [parts] = output === undefined ? [] : partsTo(output, 'out');
    const sections = decodeStagedOutput(Buffer.concat(parts ?? []), 'blob');
    return sections.flatMap(({ batches }) => batchesOf(batches).map(({ start, end, records }) => ({ bytes: end - start, records })));
  };
  const settings = { partitions: 2, maxBatchBytes: 20_000 };
  const [plain] = write(kafkaSink({ topic: 'out', value: utf8 }), [values], settings);
  const [packed] = write(kafkaSink({ topic: 'out', value: utf8, compression }), [values], settings);
  const read = (output: EpochOutput | undefined) => (output === undefined ? [] : [...stagedRecords(output, 'out')]);
  expect(read(packed)).toEqual(read(plain));
  const [before, after] = [sizes(plain), sizes(packed)];
  expect(before.length).toBeGreaterThan(2);
  expect(after.map(({ records }) => records)).toEqual(before.map(({ records }) => records));
  for (const [index, { bytes }] of after.entries()) expect(bytes).toBeLessThan((before[index]?.bytes ?? 0) / 3);
});

test('a batch that compression would not make smaller stays as it is', () => {
  const [plain] = write(kafkaSink({ topic: 'out', value: utf8 }), [['x']]);
  const [packed] = write(kafkaSink({ topic: 'out', value: utf8, compression: 'gzip' }), [['x']]);
  const bytesOf = (output: EpochOutput | undefined) => Buffer.concat((output === undefined ? [] : partsTo(output, 'out'))[0] ?? []);
  expect(bytesOf(packed).equals(bytesOf(plain))).toBe(true);
});

test('a compression that there is not is refused when the job is defined', () => {
  expect(() => kafkaSink({ topic: 'out', value: utf8, compression: 'brotli' as 'gzip' })).toThrow(
    'kafkaSink of topic out: compression is "brotli", and must be none, gzip, snappy, lz4, zstd',
  );
});

/** Of each topic the values by partition. */
function routed(output: EpochOutput | undefined): Record<string, Record<number, (string | null)[]>> {
  const [parts] = output === undefined ? [] : partsTo(output, 'out');
  const sections = parts === undefined ? [] : decodeStagedOutput(Buffer.concat(parts), 'blob');
  const byTopic = Map.groupBy(sections, ({ topic }) => topic);
  const valuesOf = (batches: Buffer) => readAll(asLog(Buffer.from(batches))).read.map(({ value }) => value);
  return Object.fromEntries(
    [...byTopic].map(([topic, own]) => [topic, Object.fromEntries(own.map(({ partition, batches }) => [partition, valuesOf(batches)]))]),
  );
}

function severalFacts(...partitions: readonly (readonly [topic: string, partitions: number])[]) {
  const of = ([topic, count]: readonly [string, number]) => ({ topic, partitions: count, maxBatchBytes: 500, compacted: false });
  return { facts: () => ({ topics: partitions.map(of) }) };
}

const byInitial = (value: string) => (value.startsWith('a') ? 'as' : value.startsWith('b') ? 'bs' : 'none');

test('a function gives the topic of each value, and every topic has partitions of its own', () => {
  const sink = kafkaSink({
    topics: ['as', 'bs', 'unused'],
    topic: byInitial,
    key: utf8,
    value: utf8,
    toRecord: (value: string) => ({ key: value, value }),
  });
  const context = severalFacts(['as', 1], ['bs', 7], ['unused', 2]);
  const [first, second, third] = write(sink, [['a1', 'b1', 'a2'], ['b2'], []], {}, context);
  expect(routed(first)).toEqual({ as: { 0: ['a1', 'a2'] }, bs: { [javaPartition('b1', 7)]: ['b1'] } });
  expect(first?.edges.values().next().value?.records).toBe(3);
  // Nothing of the epoch before.
  expect(routed(second)).toEqual({ bs: { [javaPartition('b2', 7)]: ['b2'] } });
  expect(routed(third)).toEqual({});
});

test('a topic that the sink does not name fails its record, and the message says which there are', () => {
  const sink = kafkaSink({ topics: ['as', 'bs'], topic: byInitial, value: utf8 });
  const action = () => write(sink, [['a1', 'c1']], {}, severalFacts(['as', 1], ['bs', 1]));
  expect(action).toThrow(UserCodeError);
  expect(action).toThrow(
    'out at topic in, partition 0, offset 1: TypeError: topic gave "none", and `topics` of the sink has as, bs: name it there, or give one of these',
  );
});

test.each([
  ['nothing', undefined, 'topic gave undefined,'],
  ['a number', 5, 'topic gave 5,'],
  ['a promise', Promise.resolve('as'), 'topic gave [object Promise],'],
])('a topic that is %s fails its record', (_, given, message) => {
  const sink = kafkaSink({ topics: ['as', 'bs'], topic: () => given as never, value: utf8 });
  expect(() => write(sink, [['a1']], {}, severalFacts(['as', 1], ['bs', 1]))).toThrow(message);
});

test('a record that is too large names the topic that it is for', () => {
  const sink = kafkaSink({ topics: ['as', 'bs'], topic: byInitial, value: utf8 });
  const action = () => write(sink, [[`b${'x'.repeat(600)}`]], {}, severalFacts(['as', 1], ['bs', 1]));
  expect(action).toThrow(OversizedRecordError);
  expect(action).toThrow(/sink out, topic bs: /);
});

test('a serde that does something else at each topic does it at its own', () => {
  const named: Serde<string> = {
    ...utf8,
    forTopic: ({ topic, part }) => ({ ...utf8, write: (value, out) => utf8.write(`${topic} ${part} ${value}`, out) }),
  };
  const sink = kafkaSink({ topics: ['as', 'bs'], topic: byInitial, value: named });
  expect(routed(write(sink, [['a1', 'b1']], {}, severalFacts(['as', 1], ['bs', 1]))[0])).toEqual({
    as: { 0: ['as value a1'] },
    bs: { 0: ['bs value b1'] },
  });
});

test.each<[string, object, string]>([
  ['a function without topics', { topic: byInitial }, 'kafkaSink: topic is a function, and topics is not given: it must name all that'],
  ['no topics', { topic: byInitial, topics: [] }, 'topics is []: it must name all that'],
  ['a topic twice', { topic: byInitial, topics: ['as', 'bs', 'as'] }, 'kafkaSink: topics has as twice'],
  ['no name of a topic', { topic: byInitial, topics: ['as', 'b s'] }, 'kafkaSink: topics: "b s" is no Kafka topic name'],
  [
    'topics without a function',
    { topic: 'as', topics: ['as'] },
    'topics is given, and topic is "as": with several topics it must be a function',
  ],
  ['no topic at all', {}, 'kafkaSink: undefined is no Kafka topic name'],
  ['one that is waited for', { topic: async () => 'as', topics: ['as', 'bs'] }, 'topic of the sink to topics as, bs is async'],
])('%s: refused when the job is defined', (_, options, message) => {
  expect(() => kafkaSink({ ...(options as { topic: string }), value: utf8 })).toThrow(message);
});
