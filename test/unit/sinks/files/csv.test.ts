import { expect, it } from 'vitest';
import { csv } from '../../../../lib/api/index.ts';
import { ByteWriter } from '../../../../lib/format/byte-writer.ts';

interface Row {
  readonly a: unknown;
  readonly b?: unknown;
}

function lineOf(row: Row, columns: readonly ('a' | 'b')[] = ['a', 'b']): string {
  const out = new ByteWriter();
  csv<Row>({ columns }).write(row, out);
  return out.view().toString('utf8');
}

it.each<[Row, string]>([
  [{ a: 'plain', b: 1 }, 'plain,1\r\n'],
  [{ a: 'a "quote", and\r\na line', b: -0.5 }, '"a ""quote"", and\r\na line",-0.5\r\n'],
  [{ a: '', b: undefined }, '"",\r\n'],
  [{ a: null, b: null }, ',\r\n'],
  [{ a: 2n ** 64n, b: false }, '18446744073709551616,false\r\n'],
  [{ a: new Date(0), b: 'ü' }, '1970-01-01T00:00:00.000Z,ü\r\n'],
  [{ a: ' = 1', b: "it's" }, " = 1,it's\r\n"],
])('%o is the line %j', (row, line) => {
  expect(lineOf(row)).toBe(line);
});

it('a line of one field without a value is no empty line', () => {
  expect(lineOf({ a: undefined }, ['a'])).toBe('""\r\n');
});

it.each([
  [{ a: { nested: 1 } }, /column a: CSV holds strings, numbers, booleans and dates, not Object/],
  [{ a: new Date(Number.NaN) }, /Invalid time value/],
  [{ a: '\ud800' }, /half a surrogate pair/],
])('%o is refused', (row, message) => {
  expect(() => lineOf(row, ['a'])).toThrow(message);
});

it('each file begins with the names of the columns, unless it shall not', () => {
  expect(csv<Row>({ columns: ['b', { name: 'x,y', value: () => 1 }] }).head).toBe('b,"x,y"\r\n');
  expect(csv<Row>({ columns: ['b'], header: false }).head).toBe('');
});
