import { nameOf } from '../../../format/byte-writer.ts';
import type { FileFormat } from '../spec.ts';

/** What a column of CSV can hold. Without a value its field is empty, and an empty string is `""`. */
export type CsvValue = string | number | bigint | boolean | Date | null | undefined;

/** A column of CSV that is no property of the row. */
export interface CsvColumn<T> {
  /** As the head of the file has it. */
  readonly name: string;
  /** What its field holds. */
  readonly value: (row: T) => CsvValue;
}

const LINE_END = '\r\n';
const QUOTED = /[",\r\n]/;

/** As RFC 4180 says: lines end with CR LF, and what has a quote, a comma or a line end stands in quotes. */
export function csvFormat<T>(columns: readonly CsvColumn<T>[], hasHeader: boolean): FileFormat<T> {
  return {
    name: 'csv',
    extension: 'csv',
    contentType: `text/csv; charset=utf-8; header=${hasHeader ? 'present' : 'absent'}`,
    head: hasHeader ? columns.map(({ name }) => fieldOf(name, name)).join(',') + LINE_END : '',
    write(row, out) {
      let line = '';
      for (const [index, { name, value }] of columns.entries()) line += (index === 0 ? '' : ',') + fieldOf(value(row), name);
      // A line of one field that is empty would be no line.
      out.utf8(line === '' && columns.length === 1 ? `""${LINE_END}` : line + LINE_END);
    },
  };
}

function fieldOf(value: CsvValue, column: string): string {
  switch (typeof value) {
    case 'string':
      return value === '' || QUOTED.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return '';
    default:
      if (value === null) return '';
      // An invalid date throws.
      if (value instanceof Date) return value.toISOString();
      throw new TypeError(
        `column ${column}: CSV holds strings, numbers, booleans and dates, not ${nameOf(value)}: give the column a \`value\``,
      );
  }
}
