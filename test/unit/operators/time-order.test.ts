import { describe, expect, it, test } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { StageTime } from '../../../lib/protocol/event-time.ts';
import { TimerError } from '../../../lib/records/errors.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from './runtimes.ts';

const context = stageContext({ partitions: 1 });

/** Words are `key time`; each but those of `quiet` sets a timer at its time and 15 ms. */
const job = defineJob('job', (builder) => {
  const made = builder
    .source(
      'src',
      kafkaSource({ topic: 'in', value: utf8, eventTime: { timestamp: (word) => Number(word.split(' ')[1]), maxOutOfOrdernessMs: 0 } }),
    )
    .flatMap((word) => (word.startsWith('twice') ? [`${word} a`, `${word} b`] : [word]))
    .keyBy((word) => word.split(' ')[0] ?? '', utf8, { value: utf8 })
    .process('op', {
      inTimeOrder: true,
      state: { n: valueState(int64, 0) },
      onRecord(word, { n }, out: Output<string>, { timestamp, watermarkMs, timers }) {
        if (word.startsWith('bad')) throw new Error('no');
        out.emit(`${word} is ${n.update((before) => before + 1)}, ${timestamp - watermarkMs}`);
        if (!word.startsWith('quiet')) timers.setEventTime(timestamp + 15);
      },
      onTimer: ({ timeMs }, { n }, out, { key, watermarkMs }) =>
        out.emit(`${key} timer ${timeMs} is ${n.update((before) => before + 1)}, ${timeMs - watermarkMs}`),
    });
  made.sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  made.late.map((word) => `late ${word}`).sink('late', kafkaSink({ topic: 'late', value: utf8 }));
});

const runtimeOf = (subtask = 0, parallelism = 1) =>
  createOperatorRuntime(compiled(job), 'op', stageContext({ partitions: 1, parallelism }), subtask);

/** By partition, words; the first of partition p has offset 100 p. */
function segmentOf(words: readonly (readonly string[])[]): Buffer {
  const source = createSourceRuntime(compiled(job), 'src', context);
  source.begin(undefined, undefined, { processingMs: 1 });
  for (const [partition, own] of words.entries()) {
    if (own.length === 0) continue;
    source.consume(
      'in',
      partition,
      recordSet(
        own.map((value) => ({ value })),
        100,
      ),
      { from: 100, to: 100 + own.length, aborted: [] },
    );
  }
  return throughBlob(partsTo(source.finish(), 'op')[0] ?? []);
}

function run(runtime: OperatorRuntime, words: readonly (readonly string[])[], time: StageTime) {
  runtime.begin(time);
  if (words.flat().length > 0) runtime.consume(segmentOf(words));
  const output = runtime.finish();
  const delta = Buffer.concat([...runtime.states.values()].flatMap((state) => state.takeDelta()));
  return { out: stagedValues(output, 'out'), late: stagedValues(output, 'late'), delta };
}

