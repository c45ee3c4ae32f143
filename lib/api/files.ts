import { BLOB_LOCATION_RULE, parseBlobLocation } from '../config/blob-location.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { type CsvColumn, type CsvValue, csvFormat } from '../sinks/files/formats/csv.ts';
import { jsonLinesFormat } from '../sinks/files/formats/json-lines.ts';
import type { Compression, FileFormat, RowTime } from '../sinks/files/spec.ts';
import { type EveryOption, expectKnown } from './known-options.ts';
import { refuseAsync } from './user-function.ts';
import { expectWhole } from './whole-number.ts';

/** Files as a job's output, for rows of type `T`. Made by `fileSink`. */
export interface FileSink<T> {
  /** Which kind of sink it is. */
  readonly kind: 'files';
  /** As of the options. */
  readonly location: string;
  /** As of the options. */
  readonly format: FileFormat<T>;
  /** As of the options. Undefined: rows lie in the location itself. */
  readonly path: ((row: T, of: RowTime) => string) | undefined;
  /** As of the options. */
  readonly maxFileBytes: number;
  /** As of the options. */
  readonly compression: Compression;
  /** As of the options. */
  readonly manifests: boolean;
}

/** Where a `fileSink` writes to, and how. */
export interface FileSinkOptions<T> {
  /** Where to: `s3://bucket`, `s3://bucket/prefix`, or `file:///absolute/folder` of the machine that runs the job. */
  readonly location: string;
  /** How rows stand in a file: `jsonLines()`, `csv({ … })`, or `parquet({ … })` of `onceflow/parquet`. */
  readonly format: FileFormat<T>;
  /**
   * The folder of a row, below the location; `''` for none. An hour of event time, for instance; see the example.
   * @default the location itself
   */
  readonly path?: (row: T, of: RowTime) => string;
  /** A file that has so many bytes, before compression, is followed by another one; 1024 to 1,073,741,824. @default 134217728 */
  readonly maxFileBytes?: number;
  /** How files are compressed as a whole; Parquet does it by itself. @default 'none' */
  readonly compression?: Compression;
  /**
   * Writes `_manifests/….json` for each epoch and subtask: key, rows and bytes of each of its files. It appears behind them.
   * @default false
   */
  readonly manifests?: boolean;
}

const FILE_OPTIONS: EveryOption<FileSinkOptions<unknown>> = {
  location: true,
  format: true,
  path: true,
  maxFileBytes: true,
  compression: true,
  manifests: true,
};

const LEAST_FILE_BYTES = 1024;
const MOST_FILE_BYTES = 1024 * 1024 * 1024;

/**
 * Files in a bucket or a folder. An epoch's files are uploaded before it is decided, and appear when it is: each row is in one file, once,
 * and no file is ever changed. Each epoch, subtask and folder has files of its own: a longer ONCEFLOW_CHECKPOINT_INTERVAL_MS makes fewer and larger ones.
 *
 * @example
 * orders.sink(
 *   'to-lake',
 *   fileSink<Order>({
 *     location: 's3://lake/orders',
 *     format: jsonLines(),
 *     path: (_order, { timestamp }) => `hour=${new Date(timestamp).toISOString().slice(0, 13)}`,
 *   }),
 * );
 */
export function fileSink<T>(options: FileSinkOptions<T>): FileSink<T> {
  const { location, format, path, maxFileBytes = 128 * 1024 * 1024, compression = 'none', manifests = false } = options;
  expectKnown(options, FILE_OPTIONS, 'fileSink');
  if (typeof location !== 'string' || parseBlobLocation(location) === undefined)
    throw new JobDefinitionError(`fileSink: location is ${JSON.stringify(location)}, and must be ${BLOB_LOCATION_RULE}`);
  if (typeof format?.write !== 'function')
    throw new JobDefinitionError(
      `fileSink: format is ${typeof format === 'function' ? 'a function' : String(format)}, and must be jsonLines(), csv({ … }) or parquet({ … })`,
    );
  if (path !== undefined) refuseAsync(path, 'fileSink: path');
  expectWhole(maxFileBytes, 'fileSink: maxFileBytes', LEAST_FILE_BYTES, MOST_FILE_BYTES);
  if (compression !== 'none' && compression !== 'gzip')
    throw new JobDefinitionError(`fileSink: compression is ${JSON.stringify(compression)}, and must be none or gzip`);
  if (compression !== 'none' && format.assembly !== undefined)
    throw new JobDefinitionError(
      `fileSink: compression is ${compression}, and must be none with ${format.name}, which compresses by itself`,
    );
  return { kind: 'files', location, format, path, maxFileBytes, compression, manifests };
}

/**
 * Rows as JSON texts, one a line, with JSON's own losses (see `json`). A row without a text, or with a bigint in it, fails the record.
 *
 * @example
 * orders.sink('to-lake', fileSink<Order>({ location: 's3://lake/orders', format: jsonLines() }));
 */
export function jsonLines<T = unknown>(): FileFormat<T> {
  return jsonLinesFormat;
}

/** How rows become lines of CSV. */
export interface CsvOptions<T> {
  /** In their order: a property of the row by its name, or a name and what its field holds. */
  readonly columns: readonly ((keyof T & string) | CsvColumn<T>)[];
  /** Does each file begin with the names of the columns? @default true */
  readonly header?: boolean;
}

/**
 * Rows as RFC 4180 has them: fields between commas, quoted where they must be, lines that end with CR LF, UTF-8. A field without a value
 * (undefined, null) is empty, an empty string is `""`; dates are ISO 8601. What is none of these fails the record.
 *
 * @example
 * csv<Order>({ columns: ['id', 'customer', { name: 'cents', value: ({ total }) => Math.round(total * 100) }] });
 */
export function csv<T>(input: CsvOptions<T>): FileFormat<T> {
  expectKnown(input, { columns: true, header: true }, 'csv');
  const { columns, header = true } = input;
  if (!Array.isArray(columns) || columns.length === 0) throw new JobDefinitionError('csv: columns is empty, and must name one or more');
  const named = columns.map((column): CsvColumn<T> => {
    if (typeof column === 'string') return { name: column, value: (row) => (row as Readonly<Record<string, CsvValue>>)[column] };
    refuseAsync(column.value, `csv: value of column ${column.name}`);
    return column;
  });
  const twice = named.find(({ name }, index) => named.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new JobDefinitionError(`csv: columns has ${twice.name} twice`);
  return csvFormat(named, header);
}
