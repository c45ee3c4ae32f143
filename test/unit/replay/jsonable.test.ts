import { expect, it } from 'vitest';
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
