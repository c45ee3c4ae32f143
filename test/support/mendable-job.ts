import { existsSync } from 'node:fs';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

const MENDED = process.env['MENDED_FILE'] ?? '';

/** The word count, which fails at the word "bad" until there is the file that MENDED_FILE names. */
export default defineJob('mendable-word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        if (word === 'bad' && !existsSync(MENDED)) throw new RangeError('the word bad is refused');
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
