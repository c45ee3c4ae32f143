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
  utf8,
} from '../../../../lib/api/index.ts';
import { murmur2, toPositive } from '../../../../lib/format/murmur2.ts';
import { batchesOf } from '../../../../lib/format/stamp-batches.ts';
import type { EpochOutput } from '../../../../lib/operators/epoch-output.ts';
import { createOperatorRuntime } from '../../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../../lib/operators/source-runtime.ts';
import { OversizedRecordError, UserCodeError } from '../../../../lib/records/errors.ts';
import { decodeStagedOutput } from '../../../../lib/sinks/kafka/staged-output.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob, topicFacts } from '../../operators/runtimes.ts';

/** Writes the values to the sink from the source stage, in one epoch or several. */
function write(
  sink: KafkaSink<string>,
  epochs: readonly (readonly string[])[],
  settings: Parameters<typeof stageContext>[0] = {},
): EpochOutput[] {
  const job = defineJob('job', (builder) => builder.source('src', kafkaSource({ topic: 'in', value: utf8 })).sink('out', sink));
  const runtime = createSourceRuntime(compiled(job), 'src', stageContext(settings));
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

test("a record's key that is the stream's key, and one of another encoding, go where their own bytes say", () => {
  type Sum = { key: number; sum: number };
  const job = defineJob('job', (builder) => {
    const sums = builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word.length, int64, { value: utf8 })
      .sum('op', () => 1);
    sums.sink('same', kafkaSink({ topic: 'same', key: int64, value: int64, toRecord: ({ key, sum }: Sum) => ({ key, value: sum }) }));
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

test.each(['gzip', 'zstd'] as const)('%s compresses each batch, and readers have the same records', (compression) => {
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
  expect(() => kafkaSink({ topic: 'out', value: utf8, compression: 'lz4' as 'gzip' })).toThrow(
    'kafkaSink of topic out: compression is "lz4", and must be none, gzip, zstd',
  );
});
