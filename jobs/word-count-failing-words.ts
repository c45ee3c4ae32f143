import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../lib/api/index.ts';

/** The chance of each word to throw. Epochs must be small: one of 20 words gets through in one of 87 attempts. */
const FAILURE_PROBABILITY = Number(process.env['WORD_FAILURE_PROBABILITY'] ?? 0.2);

/** The classic test: word count in which every word has one chance in five to throw, and the counts are right all the same. */
export default defineJob('word-count-failing-words', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .map((word) => {
      if (Math.random() < FAILURE_PROBABILITY) throw new Error(`the word ${word} has drawn one of its chances to fail`);
      return word;
    })
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
