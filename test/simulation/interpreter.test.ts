import { describe, expect, it } from 'vitest';
import {
  defineJob,
  int32,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  utf8,
  valueState,
  withTtl,
} from '../../lib/api/index.ts';
import type { JobDefinition } from '../../lib/graph/job.ts';
import { Arrivals } from './checker/arrivals.ts';
import type { InputRecord } from './checker/interpreter/epoch.ts';
import { Interpreter } from './checker/interpreter/interpreter.ts';
import { hashOf } from './checker/key-groups.ts';
import { encodeBatch } from './models/wire.ts';

const record = (value: string, partition = 0, offset = 0): InputRecord => ({
  key: undefined,
  value: Buffer.from(value),
  headers: [],
  timestamp: 5,
  topic: 'in',
  partition,
  offset,
});

/** What the sink `write` is given of these lines, one epoch after the other. */
function writtenBy(
  interpreter: Interpreter,
  lines: readonly string[],
  subtaskOf: (key: string) => number = () => 0,
  processingMs?: number,
) {
  const input = new Map([['read', lines.map((line) => record(line))]]);
  return (
    interpreter
      .run({
        input,
        subtaskOf: (_uid, key) => subtaskOf(String(key)),
        keyGroupOf: () => 0,
        keySerdeOf: () => utf8,
        timeOf: () => (processingMs === undefined ? undefined : { beforeMs: undefined, afterMs: undefined, processingMs }),
      })
      .get('write') ?? []
  );
}

const textsOf = (written: readonly { readonly text: string }[]) => written.map(({ text }) => text.replace(/ \| at 5$/, ''));
const source = kafkaSource({ topic: 'in', value: utf8 });
const sink = kafkaSink({ topic: 'out', value: utf8 });

/** Words keyed by themselves; behind that, numbered in all. */
const numbered = defineJob('numbered', (job) => {
  job
    .source('read', source)
    .keyBy((word) => word, utf8)
    .process('pass', { state: {}, onRecord: (word, _state, out: Output<string>) => out.emit(word) })
    .keyBy(() => 'all', utf8)
    .process('number', {
      state: { n: valueState(int64, 0) },
      onRecord: (word, { n }, out: Output<string>) => out.emit(`${word} ${n.update((before) => before + 1)}`),
    })
    .sink('write', sink);
});

