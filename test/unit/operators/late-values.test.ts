import { expect, it } from 'vitest';
import { type DataStream, defineJob, int64, kafkaSink, kafkaSource, type Output, tumblingWindows, utf8 } from '../../../lib/api/index.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { compiled, partsTo, recordSet, stageContext, throughBlob } from './runtimes.ts';

const context = stageContext({ partitions: 1 });
const written = (stream: DataStream<string>, uid: string) => stream.sink(uid, kafkaSink({ topic: uid, value: utf8 }));

/** Values are times. Nobody reads what is late for the windows, and somebody what is late in order of time; a third has nothing late. */
const job = compiled(
  defineJob('job', (builder) => {
    const source = kafkaSource({ topic: 'in', value: utf8, eventTime: { timestamp: Number, maxOutOfOrdernessMs: 0 } });
    const keyed = builder.source('src', source).keyBy(() => 'key', utf8, { value: utf8 });
    const counts = keyed
      .window(tumblingWindows({ sizeMs: 10 }), { allowedLatenessMs: 5 })
      .aggregate('windows', { accumulator: int64, initial: 0, add: (n) => n + 1 });
    written(counts.map(String), 'counts');
    const ordered = keyed.process('ordered', {
      inTimeOrder: true,
      state: {},
      onRecord: (value, _, out: Output<string>) => out.emit(value),
    });
    written(ordered, 'in-order');
    written(ordered.late, 'late');
    const all = keyed.process('all', { state: {}, onRecord: (value, _, out: Output<string>) => out.emit(value) });
    written(all, 'every');
  }),
);

const runtime = createOperatorRuntime(job, 'windows', context, 0);

function lateIn(times: readonly number[], beforeMs: number) {
  const source = createSourceRuntime(job, 'src', context);
  source.begin(undefined, undefined, { processingMs: 1 });
  source.consume('in', 0, recordSet(times.map((time) => ({ value: `${time}` }))), { from: 0, to: times.length, aborted: [] });
  const segment = throughBlob(partsTo(source.finish(), 'windows')[0] ?? []);
  runtime.begin({ beforeMs, afterMs: beforeMs, processingMs: 1 });
  runtime.consume(segment);
  const { late } = runtime.finish();
  for (const state of runtime.states.values()) state.takeDelta();
  return late;
}

it('what is late is counted by operator and epoch, and whether anybody reads it', () => {
  // The window from 0 to 10 takes values until the watermark has come to 14.
  expect(lateIn([9, 13, 14, 15, 99], 13)).toEqual({ ordered: { dropped: 0, passedOn: 2 } });
  expect(lateIn([9, 14, 9, 15], 14)).toEqual({ ordered: { dropped: 0, passedOn: 3 }, windows: { dropped: 2, passedOn: 0 } });
  expect(lateIn([99], 14)).toBeUndefined();
});

it('of an epoch that was given up nothing is counted in the next', () => {
  lateIn([1, 2, 3], 50);
  runtime.begin({ beforeMs: 50, afterMs: 50, processingMs: 1 });
  expect(runtime.finish().late).toBeUndefined();
});
