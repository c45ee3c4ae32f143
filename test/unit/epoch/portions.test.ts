import { expect, it } from 'vitest';
import { portionsOf } from '../../../lib/epoch/planning/portions.ts';

const item = (name: string, bytes: number) => ({ name, text: 'x'.repeat(bytes) });
const namesOf = (portions: readonly (readonly { readonly name: string }[])[]) => portions.map((each) => each.map(({ name }) => name));

it('many committables are one request while they are small', () => {
  expect(namesOf(portionsOf([item('a', 10), item('b', 10), item('c', 10)]))).toEqual([['a', 'b', 'c']]);
  expect(portionsOf([])).toEqual([]);
});

it('committables that are large together are several requests, in their order and none twice', () => {
  const items = ['a', 'b', 'c', 'd'].map((name) => item(name, 400));
  expect(namesOf(portionsOf(items, 1_000))).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

it('one that is larger than a portion has its own', () => {
  expect(namesOf(portionsOf([item('a', 10), item('b', 5_000), item('c', 10)], 1_000))).toEqual([['a'], ['b'], ['c']]);
});
