import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { csv, defineJob, dynamoSink, fileSink, jsonLines, kafkaSink, utf8, writeAheadSink } from '../../lib/api/index.ts';
import { type Count, countedWords } from './counted-words.ts';

/** Where this run of the test has its bucket, its table and its folder. */
const { TEST_BUCKET: bucket = 'bucket', TEST_ITEMS: table = 'items', TEST_FOLDER: folder = '/tmp/onceflow-sinks-job' } = process.env;

/** The word count, written by every connector there is: to a topic, files in a bucket, files in a folder, a table, and a function. */
export default defineJob('all-sinks', (job) => {
  const counts = countedWords(job);
  counts.map(({ word, count }) => `${word}:::${count}`).sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
  counts.sink(
    'write-bucket',
    fileSink<Count>({
      location: `s3://${bucket}/counts`,
      format: jsonLines<Count>(),
      path: ({ word }) => `initial=${word.slice(0, 1)}`,
      manifests: true,
    }),
  );
  counts.sink(
    'write-folder',
    fileSink<Count>({ location: `file://${folder}/files`, format: csv<Count>({ columns: ['word', 'count'] }), compression: 'gzip' }),
  );
  counts.sink('write-table', dynamoSink<Count>({ table, toWrite: ({ word, count }) => ({ put: { pk: word, count } }) }));
  counts.sink(
    'deliver-counts',
    writeAheadSink<Count>({
      maxBatchRows: 20,
      deliver(rows, { id }) {
        // Idempotent: the same batch is the same file.
        const name = id.replaceAll('/', '~');
        mkdirSync(join(folder, 'delivered'), { recursive: true });
        writeFileSync(join(folder, `.${name}`), JSON.stringify(rows));
        renameSync(join(folder, `.${name}`), join(folder, 'delivered', name));
      },
    }),
  );
});
