import { defineJob, dynamoSink, fileSink, jsonLines, kafkaSink, utf8 } from '../../lib/api/index.ts';
import { type Count, countedWords } from './counted-words.ts';

const { TEST_BUCKET: bucket = 'test-bucket', TEST_ITEMS: table = 'test-items' } = process.env;

/** Every tenth count of a word deletes its item, the others write it: a write that is made twice or late shows. */
export const isDeleted = (count: number) => count % 10 === 0;

/** The word count to a topic, to files and to a table at once. */
export default defineJob('everywhere', (job) => {
  const counts = countedWords(job);
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