describe('in order of time', () => {
  it('rows wait for the watermark, and come by time with the timers between them, of one time before these', () => {
    const runtime = runtimeOf();
    expect(run(runtime, [['ant 30', 'ant 10', 'ant 25']], { processingMs: 1 }).out).toEqual([]);
    expect(run(runtime, [], { afterMs: 29, processingMs: 2 }).out).toEqual(['ant 10 is 1, 1', 'ant 25 is 2, 1', 'ant timer 25 is 3, 0']);
    expect(run(runtime, [], { beforeMs: 29, afterMs: 99, processingMs: 3 }).out).toEqual([
      'ant 30 is 4, 1',
      'ant timer 40 is 5, 0',
      'ant timer 45 is 6, 0',
    ]);
  });

  it('of one time they come by partition, then by offset, then as they were made of their record, however they arrived', () => {
    const time = { afterMs: 10, processingMs: 1 };
    const inOrder = [
      'twice 10 a is 1, 1',
      'twice 10 b is 2, 1',
      'twice 10 a is 3, 1',
      'twice 10 b is 4, 1',
      'twice 10 a is 5, 1',
      'twice 10 b is 6, 1',
    ];
    expect(run(runtimeOf(), [['twice 10', 'twice 10'], ['twice 10']], time).out).toEqual(inOrder);
    const runtime = runtimeOf();
    run(runtime, [[], ['quiet 10', 'quiet 10 later']], { processingMs: 1 });
    expect(run(runtime, [['quiet 10 first']], time).out.map((text) => text?.split(' is ')[0])).toEqual([
      'quiet 10 first',
      'quiet 10',
      'quiet 10 later',
    ]);
  });

  it('what is not newer than the watermark of the epoch before goes to the late output, and nowhere else', () => {
    const runtime = runtimeOf();
    run(runtime, [['ant 50']], { afterMs: 40, processingMs: 1 });
    const { out, late } = run(runtime, [['ant 40', 'ant 41']], { beforeMs: 40, afterMs: 60, processingMs: 2 });
    expect(late).toEqual(['late ant 40']);
    expect(out.map((text) => text?.split(' is ')[0])).toEqual(['ant 41', 'ant 50', 'ant timer 56']);
  });

  it('rows that wait are in the snapshot, by entry, and are found again at another parallelism', () => {
    const first = runtimeOf();
    const words = Array.from({ length: 500 }, (_, index) => `quiet ${1_000 + index}`);
    const { delta } = run(first, [words], { processingMs: 1 });
    const more = run(first, [['quiet 5']], { processingMs: 2 });
    expect(delta.length).toBeGreaterThan(10_000);
    expect(more.delta.length).toBeLessThan(200);
    const restored = [0, 1, 2].map((subtask) => {
      const runtime = runtimeOf(subtask, 3);
      runtime.states.get('op')?.load([delta, more.delta]);
      return runtime;
    });
    expect(restored.map((runtime) => runtime.states.get('op')?.due()).filter((due) => due !== undefined)).toEqual([{ eventMs: 5 }]);
    const outs = restored.map((runtime) => run(runtime, [], { afterMs: 1_002, processingMs: 3 }).out);
    expect(outs.flat()).toEqual(['quiet 5 is 1, 1', 'quiet 1000 is 2, 1', 'quiet 1001 is 3, 1', 'quiet 1002 is 4, 1']);
  });

  it('a row that fails when its time has come is refused with its key and time: its record was read long ago', () => {
    const runtime = runtimeOf();
    run(runtime, [['bad 10']], { processingMs: 1 });
    const fail = () => run(runtime, [], { afterMs: 10, processingMs: 2 });
    expect(fail).toThrow(TimerError);
    const other = runtimeOf();
    run(other, [['bad 10']], { processingMs: 1 });
    expect(() => run(other, [], { afterMs: 10, processingMs: 2 })).toThrow(/^op, row of time 10 of key bad: Error: no/);
  });

  it('records at the places of others, of a topic that was made anew, are rows of their own', () => {
    const runtime = runtimeOf();
    run(runtime, [['quiet 10 old']], { processingMs: 1 });
    run(runtime, [['quiet 10 new']], { processingMs: 1 });
    expect(run(runtime, [], { afterMs: 10, processingMs: 2 }).out.map((text) => text?.split(' is ')[0])).toEqual([
      'quiet 10 old',
      'quiet 10 new',
    ]);
  });
});

