import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

const MS_A_RECORD = 2;

/** The word count, whose function takes two milliseconds of the processor for each word. */
export default defineJob('slow-word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        const endMs = performance.now() + MS_A_RECORD;
        while (performance.now() < endMs);
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
