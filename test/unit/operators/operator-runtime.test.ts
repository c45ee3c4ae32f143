import { expect, test } from 'vitest';
import {
  defineJob,
  float64,
  int64,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  listState,
  type Output,
  structured,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { UserCodeError } from '../../../lib/records/errors.ts';
import {
  compiled,
  type InputRecord,
  partsTo,
  recordSet,
  recordsTo,
  stageContext,
  stagedRecords,
  stagedValues,
  throughBlob,
} from './runtimes.ts';

const context = stageContext({ partitions: 2 });
const sink = kafkaSink({ topic: 'out', value: utf8 });

function keyedJob(add: (words: KeyedStream<string, string>) => void): JobDefinition {
  return defineJob('job', (job) => {
    add(job.source('src', kafkaSource({ topic: 'in', value: utf8 })).keyBy((word) => word.slice(0, 1), utf8, { value: utf8 }));
  });
}

/** The segment that the source makes of the values, for the one subtask of `stage`. */
function segmentOf(job: JobDefinition, stage: string, records: readonly (string | InputRecord)[]): Buffer {
  const runtime = createSourceRuntime(compiled(job), 'src', context);
  runtime.begin();
  const list = records.map((record) => (typeof record === 'string' ? { value: record } : record));
  runtime.consume('in', 0, recordSet(list), { from: 0, to: list.length, aborted: [] });
  return throughBlob(partsTo(runtime.finish(), stage)[0] ?? []);
}

function epoch(runtime: OperatorRuntime, segment: Buffer) {
  runtime.begin();
  runtime.consume(segment);
  const output = runtime.finish();
  for (const state of runtime.states.values()) state.takeDelta();
  return output;
}

test('reduce emits the first value of a key as it is, then what the function makes of the last result and the value', () => {
  const job = keyedJob((words) => words.reduce('join', (joined, word) => `${joined}+${word}`, utf8).sink('out', sink));
  const output = epoch(createOperatorRuntime(compiled(job), 'join', context, 0), segmentOf(job, 'join', ['a1', 'b1', 'a2', 'a3']));
  expect(stagedValues(output, 'out').sort()).toEqual(['a1', 'a1+a2', 'a1+a2+a3', 'b1']);
});

test('an operator with a list keeps what it adds, and only that, from epoch to epoch', () => {
  const job = keyedJob((words) =>
    words
      .process('gather', {
        state: { seen: listState(utf8) },
        onRecord(word, { seen }, out: Output<string>) {
          seen.add(word);
          if (seen.length > 2) seen.clear();
          out.emit([...seen].join('+'));
        },
      })
      .map(String)
      .sink('out', sink),
  );
  const runtime = createOperatorRuntime(compiled(job), 'gather', context, 0);
  expect(stagedValues(epoch(runtime, segmentOf(job, 'gather', ['a1', 'b1', 'a2'])), 'out').sort()).toEqual(['a1', 'a1+a2', 'b1']);
  const base = runtime.states.get('gather')?.takeBase() ?? [];
  const restored = createOperatorRuntime(compiled(job), 'gather', context, 0);
  restored.states.get('gather')?.load([Buffer.concat(base)]);
  for (const each of [runtime, restored])
    expect(stagedValues(epoch(each, segmentOf(job, 'gather', ['a3', 'a4', 'b2'])), 'out').sort()).toEqual(['', 'a4', 'b1+b2']);
});

test('sum emits the key and the sum so far', () => {
  const job = keyedJob((words) =>
    words
      .sum('total', (word) => word.length)
      .map(({ key, sum }) => `${key}=${sum}`)
      .sink('out', sink),
  );
  const output = epoch(createOperatorRuntime(compiled(job), 'total', context, 0), segmentOf(job, 'total', ['a', 'bbb', 'aa']));
  expect(stagedValues(output, 'out').sort()).toEqual(['a=1', 'a=3', 'b=3']);
});

test('an operator sees the key, the timestamp and every state of its key, and may emit any number of values', () => {
  const job = keyedJob((words) =>
    words
      .process('op', {
        state: { seen: valueState(int64, 0), last: valueState(utf8) },
        onRecord(word, { seen, last }, out: Output<string>, { key, timestamp }) {
          if (word.endsWith('!')) return;
          out.emit(`${key} at ${timestamp} after ${last.get()}: ${seen.update((n) => n + 1)}`);
          out.emit('again');
          last.set(word);
        },
      })
      .filter((text) => text !== 'again')
      .sink('out', sink),
  );
  const records = [
    { value: 'a1', timestamp: 10 },
    { value: 'a!', timestamp: 11 },
    { value: 'b1', timestamp: 12 },
    { value: 'a2', timestamp: 12 },
  ];
  const output = epoch(createOperatorRuntime(compiled(job), 'op', context, 0), segmentOf(job, 'op', records));
  const written = [...stagedRecords(output, 'out').values()].flat().map(({ value, timestamp }) => [value, timestamp]);
  expect(written).toEqual([
    ['a at 10 after undefined: 1', 10],
    ['b at 12 after undefined: 1', 12],
    ['a at 12 after a1: 2', 12],
  ]);
  expect(output.recordsIn).toBe(4);
  expect(recordsTo(output, 'out')).toBe(3);
});

test('operators behind one keyBy share its exchange and have states of their own', () => {
  const job = keyedJob((words) => {
    words
      .sum('first', () => 1)
      .map(({ sum }) => `first ${sum}`)
      .sink('out', sink);
    words
      .sum('second', () => 10)
      .map(({ sum }) => `second ${sum}`)
      .sink('out-2', sink);
  });
  const runtime = createOperatorRuntime(compiled(job), 'first', context, 0);
  expect([...runtime.states.keys()]).toEqual(['first', 'second']);
  const output = epoch(runtime, segmentOf(job, 'first', ['a', 'a']));
  expect(stagedValues(output, 'out')).toEqual(['first 1', 'first 2']);
  expect(stagedValues(output, 'out-2')).toEqual(['second 10', 'second 20']);
});

test('an operator stage may feed another through an exchange, with objects as values', () => {
  const job = defineJob('job', (builder) => {
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word, utf8)
      .sum('count', () => 1)
      .keyBy(({ sum }) => sum % 2, int64)
      .process('parity', {
        state: { keys: valueState(json<string[]>(), []) },
        onRecord({ key }, { keys }, out: Output<string>) {
          out.emit(keys.update((list) => [...list, key]).join());
        },
      })
      .sink('out', sink);
  });
  const first = epoch(createOperatorRuntime(compiled(job), 'count', context, 0), segmentOf(job, 'count', ['x', 'y', 'x']));
  const output = epoch(createOperatorRuntime(compiled(job), 'parity', context, 0), throughBlob(partsTo(first, 'parity')[0] ?? []));
  expect(stagedValues(output, 'out').sort()).toEqual(['x', 'x', 'x,y']);
});

