/** Parquet files, by the package hyparquet-writer. */

import { parquetWriteBuffer } from 'hyparquet-writer';
import * as z from 'zod';
import { JobDefinitionError } from '../graph/job.ts';
import { name, shapeFault } from '../protocol/shape.ts';
import type { FileFormat } from '../sinks/files/spec.ts';
import { columnTypes, type ParquetType, type RowReader } from './parquet/column-types.ts';

export type { ParquetType } from './parquet/column-types.ts';

/** A column of a Parquet file. */
export interface ParquetColumn<T> {
  /** As the file has it. */
  readonly name: string;
  /**
   * `string`, `boolean`, `int32`, `double`, `bytes` (Uint8Array); `int64`: a bigint, or a number within ±(2^53 − 1); `timestamp`: a date or whole
   * milliseconds since 1970, with Parquet's precision of milliseconds in UTC.
   */
  readonly type: ParquetType;
  /** What the column holds of a row; undefined and null are Parquet's null. @default the row's property of the column's name */
  readonly value?: (row: T) => unknown;
}

/** What a Parquet file is made of. */
export interface ParquetOptions<T> {
  /** In their order. */
  readonly columns: readonly ParquetColumn<T>[];
}

const aboutSchema = z
  .object({ columns: z.array(z.object({ name, type: z.enum(Object.keys(columnTypes) as [ParquetType, ...ParquetType[]]) })) })
  .readonly();

/**
 * Rows as a Parquet file, in columns, compressed by snappy. Rows are kept as they come, and become a file in the sink's function, in whose memory
 * the columns of one file are at once. A value that its column cannot hold fails the record.
 *
 * @example
 * fileSink<Order>({ location: 's3://lake/orders', format: parquet<Order>({ columns: [{ name: 'id', type: 'string' }, { name: 'total', type: 'double' }] }) });
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function parquet<T>({ columns }: ParquetOptions<T>): FileFormat<T> {
  checkColumns(columns);
  const all = columns.map(({ name: column, type, value }) => ({
    column,
    type: columnTypes[type],
    value: value ?? ((row: T) => (row as Readonly<Record<string, unknown>>)[column]),
  }));
  return {
    name: 'parquet',
    extension: 'parquet',
    contentType: 'application/vnd.apache.parquet',
    head: '',
    write(row, out) {
      for (const { column, type, value } of all) {
        const held = value(row);
        const isThere = held !== undefined && held !== null;
        out.u8(isThere ? 1 : 0);
        if (isThere) type.write(held, out, column);
      }
    },
    assembly: { about: { columns: columns.map(({ name: column, type }) => ({ name: column, type })) }, assemble },
  };
}

/** A file of rows as `write` wrote them. */
function assemble(about: Readonly<Record<string, unknown>>, rows: readonly Buffer[]): Uint8Array {
  const fault = shapeFault(aboutSchema, about);
  if (fault !== undefined) throw new Error(`what was staged does not say the columns of a Parquet file: ${fault}`);
  const columns = (about as z.infer<typeof aboutSchema>).columns.map((column) => ({
    ...column,
    as: columnTypes[column.type],
    data: [] as unknown[],
  }));
  for (const bytes of rows) {
    const from: RowReader = { bytes, at: 0 };
    while (from.at < bytes.length) for (const { as, data } of columns) data.push(bytes[from.at++] === 1 ? as.read(from) : null);
  }
  const columnData = columns.map(({ name: column, as, data }) => ({ name: column, data, type: as.parquet, nullable: true }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function checkColumns(columns: readonly ParquetColumn<never>[]): void {
  if (!Array.isArray(columns) || columns.length === 0) throw new JobDefinitionError('parquet: columns is empty, and must name one or more');
  const names = new Set<unknown>();
  for (const { name: column, type, value } of columns) {
    if (typeof column !== 'string' || column === '') throw new JobDefinitionError('parquet: a column has no name');
    if (names.has(column)) throw new JobDefinitionError(`parquet: columns has ${column} twice`);
    names.add(column);
    if (!Object.hasOwn(columnTypes, type))
      throw new JobDefinitionError(
        `parquet: column ${column} is of type ${JSON.stringify(type)}, and must be ${Object.keys(columnTypes).join(', ')}`,
      );
    if (value !== undefined && typeof value !== 'function')
      throw new JobDefinitionError(`parquet: value of column ${column} is ${typeof value}, and must be a function`);
  }
}
