import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** A million keys and values of a digit: most records meet a key that this epoch has not seen. */
export default defineJob('tiny-values', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8 }))
    .keyBy((line) => line.slice(0, line.indexOf(' ')), utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(line, { count }, out: Output<string>) {
        out.emit(`${line}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
});