describe('a job that is interpreted', () => {
  it('is worked on subtask by subtask, and what these make is handed on in that order', () => {
    const lines = ['ant', 'bee', 'ant', 'cow'];
    expect(textsOf(writtenBy(new Interpreter(numbered), lines))).toEqual(['ant 1', 'bee 2', 'ant 3', 'cow 4']);
    const beesLast = (key: string) => (key === 'bee' ? 1 : 0);
    expect(textsOf(writtenBy(new Interpreter(numbered), lines, beesLast))).toEqual(['ant 1', 'ant 2', 'cow 3', 'bee 4']);
  });

  it('goes on from epoch to epoch with its state', () => {
    const interpreter = new Interpreter(numbered);
    writtenBy(interpreter, ['ant']);
    expect(textsOf(writtenBy(interpreter, ['bee']))).toEqual(['bee 2']);
  });

  it('keeps what was changed in place, and not what was only read or was cleared', () => {
    const job = defineJob('kept', (define) => {
      define
        .source('read', source)
        .keyBy((line) => line.slice(0, 1), utf8)
        .process('keep', {
          state: { list: valueState(json<string[]>(), []), other: valueState(int64, 7) },
          onRecord(line, { list, other }) {
            other.get();
            if (line.endsWith('+')) list.get().push(line);
            if (line.endsWith('-')) list.clear();
          },
        });
    });
    const interpreter = new Interpreter(job);
    const keys = interpreter.states.get('keep')?.keys ?? new Map();
    writtenBy(interpreter, ['a+', 'a+', 'b+', 'c']);
    expect([...keys].map(([key, values]) => [key, ...[...values].map(String)])).toEqual([
      ['a', 'list,["a+","a+"]'],
      ['b', 'list,["b+"]'],
    ]);
    writtenBy(interpreter, ['a-']);
    expect([...keys.keys()]).toEqual(['b']);
  });

  it('goes through a map in the order of the bytes of its keys, and keeps of maps and lists what was changed in place', () => {
    const job = defineJob('collected', (define) => {
      define
        .source('read', source)
        .keyBy(() => 'all', utf8)
        .process('collect', {
          state: {
            map: mapState(int32, json<string[]>()),
            list: listState(json<{ line: string }>()),
            longest: reducingState(utf8, (one, other) => (other.length > one.length ? other : one)),
          },
          onRecord(line, { map, list, longest }, out: Output<string>) {
            const number = Number.parseInt(line, 10);
            if (map.has(number)) map.get(number)?.push(line);
            else map.set(number, [line]);
            if (line.endsWith('-')) map.delete(number);
            list.add({ line });
            for (const item of list) item.line += '!';
            longest.add(line);
            out.emit(`${[...map.entries()].join(' ')}, ${[...list].map((item) => item.line)}, ${longest.get()}`);
          },
        })
        .sink('write', sink);
    });
    const interpreter = new Interpreter(job);
    expect(textsOf(writtenBy(interpreter, ['-1', '256', '3 b', '256 c']))).toEqual([
      '-1,-1, -1!, -1',
      '256,256 -1,-1, -1!!,256!, 256',
      '3,3 b 256,256 -1,-1, -1!!!,256!!,3 b!, 256',
      '3,3 b 256,256,256 c -1,-1, -1!!!!,256!!!,3 b!!,256 c!, 256 c',
    ]);
    expect(textsOf(writtenBy(interpreter, ['256-']))).toEqual(['3,3 b -1,-1, -1!!!!!,256!!!!,3 b!!!,256 c!!,256-!, 256 c']);
  });

  it('has of states with a time to live what was written, or read, within it', () => {
    const job = defineJob('aging', (define) => {
      define
        .source('read', source)
        .keyBy(() => 'all', utf8)
        .process('age', {
          state: {
            value: withTtl(valueState(utf8, 'none'), { ttlMs: 10 }),
            read: withTtl(valueState(utf8, 'none'), { ttlMs: 10, refreshOn: 'read-and-write' }),
            list: withTtl(listState(json<{ line: string }>()), { ttlMs: 10 }),
            map: withTtl(mapState(utf8, int64), { ttlMs: 10 }),
          },
          onRecord(line, { value, read, list, map }, out: Output<string>) {
            out.emit(`${value.get()} ${read.get()} ${[...list].map((item) => item.line)} ${[...map]}`);
            for (const item of list) item.line += '!';
            if (line === 'look') return;
            value.set(line);
            read.set(line);
            list.add({ line });
            map.set(line, line.length);
          },
        })
        .sink('write', sink);
    });
    const interpreter = new Interpreter(job);
    const at = (processingMs: number, ...lines: string[]) => textsOf(writtenBy(interpreter, lines, undefined, processingMs));
    expect(at(100, 'a')).toEqual(['none none  ']);
    expect(at(105, 'bb', 'look')).toEqual(['a a a a,1', 'bb bb a!,bb a,1,bb,2']);
    expect(at(109, 'look')).toEqual(['bb bb a!!,bb! a,1,bb,2']);
    expect(at(110, 'look')).toEqual(['bb bb bb!! bb,2']);
    expect(at(115, 'look')).toEqual(['none bb  ']);
    expect(at(125, 'look')).toEqual(['none none  ']);
    expect(interpreter.states.get('age')?.keys.size).toBe(0);
  });

  it('gives each reader of a stream a value of its own', () => {
    const job = defineJob('shared', (define) => {
      const boxes = define.source('read', source).map((line) => ({ line }));
      boxes
        .map((box) => Object.assign(box, { line: 'changed' }))
        .sink('other', kafkaSink({ topic: 'other', value: json<{ line: string }>() }));
      boxes.map(({ line }) => line).sink('write', sink);
    });
    expect(textsOf(writtenBy(new Interpreter(job), ['ant']))).toEqual(['ant']);
  });

  it('says where records belong: in the partition that the author says, by their key, by the key of the stream, or anywhere', () => {
    const belongs = (define: (name: string) => JobDefinition) => writtenBy(new Interpreter(define('places')), ['ant'])[0]?.belongs;
    const to = (record: { readonly key?: string; readonly partition?: number }, isKeyed: boolean) =>
      belongs((name) =>
        defineJob(name, (job) => {
          const lines = job.source('read', source);
          const stream = isKeyed
            ? lines.keyBy((line) => line, utf8).process('pass', { state: {}, onRecord: (line, _, out: Output<string>) => out.emit(line) })
            : lines;
          stream.sink('write', kafkaSink({ topic: 'out', key: utf8, value: utf8, toRecord: (value) => ({ ...record, value }) }));
        }),
      );
    expect(to({ key: 'k', partition: 3 }, true)).toEqual({ by: 'partition', partition: 3 });
    expect(to({ key: 'k' }, true)).toEqual({ by: 'key', hash: hashOf(Buffer.from('k')), stream: 'ant' });
    expect(to({ key: 'k' }, false)).toEqual({ by: 'key', hash: hashOf(Buffer.from('k')), stream: undefined });
    expect(to({}, true)).toEqual({ by: 'key', hash: hashOf(Buffer.from('ant')), stream: 'ant' });
    expect(to({}, false)).toEqual({ by: 'nothing' });
  });
});