test('the output of a key is the same bytes wherever epochs end', () => {
  const words = Array.from({ length: 60 }, (_, index) => `${['ant', 'bee', 'cow'][index % 3]} ${((index * 37) % 60) * 10}`);
  const of = (cuts: readonly number[]) => {
    const runtime = runtimeOf();
    const all: (string | null)[] = [];
    let beforeMs: number | undefined;
    let from = 0;
    for (const to of [...cuts, words.length]) {
      // As slow as it must be for nothing to be late: all that is behind is newer.
      const least = Math.min(...words.slice(to).map((word) => Number(word.split(' ')[1])), 10_000) - 1;
      const afterMs = Math.max(least, beforeMs ?? least);
      const { out, late } = run(runtime, [words.slice(from, to)], { beforeMs, afterMs, processingMs: 1 });
      expect(late).toEqual([]);
      all.push(...out);
      beforeMs = afterMs;
      from = to;
    }
    return Map.groupBy(all, (text) => text?.split(' ')[0]);
  };
  const once = of([]);
  expect(once.get('ant')?.length).toBe(40);
  for (const cuts of [[1], [20, 40], [5, 6, 7, 30, 59], words.map((_, index) => index).slice(1)]) expect(of(cuts)).toEqual(once);
});

test('rows that are made of one record by several operators come in one order, wherever epochs end', async () => {
  const words = kafkaSource({
    topic: 'in',
    value: utf8,
    eventTime: { timestamp: (word) => Number(word.split(' ')[1]), maxOutOfOrdernessMs: 0 },
  });
  const out = kafkaSink({ topic: 'out', value: utf8 });
  const diamond = defineJob('diamond', (builder) => {
    const of = builder.source('src', words);
    const by = (uid: string, inTimeOrder: boolean) => {
      const operator = {
        state: {},
        onRecord: (word: string, _: unknown, output: Output<string>) => {
          for (const nth of ['first', 'second']) output.emit(`${word} ${uid} ${nth}`);
        },
      };
      const keyed = of.keyBy((word) => word, utf8);
      return inTimeOrder ? keyed.process(uid, { ...operator, inTimeOrder }) : keyed.process(uid, operator);
    };
    by('waiting', true)
      .union(
        by('passing', false),
        of.map((word) => `${word} itself`),
      )
      .keyBy((word) => word.split(' ')[0] ?? '', utf8)
      .process('op', { inTimeOrder: true, state: {}, onRecord: (word, _, output: Output<string>) => output.emit(word) })
      .sink('write', out);
  });
  const ran = async (maxRecords: number, parallelism: number) => {
    const test = testJob(diamond, { parallelism });
    test.push(words, ...[10, 10, 20, 30].map((time, index) => `${['a', 'a', 'a', 'b'][index]} ${time} ${index}`), 'end 99');
    await test.runUntilIdle({ maxRecords });
    return test.values(out).filter((word) => word?.startsWith('a'));
  };
  const once = await ran(100, 1);
  expect(once).toHaveLength(15);
  for (const maxRecords of [1, 2, 3, 100]) for (const parallelism of [1, 2, 3]) expect(await ran(maxRecords, parallelism)).toEqual(once);
});

test('only edges that lead to an operator in order of time carry origins, and those through which they are reached', () => {
  const pass = { state: {}, onRecord: (word: string, _: unknown, out: Output<string>) => out.emit(word) };
  const mixed = defineJob('job', (builder) => {
    const words = builder.source('src', kafkaSource({ topic: 'in', value: utf8, eventTime: { maxOutOfOrdernessMs: 0 } }));
    words
      .keyBy((word) => word, utf8)
      .process('plain', pass)
      .sink('one', kafkaSink({ topic: 'one', value: utf8 }));
    words
      .keyBy((word) => word, utf8)
      .process('before', pass)
      .keyBy((word) => word, utf8)
      .process('ordered', { ...pass, inTimeOrder: true })
      .sink('two', kafkaSink({ topic: 'two', value: utf8 }));
  });
  const { edges } = compiled(mixed).plan;
  expect(edges.filter(({ withOrigins }) => withOrigins).map(({ id }) => id)).toEqual(['src>before.0', 'before>ordered.0']);
});

test('an operator in order of time needs event time', () => {
  const define = () =>
    defineJob('job', (builder) => {
      builder
        .source('src', kafkaSource({ topic: 'in', value: utf8 }))
        .keyBy((word) => word, utf8)
        .process('op', { inTimeOrder: true, state: {}, onRecord: () => {} });
    });
  expect(define).toThrow(/op works by event time, and source src before it has none/);
});
