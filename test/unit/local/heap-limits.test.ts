import { expect, it } from 'vitest';
import { heapLimits } from '../../../local/functions/heap-limits.ts';

const bound = { ONCEFLOW_STATE_MEMORY_BYTES: '8000000' };

it('a process whose keyed state has a bound keeps little garbage of short life, unless somebody has said how much', () => {
  expect(heapLimits(bound, [])).toEqual(['--max-semi-space-size=4']);
  expect(heapLimits({ ...bound, NODE_OPTIONS: '--max-old-space-size=64' }, [])).toHaveLength(1);
  expect(heapLimits({ ...bound, NODE_OPTIONS: '--max-semi-space-size=16' }, [])).toEqual([]);
  expect(heapLimits(bound, ['--max_semi_space_size=1'])).toEqual([]);
});

it('one without a bound is as Node starts it', () => {
  expect(heapLimits({}, [])).toEqual([]);
});