test('what an operator throws is named with its uid, what fails behind it with its own place', () => {
  const throwing = keyedJob((words) =>
    words
      .process('op', {
        state: {},
        onRecord: () => {
          throw new RangeError('mine');
        },
      })
      .sink('out', sink),
  );
  const runtime = createOperatorRuntime(compiled(throwing), 'op', context, 0);
  runtime.begin();
  expect(() => runtime.consume(segmentOf(throwing, 'op', ['a']))).toThrow(
    expect.objectContaining({ name: 'UserCodeError', operator: 'op', message: 'op: RangeError: mine' }),
  );

  const behind = keyedJob((words) =>
    words
      .process('op', { state: {}, onRecord: (word, _, out: Output<string>) => out.emit(word) })
      .map((): string => {
        throw new Error('theirs');
      })
      .sink('out', sink),
  );
  const second = createOperatorRuntime(compiled(behind), 'op', context, 0);
  second.begin();
  expect(() => second.consume(segmentOf(behind, 'op', ['a']))).toThrow(
    expect.objectContaining({ name: 'UserCodeError', operator: 'map (node 3) behind op' }),
  );

  const unencodable = keyedJob((words) =>
    words
      .process('op', { state: {}, onRecord: (_word, _state, out: Output<string>) => out.emit(5 as unknown as string) })
      .sink('out', sink),
  );
  const third = createOperatorRuntime(compiled(unencodable), 'op', context, 0);
  third.begin();
  expect(() => third.consume(segmentOf(unencodable, 'op', ['a']))).toThrow(
    expect.objectContaining({ name: 'UserCodeError', operator: 'out', message: 'out: TypeError: utf8: expected a string, got number' }),
  );
});

