import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** Few keys and values of 1 KB: the latest value of each key is state, and every value is written with its number. */
export default defineJob('large-values', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8 }))
    .keyBy((line) => line.slice(0, line.indexOf(' ')), utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0), latest: valueState(utf8, '') },
      onRecord(line, { count, latest }, out: Output<string>) {
        latest.set(line);
        out.emit(`${line}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
});
