/** How often was there each word? */
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../lib/api/index.ts';

export default defineJob('word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'lines', value: utf8 }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}: ${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'counts', value: utf8 }));
});
