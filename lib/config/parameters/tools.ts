import { oneOf, text } from '../kinds.ts';
import { defaulted, optional } from './row.ts';

/** Tools: `onceflow dev`, and of a checkout tests, benchmarks, the local stack. */
export const toolsParameters = {
  stack: defaulted({
    variable: 'ONCEFLOW_STACK',
    kind: oneOf('embedded', 'external'),
    default: 'embedded',
    readBy: ['local', 'test'],
    doc: 'Local commands and tests: whether they start Kafka and the AWS emulator, or use what runs at `ONCEFLOW_BROKERS` and `AWS_ENDPOINT_URL`.',
  }),
  kafkaArchive: defaulted({
    variable: 'ONCEFLOW_KAFKA_ARCHIVE',
    kind: text('the address of an archive of Apache Kafka 4.3.1, with its `.sha512` beside it'),
    default: 'https://archive.apache.org/dist/kafka/4.3.1/kafka_2.13-4.3.1.tgz',
    readBy: ['cli'],
    doc: '`onceflow dev` without brokers: where its Kafka is downloaded from, once, on a machine without Maven.',
  }),
  dynamodbLocal: optional({
    variable: 'ONCEFLOW_DYNAMODB_LOCAL',
    kind: text('the URL of a DynamoDB Local'),
    unset: '`http://127.0.0.1:8000` with the external stack',
    readBy: ['local', 'test'],
    doc: 'Tests: the second DynamoDB that the epoch store is checked on.',
  }),
  benchDir: optional({
    variable: 'ONCEFLOW_BENCH_DIR',
    kind: text('a folder'),
    unset: '`onceflow-bench` in the folder for temporary files',
    readBy: ['bench'],
    doc: 'Benchmarks: where the emulator and the blobs of a run are kept.',
  }),
};
