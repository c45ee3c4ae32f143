import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, utf8 } from '../../../../lib/api/index.ts';
import { BATCH } from '../../../../lib/format/batch-layout.ts';
import { RecordBatchWriter } from '../../../../lib/format/record-batch-writer.ts';
import { RecordSetReader } from '../../../../lib/format/record-set-reader.ts';
import type { SourceOutput, StageContext } from '../../../../lib/operators/epoch-output.ts';
import { createSourceRuntime, type SourceRuntime } from '../../../../lib/operators/source-runtime.ts';
import type { CondemnedRecord, DeadLetterReason } from '../../../../lib/protocol/requests.ts';
import { decodeStagedOutput } from '../../../../lib/sinks/kafka/staged-output.ts';
import { asLog, recrc } from '../../format/record-sets.ts';
import { compiled, partsTo, recordSet, recordsTo, stageContext, stagedValues, topicFacts } from '../../operators/runtimes.ts';

const { Partitioners } = kafkajs;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [] };
const NOW = 1_800_000_000_000;
const target = { job: 'job', epoch: 7, topic: 'dead', nowMs: NOW };
const condemned: CondemnedRecord = {
  topic: 'in',
  partition: 2,
  offset: 11,
  reason: { stage: 'count', operator: 'count', errorClass: 'RangeError', message: 'no', stack: 'RangeError: no\n  at count', attempts: 3 },
};
const job = defineJob('job', (builder) => {
  const strict = { ...utf8, read: (...args: Parameters<typeof utf8.read>) => refuse(utf8.read(...args)) };
  builder
    .source('src', kafkaSource({ topic: 'in', value: strict }))
    .map((line) => line)
    .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
});

/** A job that can read nothing. */
const unreadable = defineJob('job', (builder) => {
  builder.source('src', kafkaSource({ topic: 'in', value: int64 })).sink('out', kafkaSink({ topic: 'out', value: int64 }));
});

function refuse(line: string): string {
  if (line === 'unreadable') throw new SyntaxError('not what was agreed');
  return line;
}

