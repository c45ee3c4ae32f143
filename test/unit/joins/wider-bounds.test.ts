import { expect, test } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { StageTime } from '../../../lib/protocol/event-time.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from '../operators/runtimes.ts';

/** Rows are `key time`. */
const timestamp = (row: string) => Number(row.split(' ')[1]);
const context = stageContext({ partitions: 1 });

function bounded(ms: number) {
  return compiled(
    defineJob('bounded', (job) => {
      const of = (side: string) =>
        job
          .source(`read-${side}`, kafkaSource({ topic: side, value: utf8, eventTime: { timestamp, maxOutOfOrdernessMs: 0 } }))
          .keyBy((row) => row.split(' ')[0] ?? '', utf8);
      of('left')
        .intervalJoin('join', of('right'), {
          lowerBoundMs: -ms,
          upperBoundMs: ms,
          type: 'left',
          join: (one, other) => `${one} with ${other ?? 'nothing'}`,
        })
        .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
    }),
  );
}

type Rows = { readonly left?: readonly string[]; readonly right?: readonly string[] };

function run(job: ReturnType<typeof bounded>, before: readonly Buffer[], rows: Rows, time: StageTime) {
  const runtime = createOperatorRuntime(job, 'join', context, 0);
  const state = runtime.states.get('join');
  state?.load(before);
  runtime.begin(time);
  for (const [input, side] of (['left', 'right'] as const).entries()) {
    const values = rows[side] ?? [];
    if (values.length === 0) continue;
    const source = createSourceRuntime(job, `read-${side}`, context);
    source.begin(undefined, undefined, { processingMs: 1_000 });
    source.consume(side, 0, recordSet(values.map((value) => ({ value }))), { from: 0, to: values.length, aborted: [] });
    runtime.consume(throughBlob(partsTo(source.finish(), 'join')[0] ?? []), side, input);
  }
  const made = stagedValues(runtime.finish(), 'out');
  const after = [Buffer.concat(state?.takeBase() ?? [])];
  return { made, after, due: state?.due()?.eventMs, keys: state?.size };
}

test('rows that wait when the bounds get wider wait as long as these say, and are not forgotten', () => {
  const narrow = bounded(10);
  const wide = bounded(100);
  const first = run(narrow, [], { left: ['a 0', 'b 0'], right: ['a 1'] }, { afterMs: 5, processingMs: 1 });
  expect([first.made, first.due]).toEqual([['a 0 with a 1'], 10]);
  // At the ends of the narrow bounds: nothing is over by the wide ones.
  const second = run(wide, first.after, {}, { beforeMs: 5, afterMs: 50, processingMs: 2 });
  expect([second.made, second.due]).toEqual([[], 100]);
  const third = run(wide, second.after, { right: ['a 60'] }, { beforeMs: 50, afterMs: 99, processingMs: 3 });
  expect(third.made).toEqual(['a 0 with a 60']);
  const last = run(wide, third.after, {}, { beforeMs: 99, afterMs: 1_000, processingMs: 4 });
  expect([last.made, last.due, last.keys]).toEqual([['b 0 with nothing'], undefined, 0]);
});
