import {
  csv,
  defineJob,
  dynamoSink,
  fileSink,
  int64,
  jsonLines,
  kafkaSink,
  kafkaSource,
  type Output,
  utf8,
  valueState,
  writeAheadSink,
} from '../../lib/api/index.ts';
import { parquet } from '../../lib/formats/parquet.ts';
import { clickHouseSink } from '../../lib/targets/clickhouse.ts';

interface Count {
  readonly word: string;
  readonly count: number;
}

const { BENCH_SINK: to = 'topic', BENCH_PLACE: place = 'bench', BENCH_CLICKHOUSE: url = 'http://127.0.0.1:8123' } = process.env;
const location = `s3://${place}/counts`;

const others = {
  deliver: writeAheadSink<Count>({ deliver: () => {} }),
  items: dynamoSink<Count>({ table: place, toWrite: ({ word, count }) => ({ put: { pk: `word ${word}`, sk: String(count) } }) }),
  'json-lines': fileSink<Count>({ location, format: jsonLines<Count>() }),
  csv: fileSink<Count>({ location, format: csv<Count>({ columns: ['word', 'count'] }) }),
  parquet: fileSink<Count>({
    location,
    format: parquet<Count>({
      columns: [
        { name: 'word', type: 'string' },
        { name: 'count', type: 'int64' },
      ],
    }),
  }),
  clickhouse: clickHouseSink<Count>({ url, table: place.replaceAll('-', '_') }),
};

/** The word count into one sink. */
export default defineJob('sinks', (job) => {
  const counts = job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<Count>) {
        out.emit({ word, count: count.update((n) => n + 1) });
      },
    });
  if (to === 'topic')
    counts.map(({ word, count }) => `${word}:::${count}`).sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
  else counts.sink('write-counts', others[to as keyof typeof others]);
});
