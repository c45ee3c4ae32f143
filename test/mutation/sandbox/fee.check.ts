import { expect, it } from 'vitest';
import { feeFor, nobodyAsks } from './fee.ts';

it('a fee is at least what it costs', () => {
  expect(feeFor(700)).toBe(700);
  expect(nobodyAsks).toBeTypeOf('function');
});