test('a promise from onRecord is refused', () => {
  const job = keyedJob((words) => words.process('op', { state: {}, onRecord: () => Promise.resolve() }).sink('out', sink));
  const runtime = createOperatorRuntime(compiled(job), 'op', context, 0);
  runtime.begin();
  expect(() => runtime.consume(segmentOf(job, 'op', ['a']))).toThrow(/op: TypeError: the function returned a promise/);
});

const counting = keyedJob((words) =>
  words
    .process('op', {
      state: { count: valueState(float64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:${count.update((n) => n + 1)}`);
        if (word.endsWith('?')) throw new Error('asked');
      },
    })
    .sink('out', sink),
);

test('after a failed epoch the state must be dropped and loaded before another begins, and its output is gone', () => {
  const runtime = createOperatorRuntime(compiled(counting), 'op', context, 0);
  runtime.begin();
  runtime.consume(segmentOf(counting, 'op', ['a']));
  runtime.finish();
  const state = runtime.states.get('op');
  const snapshot = Buffer.concat(state?.takeBase() ?? []);
  runtime.begin();
  expect(() => runtime.consume(segmentOf(counting, 'op', ['a', 'a?']))).toThrow(UserCodeError);
  expect(() => runtime.finish()).toThrow(/after a failure/);
  expect(() => runtime.begin()).toThrow(/changes of an epoch without a snapshot/);
  runtime.dropState();
  state?.load([snapshot]);
  expect(stagedValues(epoch(runtime, segmentOf(counting, 'op', ['a'])), 'out')).toEqual(['a:2']);
});

test('a damaged segment is malformed, and says which it is', () => {
  const runtime = createOperatorRuntime(compiled(counting), 'op', context, 0);
  runtime.begin();
  expect(() => runtime.consume(Buffer.from('garbage'), 'blob x')).toThrow(MalformedError);
  runtime.begin();
  expect(() => runtime.consume(Buffer.from('garbage'), 'blob x')).toThrow(/blob x: the exchange segment/);
});

test('a whole segment whose keys or values a serde does not read is a failure of user code, which says which', () => {
  const wordsAsKeys = defineJob('job', (job) => {
    job
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .map((): unknown => 5)
      .keyBy(() => 'key', utf8, { value: structured })
      .sum('op', () => 1);
  });
  const numbers = defineJob('job', (job) => {
    job
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .map(() => 5)
      .keyBy((n) => n, int64, { value: int64 })
      .sum('op', () => 1);
  });
  const segment = segmentOf(wordsAsKeys, 'op', ['a']);
  const runtime = createOperatorRuntime(compiled(numbers), 'op', context, 0);
  runtime.begin();
  expect(() => runtime.consume(segment, 'blob x')).toThrow(/blob x: serde int64 cannot read key 0 of the segment/);
  const valuesOnly = defineJob('job', (job) => {
    job
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .map(() => 5)
      .keyBy(() => 'key', utf8, { value: float64 })
      .sum('op', () => 1);
  });
  const second = createOperatorRuntime(compiled(valuesOnly), 'op', context, 0);
  second.begin();
  expect(() => second.consume(segment, 'blob x')).toThrow(
    expect.objectContaining({
      name: 'UserCodeError',
      operator: 'op',
      message: expect.stringMatching(/blob x: serde float64 cannot read a value of the segment/),
    }),
  );
});
