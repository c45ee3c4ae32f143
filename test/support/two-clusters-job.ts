import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** The word count over the lines of two clusters, written to both. */
export default defineJob('two-clusters', (job) => {
  const here = job.source('read-here', kafkaSource({ topic: 'lines', value: utf8, startingOffsets: 'earliest' }));
  const there = job.source('read-there', kafkaSource({ cluster: 'guarded', topic: 'lines', value: utf8, startingOffsets: 'earliest' }));
  const counts = here
    .union(there)
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    });
  counts.sink('write-here', kafkaSink({ topic: 'counts', value: utf8 }));
  counts.sink('write-there', kafkaSink({ cluster: 'guarded', topic: 'counts', value: utf8 }));
});
