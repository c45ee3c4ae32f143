import { describe, expect, it } from 'vitest';
import {
  type CsvColumn,
  csv,
  defineJob,
  dynamoSink,
  fileSink,
  jsonLines,
  kafkaSource,
  utf8,
  writeAheadSink,
} from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';

const deliver = () => {};
const format = jsonLines();
const location = 's3://bucket';

describe('what cannot be is said when the job is defined, with option, value and rule', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['deliver', () => writeAheadSink({ deliver: 'no' as never }), /writeAheadSink: deliver is string, not a function/],
    ['delivered', () => writeAheadSink({ deliver, delivered: 1 as never }), /delivered is number/],
    ['value', () => writeAheadSink({ deliver, value: {} as never }), /writeAheadSink: value: Object is no serde/],
    [
      'value',
      () => writeAheadSink({ deliver, value: { ...utf8, prepare: async () => {} } }),
      /value is the serde utf8, which works with a schema registry/,
    ],
    ['maxBatchRows', () => writeAheadSink({ deliver, maxBatchRows: 0 }), /maxBatchRows is 0, and must be a whole number of 1 to 1000000/],
    ['maxBatchBytes', () => writeAheadSink({ deliver, maxBatchBytes: 1.5 }), /maxBatchBytes is 1.5/],
    ['location', () => fileSink({ location: '/tmp', format }), /location is "\/tmp", and must be file:\/\/\//],
    ['format', () => fileSink({ location, format: jsonLines as never }), /format is a function, and must be jsonLines\(\)/],
    ['path', () => fileSink({ location, format, path: async () => '' as never } as never), /fileSink: path is async/],
    ['maxFileBytes', () => fileSink({ location, format, maxFileBytes: 1000 }), /maxFileBytes is 1000, and must be a whole number of 1024/],
    ['compression', () => fileSink({ location, format, compression: 'zip' as never }), /compression is "zip", and must be none or gzip/],
    ['columns', () => csv({ columns: [] }), /columns is empty/],
    ['columns', () => csv<{ a: string }>({ columns: ['a', { name: 'a', value: () => '' }] }), /columns has a twice/],
    ['columns', () => csv({ columns: [{ name: 'a' } as CsvColumn<unknown>] }), /value of column a is undefined, not a function/],
    ['table', () => dynamoSink({ table: 'a b' }), /table is "a b", and must be a table's name/],
    ['ledgerTable', () => dynamoSink({ table: 'rows', ledgerTable: '' }), /ledgerTable is ""/],
    ['toWrite', () => dynamoSink({ table: 'rows', toWrite: 1 as never }), /toWrite of the sink to table rows is number/],
  ])('%s', (_option, define, message) => {
    expect(define).toThrow(message);
    expect(define).toThrow(expect.objectContaining({ name: 'JobDefinitionError' }) as Error);
  });
});

it('sinks of several kinds are stages of one job, and the graph says where each writes to', () => {
  const job = defineJob('several', (builder) => {
    const lines = builder.source('read', kafkaSource({ topic: 'lines', value: utf8 }));
    lines.sink('to-files', fileSink<string>({ location, format }));
    lines.sink('to-table', dynamoSink({ table: 'rows', toWrite: (line: string) => ({ put: { line } }) }));
    lines.sink('to-function', writeAheadSink<string>({ deliver }));
  });
  expect(compilePlan(job).stages.map(({ id, kind }) => `${kind} ${id}`)).toEqual([
    'source read',
    'sink to-files',
    'sink to-table',
    'sink to-function',
  ]);
  const described = describeGraph(job).nodes.filter(({ kind }) => kind === 'sink');
  expect(described).toMatchObject([
    { uid: 'to-files', to: 'files', location, format: 'json-lines' },
    { uid: 'to-table', to: 'dynamodb', table: 'rows' },
    { uid: 'to-function', to: 'deliver', value: 'structured' },
  ]);
});
