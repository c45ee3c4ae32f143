import type { Serde } from '../../format/serde.ts';
import { utf8 } from '../../format/serdes.ts';

/**
 * Columns by name, as JSON has them: a bigint for 64 bits and more, a Date for the types of dates, arrays, objects for maps and named
 * tuples. What JSON does not hold (NaN, Infinity, functions, Map, Set, bytes) is refused.
 */
export type ClickHouseRow = Readonly<Record<string, unknown>>;

/** Writes a value as a line of `JSONEachRow`, and reads that line. */
export function rowSerde(toRow: ((value: unknown) => ClickHouseRow) | undefined): Serde<unknown> {
  return {
    name: 'clickhouse-row',
    write(value, out) {
      out.utf8(rowText(toRow === undefined ? value : toRow(value)));
    },
    read: (bytes, start, end) => utf8.read(bytes, start, end),
  };
}

/** @throws TypeError naming the column that JSON does not hold */
export function rowText(row: unknown): string {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new TypeError(`a row is ${nameOf(row)}, and must be an object with its columns`);
  let column = '';
  return JSON.stringify(row, function (this: Record<string, unknown>, name, written) {
    if (this === row) column = name;
    // As it was before its own toJSON.
    const value = name === '' && written === row ? row : this[name];
    const fault = faultOf(value);
    if (fault !== undefined) throw new TypeError(`column ${column} holds ${fault}`);
    return typeof value === 'bigint' ? String(value) : written;
  });
}

function faultOf(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return `${value}, which JSON does not: give null, or leave it out`;
  if (typeof value === 'function' || typeof value === 'symbol') return nameOf(value);
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'a Date that is none (NaN)';
  if (value instanceof Map || value instanceof Set) return `${nameOf(value)}, which JSON does not: give an object, or an array`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `${nameOf(value)}, which JSON does not: give a string (hexadecimal, base64), and decode it in ClickHouse`;
  return undefined;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'Object'}`;
  return `a ${typeof value}`;
}
