import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** The word count by key, whose sink gives some words none: a compacted topic refuses such a record. */
export default defineJob('keyless-word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink(
      'write-counts',
      kafkaSink({
        topic: 'flink_kafka2',
        key: utf8,
        value: utf8,
        toRecord: (text: string) => (text.startsWith('nokey') ? { value: text } : { key: text.split(':::')[0] ?? '', value: text }),
      }),
    );
});
