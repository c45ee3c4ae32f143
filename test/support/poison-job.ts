import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** The word count, in which some words make the job's functions throw: in the source's chain, or behind the keyBy. */
export default defineJob('poison-word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .map((word) => (word.startsWith('bad-in-source') ? refuse(word) : word))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
        if (word.startsWith('bad-in-operator')) refuse(word);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});

function refuse(word: string): never {
  throw new RangeError(`the word ${word} is refused`);
}
