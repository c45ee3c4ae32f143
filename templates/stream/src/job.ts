import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from 'onceflow';

export const lines = kafkaSource({ topic: 'lines', value: utf8 });
export const counts = kafkaSink({ topic: 'counts', value: utf8 });

/** Counts the words of lines. */
export default defineJob('my-stream', (job) => {
  job
    .source('read-lines', lines)
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}: ${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', counts);
});