interface Letter {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** The dead-letter topic takes batches of so many bytes; other topics larger ones. */
function contextWhereLettersTake(maxBatchBytes: number): StageContext {
  const facts = (sink: string) => topicFacts({ partitions: 1, maxBatchBytes: sink === 'dead-letters' ? maxBatchBytes : 100_000 });
  return { ...stageContext(), facts };
}

function lettersOf(output: SourceOutput): Letter[] {
  const parts = partsTo(output, 'dead-letters')[0];
  if (parts === undefined) return [];
  return decodeStagedOutput(Buffer.concat(parts), 'test').flatMap(({ topic, partition, batches }) => {
    expect(topic).toBe('dead');
    const reader = new RecordSetReader();
    reader.open(asLog(batches), { ...ALL, describe: () => 'test' });
    const found: Letter[] = [];
    const text = (start: number, end: number) => (start < 0 ? null : reader.bytes.toString('utf8', start, end));
    while (reader.next())
      found.push({
        partition,
        key: text(reader.keyStart, reader.keyEnd),
        value: text(reader.valueStart, reader.valueEnd),
        timestamp: reader.timestamp,
        headers: reader.headers().map(({ key, value }) => [key, Buffer.from(value ?? []).toString()] as const),
      });
    return found;
  });
}

function run(records: Parameters<typeof recordSet>[0], begin: (runtime: SourceRuntime) => void, context = stageContext()): SourceOutput {
  const runtime = createSourceRuntime(compiled(job, 'dead'), 'src', context);
  begin(runtime);
  runtime.consume('in', 2, recordSet(records, 10), ALL);
  return runtime.finish();
}

const records = [
  { value: 'first' },
  { key: 'k', value: 'second', timestamp: 77, headers: [{ key: 'h', value: Buffer.from('1') }] },
  { value: 'third' },
];

describe('a condemned record', () => {
  it('is staged for the dead-letter topic as it was, with headers that say why, and nothing else of it is', () => {
    const output = run(records, (runtime) => runtime.begin(target, condemned));
    expect(stagedValues(output, 'out')).toEqual(['first', 'third']);
    expect([output.recordsIn, recordsTo(output, 'dead-letters')]).toEqual([3, 1]);
    expect(lettersOf(output)).toEqual([
      {
        partition: expect.any(Number),
        key: 'k',
        value: 'second',
        timestamp: 77,
        headers: [
          ['h', '1'],
          ['onceflow.job', 'job'],
          ['onceflow.epoch', '7'],
          ['onceflow.topic', 'in'],
          ['onceflow.partition', '2'],
          ['onceflow.offset', '11'],
          ['onceflow.timestamp', '77'],
          ['onceflow.stage', 'count'],
          ['onceflow.operator', 'count'],
          ['onceflow.attempts', '3'],
          ['onceflow.error.class', 'RangeError'],
          ['onceflow.error.message', 'no'],
          ['onceflow.error.stack', 'RangeError: no\n  at count'],
        ],
      },
    ]);
  });

  it.each([{ topic: 'other' }, { partition: 1 }, { offset: 12_000 }])('elsewhere (%j) leaves nothing out here', (place) => {
    const output = run(records, (runtime) => runtime.begin(target, { ...condemned, ...place }));
    expect(recordsTo(output, 'dead-letters')).toBe(0);
    expect(partsTo(output, 'dead-letters')).toEqual([undefined]);
  });

  it('is forgotten with its epoch', () => {
    const runtime = createSourceRuntime(compiled(job, 'dead'), 'src', stageContext());
    for (const letter of [condemned, undefined]) {
      runtime.begin(target, letter);
      runtime.consume('in', 2, recordSet(records, 10), ALL);
      expect(recordsTo(runtime.finish(), 'dead-letters')).toBe(letter === undefined ? 0 : 1);
    }
  });

  it('goes to the partition of its key, and without one to its own', () => {
    const [letter] = lettersOf(run([{ value: 'x' }, { value: 'second' }], (runtime) => runtime.begin(target, condemned)));
    expect(letter?.partition).toBe(2);
  });

  it.each(['kafka-key', 'another key', 'k', 'ü'])('with a key goes where another client sends that key: %s', (key) => {
    const context = { ...stageContext(), facts: () => topicFacts({ partitions: 101 }) };
    const [letter] = lettersOf(run([{ value: 'x' }, { key, value: 'second' }], (runtime) => runtime.begin(target, condemned), context));
    const partitionMetadata = Array.from({ length: 101 }, (_, partitionId) => ({ partitionId, leader: 1 })) as never;
    expect(letter?.partition).toBe(
      Partitioners.DefaultPartitioner()({ topic: 'dead', partitionMetadata, message: { key: Buffer.from(key), value: null } }),
    );
  });

  it('has its message and stack cut to a bound', () => {
    const reason = { ...condemned.reason, message: 'm'.repeat(5_000), stack: 's'.repeat(50_000) };
    const [letter] = lettersOf(run(records, (runtime) => runtime.begin(target, { ...condemned, reason })));
    const lengths = Object.fromEntries((letter?.headers ?? []).map(([name, value]) => [name, value.length]));
    expect(lengths).toMatchObject({ 'onceflow.error.message': 1_000, 'onceflow.error.stack': 4_000 });
  });

  it.each<[string, bigint, number]>([
    ["Go's zero time", -62_135_596_800_000n, -62_135_596_800_000],
    ['none', -1n, -1],
    ['nanoseconds', 1_700_000_000_123_456_789n, NOW],
    ['Long.MAX', 2n ** 63n - 1n, NOW],
    ['Long.MIN', -(2n ** 63n), NOW],
    ['a day ahead', BigInt(NOW) + 86_400_000n, NOW],
  ])('with the timestamp %s is written, with one that no topic refuses, and says its own', (_what, timestamp, written) => {
    const set = recordSet([{ value: 'x' }, { value: 'second' }], 10);
    set.writeBigInt64BE(timestamp, BATCH.baseTimestamp);
    set.writeBigInt64BE(timestamp, BATCH.maxTimestamp);
    const runtime = createSourceRuntime(compiled(job, 'dead'), 'src', stageContext());
    runtime.begin(target, condemned);
    runtime.consume('in', 2, recrc(set), ALL);
    const output = runtime.finish();
    const [letter] = lettersOf(output);
    expect(letter?.timestamp).toBe(written);
    expect(new Map(letter?.headers).get('onceflow.timestamp')).toBe(String(timestamp));
    expect(stagedValues(output, 'out')).toEqual(['x']);
  });

  it('has its headers as they were, also with keys that are no text', () => {
    const writer = new RecordBatchWriter({ maxBatchBytes: 1_000_000 });
    const key = Buffer.from([0xff, 0xfe]);
    writer.append(5, undefined, undefined, 'second', utf8, [{ key, value: undefined }]);
    const runtime = createSourceRuntime(compiled(job, 'dead'), 'src', stageContext());
    runtime.begin(target, { ...condemned, offset: 10 });
    runtime.consume('in', 2, asLog(Buffer.from(writer.finish()), 10), ALL);
    const parts = partsTo(runtime.finish(), 'dead-letters')[0] ?? [];
    const [section] = decodeStagedOutput(Buffer.concat(parts), 'test');
    const reader = new RecordSetReader();
    reader.open(asLog(section?.batches ?? Buffer.of()), { ...ALL, describe: () => 'test' });
    expect(reader.next()).toBe(true);
    expect(reader.rawHeaders()[0]).toEqual({ key, value: undefined });
  });

  it.each<[string, Partial<DeadLetterReason>]>([
    ['half an emoji', { message: `${'x'.repeat(998)}\u{1f511}${'x'.repeat(10)}`, stack: '\ud83d' }],
    ['no stack', { stack: undefined }],
    ['no words', { errorClass: '', message: '', operator: '' }],
  ])('is written whatever the error said: %s', (_what, reason) => {
    const output = run(records, (runtime) => runtime.begin(target, { ...condemned, reason: { ...condemned.reason, ...reason } }));
    expect(lettersOf(output)).toHaveLength(1);
  });

  it('that just fits without its headers is written with short ones', () => {
    const value = 'y'.repeat(9_000);
    const context = stageContext({ maxBatchBytes: 10_000 });
    const reason = { ...condemned.reason, message: 'm'.repeat(2_000), stack: 's'.repeat(5_000) };
    const output = run([{ value: 'x' }, { value }], (runtime) => runtime.begin(target, { ...condemned, reason }), context);
    const [letter] = lettersOf(output);
    expect(letter?.value).toBe(value);
    const headers = new Map(letter?.headers);
    expect([headers.get('onceflow.error.message')?.length, headers.get('onceflow.error.stack')]).toEqual([100, '…']);
    expect(headers.get('onceflow.offset')).toBe('11');
  });

  it('that came in a compressed batch, and is larger than the topic takes without, is compressed too, in its order', () => {
    const value = 'y'.repeat(50_000);
    const context = contextWhereLettersTake(5_000);
    const runtime = createSourceRuntime(compiled(unreadable, 'dead'), 'src', context);
    runtime.begin(target);
    runtime.consume('in', 2, recordSet([{ value: 'a' }, { value }, { value: 'b' }], 10), ALL);
    const output = runtime.finish();
    expect(recordsTo(output, 'dead-letters')).toBe(3);
    expect(lettersOf(output).map((letter) => [letter.value, new Map(letter.headers).get('onceflow.offset')])).toEqual([
      ['a', '10'],
      [value, '11'],
      ['b', '12'],
    ]);
  });

  it('that does not fit into the dead-letter topic is an error that says so', () => {
    const context = contextWhereLettersTake(200);
    expect(() => run(records, (runtime) => runtime.begin(target, condemned), context)).toThrow(
      /^topic in, partition 2, offset 11 cannot be written to the dead-letter topic dead \(ONCEFLOW_DEAD_LETTER_TOPIC\): a record takes .* max\.message\.bytes/,
    );
  });
});

describe('records that cannot be read', () => {
  const mixed = [{ value: 'a' }, { key: 'k', value: 'unreadable' }, { value: 'b' }, {}, { value: 'c' }];

  it('are left out of the epoch, and what is around them is processed', () => {
    const output = run(mixed, (runtime) => runtime.begin(target));
    expect(stagedValues(output, 'out')).toEqual(['a', 'b', 'c']);
    expect([output.recordsIn, recordsTo(output, 'dead-letters')]).toEqual([5, 2]);
    const letters = lettersOf(output).map(({ value, headers }) => [value, Object.fromEntries(headers)] as const);
    expect(new Map(letters)).toEqual(
      new Map([
        [
          'unreadable',
          expect.objectContaining({
            'onceflow.offset': '11',
            'onceflow.operator': 'src',
            'onceflow.error.class': 'MalformedRecordError',
            'onceflow.error.message': expect.stringMatching(
              /^source src cannot read the value with serde utf8: SyntaxError: not what was agreed\. It has 10 bytes: /,
            ),
            'onceflow.error.stack': expect.stringContaining('refuse'),
          }),
        ],
        [null, expect.objectContaining({ 'onceflow.offset': '13', 'onceflow.error.class': 'MissingValueError' })],
      ]),
    );
  });

  it('stop the job where records are not left out', () => {
    expect(() => run(mixed, (runtime) => runtime.begin())).toThrow(/^topic in, partition 2, offset 11: source src cannot read the value/);
  });
});
