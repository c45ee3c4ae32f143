import { expect, test } from 'vitest';
import { shouldCompact } from '../../../lib/state/compaction.ts';

const MB = 1024 * 1024;

test.each([
  ['nothing is written yet', { baseBytes: 0, deltaBytes: 0, deltas: 0 }, false],
  ['the deltas are small, whatever the base', { baseBytes: 100, deltaBytes: 100_000, deltas: 5 }, false],
  ['the base outweighs the deltas', { baseBytes: 10 * MB, deltaBytes: 9 * MB, deltas: 9 }, false],
  ['the deltas outweigh the base', { baseBytes: 10 * MB, deltaBytes: 11 * MB, deltas: 9 }, true],
  ['there are no more deltas than a restore should read', { baseBytes: 10 * MB, deltaBytes: 1, deltas: 19 }, false],
  ['there are too many deltas', { baseBytes: 10 * MB, deltaBytes: 20, deltas: 20 }, true],
])('when %s', (_, sizes, compact) => {
  expect(shouldCompact(sizes)).toBe(compact);
});
