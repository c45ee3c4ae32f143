import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyGroupOf, keyGroupRange, subtaskOf } from '../../../lib/protocol/key-groups.ts';

test('ranges cover every key group once, in order, and agree with the subtask that rows are sent to', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (left, right) => {
      const maxParallelism = Math.max(left, right);
      const parallelism = Math.min(left, right);
      let next = 0;
      for (let subtask = 0; subtask < parallelism; subtask++) {
        const { first, last } = keyGroupRange(subtask, parallelism, maxParallelism);
        expect(first).toBe(next);
        expect(last).toBeGreaterThanOrEqual(first);
        for (let group = first; group <= last; group++) expect(subtaskOf(group, parallelism, maxParallelism)).toBe(subtask);
        next = last + 1;
      }
      expect(next).toBe(maxParallelism);
    }),
  );
});

test('a negative hash has a key group too', () => {
  expect(keyGroupOf(-1, 128)).toBe(127);
  expect(keyGroupOf(-2147483648, 128)).toBe(0);
  expect(keyGroupOf(130, 128)).toBe(2);
});

test('more subtasks than key groups are refused', () => {
  expect(() => keyGroupRange(0, 129, 128)).toThrow(/parallelism 129 exceeds maxParallelism 128/);
});
