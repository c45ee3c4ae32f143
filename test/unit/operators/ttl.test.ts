import { expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState, withTtl } from '../../../lib/api/index.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { usesTime } from '../../../lib/plan/time.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from './runtimes.ts';

const context = stageContext({ partitions: 1 });

const jobOf = (expires: boolean) =>
  defineJob('job', (job) => {
    const count = valueState(int64, 0);
    job
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word, utf8)
      .process('op', {
        state: { count: expires ? withTtl(count, { ttlMs: 1_000 }) : count },
        onRecord(word, { count }, out: Output<string>) {
          out.emit(`${word} ${count.update((n) => n + 1)}`);
        },
      })
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });

it('a job whose state expires uses the processing time of epochs, behind sources without event time', () => {
  expect(usesTime(compiled(jobOf(false)).plan)).toBe(false);
  expect(usesTime(compiled(jobOf(true)).plan)).toBe(true);
});

it('state expires by the time of the epoch, not by that of the record or of the process', () => {
  const job = jobOf(true);
  const runtime = createOperatorRuntime(compiled(job), 'op', context, 0);
  const run = (processingMs: number, words: readonly string[]) => {
    const source = createSourceRuntime(compiled(job), 'src', context);
    source.begin(undefined, undefined, { processingMs });
    source.consume('in', 0, recordSet(words.map((value, index) => ({ value, timestamp: index * 5_000 }))), {
      from: 0,
      to: words.length,
      aborted: [],
    });
    runtime.begin({ processingMs });
    runtime.consume(throughBlob(partsTo(source.finish(), 'op')[0] ?? []));
    const written = stagedValues(runtime.finish(), 'out');
    runtime.states.get('op')?.takeDelta();
    return written;
  };
  expect(run(10_000, ['a', 'a', 'b'])).toEqual(['a 1', 'a 2', 'b 1']);
  expect(run(10_999, ['a'])).toEqual(['a 3']);
  expect(run(11_000, ['a', 'b', 'b'])).toEqual(['a 4', 'b 1', 'b 2']);
  expect(run(12_000, ['a', 'b'])).toEqual(['a 1', 'b 1']);
});
