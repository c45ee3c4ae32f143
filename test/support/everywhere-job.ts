import {
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
} from '../../lib/api/index.ts';

export interface Count {
  readonly word: string;
  readonly count: number;
}

const { TEST_BUCKET: bucket = 'test-bucket', TEST_ITEMS: table = 'test-items' } = process.env;

/** Every tenth count of a word deletes its item, the others write it: a write that is made twice or late shows. */
export const isDeleted = (count: number) => count % 10 === 0;

/** The word count to a topic, to files and to a table at once. */
export default defineJob('everywhere', (job) => {
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
  counts
    .map(({ word, count }) => `${word}:::${count}`)
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, compression: 'zstd' }));
  counts.sink(
    'store-counts',
    fileSink<Count>({
      location: `s3://${bucket}/counts`,
      format: jsonLines<Count>(),
      path: ({ word }) => `length=${word.length}`,
      manifests: true,
    }),
  );
  counts.sink(
    'keep-counts',
    dynamoSink<Count>({
      table,
      ledgerTable: `${table}-ledger`,
      toWrite: ({ word, count }) => (isDeleted(count) ? { delete: { word } } : { put: { word, count } }),
    }),
  );
});