it.each([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['abc', 479_470_107],
])("the hash of %s is that of Kafka's own test", (key, hash) => {
  expect(hashOf(Buffer.from(key))).toBe(hash & 0x7fffffff);
});

describe('the order in which records came', () => {
  const batchAt = (offset: number) => {
    const batch = encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: false, timestampMs: 0 }, ['line']);
    batch.writeBigInt64BE(BigInt(offset), 0);
    return batch;
  };
  const kafka = (...partitions: readonly number[]) => ({
    fetch: async () =>
      partitions.map((partition) => ({
        topic: 'in',
        partition,
        answer: 'NONE' as const,
        logStartOffset: 0,
        highWatermark: 1,
        lastStableOffset: 1,
        aborted: [],
        // A broker cuts off the batch that does not fit any more.
        records: Buffer.concat([batchAt(0), batchAt(1).subarray(0, 70)]),
      })),
  });
  const records = [record('zero', 0), record('one', 1)];

  async function run(arrivals: Arrivals, subtask: number, answer: unknown, ...partitions: readonly number[]): Promise<void> {
    const watched = arrivals.watch(kafka(...partitions), { decisionId: 'd', stage: 'read', subtask });
    await watched.kafka.fetch();
    watched.answered(answer);
  }
  const inOrder = (arrivals: Arrivals) => {
    const { arrived, left } = arrivals.inOrder('d', 'read', records);
    return { arrived: arrived.map(({ value }) => String(value)), left: left.map(({ value }) => String(value)) };
  };

  it('is that of the run whose answer the coordinator took', async () => {
    const arrivals = new Arrivals();
    await run(arrivals, 0, { blob: 'a' }, 0, 1);
    await run(arrivals, 0, { blob: 'b' }, 1, 0);
    arrivals.taken({ decisionId: 'd', stage: 'read', subtask: 0 }, { blob: 'b' });
    expect(inOrder(arrivals)).toEqual({ arrived: ['one', 'zero'], left: [] });
  });

  it('is by subtask first; what nobody brought is left over', async () => {
    const arrivals = new Arrivals();
    await run(arrivals, 1, 'x', 0);
    await run(arrivals, 0, 'y', 1);
    arrivals.taken({ decisionId: 'd', stage: 'read', subtask: 1 }, 'x');
    expect(inOrder(arrivals)).toEqual({ arrived: ['zero'], left: ['one'] });
    arrivals.taken({ decisionId: 'd', stage: 'read', subtask: 0 }, 'y');
    expect(inOrder(arrivals)).toEqual({ arrived: ['one', 'zero'], left: [] });
  });
});
