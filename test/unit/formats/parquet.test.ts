import { describe, expect, it } from 'vitest';
import { fileSink } from '../../../lib/api/index.ts';
import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import { type ParquetColumn, type ParquetType, parquet } from '../../../lib/formats/parquet.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { bytesOf, cutFiles } from '../../../lib/sinks/files/cut-files.ts';
import { FilesEncoder } from '../../../lib/sinks/files/files-encoder.ts';
import type { FileSinkSpec } from '../../../lib/sinks/files/spec.ts';
import { decodeStagedFiles } from '../../../lib/sinks/files/staged-files.ts';

const format = (type: ParquetType) => parquet<{ readonly a: unknown }>({ columns: [{ name: 'a', type }] });
const write = (type: ParquetType, a: unknown) => format(type).write({ a }, new ByteWriter());

describe('a value of a column', () => {
  it.each<[ParquetType, unknown]>([
    ['string', ''],
    ['boolean', false],
    ['int32', -(2 ** 31)],
    ['int64', 2n ** 63n - 1n],
    ['int64', -(2 ** 53 - 1)],
    ['double', Number.NaN],
    ['timestamp', new Date(-1)],
    ['timestamp', 1_738_215_083_739],
    ['bytes', new Uint8Array(0)],
    ['string', undefined],
    ['int64', null],
  ])('%s holds %o', (type, value) => {
    expect(() => write(type, value)).not.toThrow();
  });

  it.each<[ParquetType, unknown, RegExp]>([
    ['string', 5, /column a: expected a string, got the number 5/],
    ['string', '\ud800', /half a surrogate pair/],
    ['boolean', 0, /expected a boolean/],
    ['int32', 2 ** 31, /between -2\^31 and 2\^31 - 1, got the number 2147483648/],
    ['int32', 1.5, /whole number/],
    ['int64', 2 ** 53, /got the number 9007199254740992/],
    ['int64', 2n ** 63n, /got the bigint 9223372036854775808/],
    ['double', '1', /expected a number, got string/],
    ['timestamp', new Date(Number.NaN), /expected a date, or whole milliseconds since 1970, got Date/],
    ['timestamp', 1.5, /whole milliseconds/],
    ['bytes', 'text', /expected a Uint8Array/],
  ])('%s does not hold %o', (type, value, message) => {
    expect(() => write(type, value)).toThrow(message);
  });
});

it.each<[readonly ParquetColumn<object>[], RegExp]>([
  [[], /columns is empty/],
  [[{ name: '', type: 'string' }], /a column has no name/],
  [
    [
      { name: 'a', type: 'string' },
      { name: 'a', type: 'bytes' },
    ],
    /columns has a twice/,
  ],
  [[{ name: 'a', type: 'text' as ParquetType }], /column a is of type "text", and must be string, boolean, int32/],
  [[{ name: 'a', type: 'string', value: 'x' as unknown as () => string }], /value of column a is string, and must be a function/],
])('columns %o are refused when the job is defined', (columns, message) => {
  expect(() => parquet({ columns })).toThrow(message);
});

describe('a file', () => {
  const sinkOf = (value?: (row: number) => unknown) =>
    fileSink<number>({
      location: 's3://bucket',
      format: parquet<number>({ columns: [{ name: 'n', type: 'int32', value: value ?? ((n) => n) }] }),
    }) as FileSinkSpec;
  const staged = (spec: FileSinkSpec) => {
    const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
    const encoder = new FilesEncoder(spec, { sink: 's', current });
    encoder.begin();
    for (let n = 0; n < 10; n++) encoder.append(n);
    return cutFiles([decodeStagedFiles(Buffer.concat(encoder.finish() ?? []), 'blob')], 'stem');
  };

  it('is the same of the same rows, made by any build that has the format, whatever its columns are by now', async () => {
    const spec = sinkOf();
    const [file] = staged(spec);
    if (file === undefined) throw new Error('no file');
    const bytes = Buffer.from(await bytesOf(file, spec.format));
    expect([file.key, file.rows, bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 4)]).toEqual([
      'stem-0.parquet',
      10,
      'PAR1',
      'PAR1',
    ]);
    const changed = parquet<number>({ columns: [{ name: 'other', type: 'string', value: String }] });
    expect(Buffer.from(await bytesOf(file, changed as FileSinkSpec['format'])).equals(bytes)).toBe(true);
  });

  it('is not made where the job’s code is not, or has another format: a person is told which', async () => {
    const [file] = staged(sinkOf());
    if (file === undefined) throw new Error('no file');
    const made = bytesOf(file, undefined);
    await expect(made).rejects.toThrow(StoreProblem);
    await expect(made).rejects.toThrow(/stem-0\.parquet is to be made of rows as parquet.*ONCEFLOW_JOB/);
  });

  it('is compressed by the format alone', () => {
    const options = { location: 's3://bucket', format: format('string'), compression: 'gzip' } as const;
    expect(() => fileSink(options)).toThrow('compression is gzip, and must be none with parquet, which compresses by itself');
  });
});
