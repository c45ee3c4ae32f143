import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { clickHouseSink } from '../../lib/targets/clickhouse.ts';

interface Count {
  readonly word: string;
  readonly count: bigint;
}

/** Where this run of the test has its server and its table. */
const { TEST_CLICKHOUSE: url = 'http://127.0.0.1:8123', TEST_COUNTS: table = 'counts' } = process.env;

/** The word count, written to a topic and to ClickHouse. */
export default defineJob('warehouse', (job) => {
  const counts = job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<Count>) {
        out.emit({ word, count: BigInt(count.update((n) => n + 1)) });
      },
    });
  counts.map(({ word, count }) => `${word}:::${count}`).sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
  counts.sink('to-warehouse', clickHouseSink<Count>({ url, table, maxBatchRows: 100 }));
});
