import { expect, it } from 'vitest';
import { fromJsonable } from '../../../lib/replay/from-jsonable.ts';
import { jsonable } from '../../../lib/replay/jsonable.ts';

it.each([
  [new Map([['a', 1n]]), [['a', { bigint: '1' }]]],
  [new Set([1, Number.NaN]), [1, { number: 'NaN' }]],
  [
    { a: Buffer.from('x'), b: undefined, c: [undefined] },
    { a: { base64: 'eA==' }, c: [null] },
  ],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [null, null],
])('%o is said as JSON can', (value, said) => {
  expect(jsonable(value)).toEqual(said);
  expect(JSON.parse(JSON.stringify(jsonable(value)))).toEqual(said);
});

it.each([
  { base64: 'of the job itself' },
  { bigint: '12' },
  { number: 'NaN' },
  { '@object': { base64: 'eA==' } },
  { '@object': 1 },
  { number: 5 },
  { object: { a: [{ bigint: '1' }] } },
  { a: Buffer.from('x'), b: [1n, Number.NaN, { base64: 'y' }] },
])('%o is read as what it was, though it may look like something else', (value) => {
  expect(fromJsonable(JSON.parse(JSON.stringify(jsonable(value))))).toEqual(value);
});
