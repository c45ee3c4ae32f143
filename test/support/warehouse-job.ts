import { defineJob, kafkaSink, utf8 } from '../../lib/api/index.ts';
import { clickHouseSink } from '../../lib/targets/clickhouse.ts';
import { countedWords } from './counted-words.ts';

/** Where this run of the test has its server and its table. */
const { TEST_CLICKHOUSE: url = 'http://127.0.0.1:8123', TEST_COUNTS: table = 'counts' } = process.env;

/** The word count, written to a topic and to ClickHouse. */
export default defineJob('warehouse', (job) => {
  const counts = countedWords(job);
  counts.map(({ word, count }) => `${word}:::${count}`).sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
  counts
    .map(({ word, count }) => ({ word, count: BigInt(count) }))
    .sink('to-warehouse', clickHouseSink<{ word: string; count: bigint }>({ url, table, maxBatchRows: 100 }));
});
