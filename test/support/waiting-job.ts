import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

const MS_A_RECORD = 1;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** The word count, whose function waits a millisecond for each word and takes no processor: so subtasks add up on any machine. */
export default defineJob('waiting-word-count', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        Atomics.wait(nothing, 0, 0, MS_A_RECORD);
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
