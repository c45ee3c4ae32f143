import { describe, expect, test } from 'vitest';
import { advanceOffsets, nextEpochBytes, planRanges } from '../../../lib/epoch/plan.ts';
import type { SourceStage } from '../../../lib/graph/stages.ts';

const stage: SourceStage = {
  kind: 'source',
  id: 'lines',
  topic: 'in',
  startingOffsets: 'earliest',
  inputs: [],
  operators: [],
  exchanges: [],
  sinks: [],
};

describe('planning an epoch', () => {
  test('reads each partition from where the last epoch ended to the last stable offset', () => {
    const planned = planRanges([{ stage, from: [5, 0, 7], ends: [9, 4, 8] }], () => 1);
    expect(planned).toEqual({
      outcome: 'planned',
      ranges: {
        lines: [
          [
            { topic: 'in', partition: 0, from: 5, bound: 9 },
            { topic: 'in', partition: 1, from: 0, bound: 4 },
            { topic: 'in', partition: 2, from: 7, bound: 8 },
          ],
        ],
      },
    });
  });

  test('without new input there is no epoch', () => {
    expect(planRanges([{ stage, from: [5, 3], ends: [5, 3] }], () => 1)).toEqual({ outcome: 'nothing' });
  });

  test('partitions are dealt out to the subtasks', () => {
    const planned = planRanges([{ stage, from: [0, 0, 0], ends: [1, 1, 1] }], () => 2);
    expect(planned.outcome === 'planned' && planned.ranges['lines']?.map((ranges) => ranges.map(({ partition }) => partition))).toEqual([
      [0, 2],
      [1],
    ]);
  });

  test('a last stable offset below what was read is said with topic, partition and offsets, and nothing is read', () => {
    const planned = planRanges([{ stage, from: [5], ends: [2] }], () => 1);
    expect(planned.outcome).toBe('behind');
    expect(planned.outcome === 'behind' && planned.message).toMatch(/topic in, partition 0: .* offset 5, .* is 2\./);
  });

  test('offsets advance only where a range ended, and the others stay', () => {
    const before = { lines: { in: [1, 2, 3] }, other: { in2: [9] } };
    expect(advanceOffsets(before, 'lines', [{ topic: 'in', partition: 1, next: 8 }])).toEqual({
      lines: { in: [1, 8, 3] },
      other: { in2: [9] },
    });
    expect(before.lines.in).toEqual([1, 2, 3]);
  });
});

describe('the size of an epoch in a backlog', () => {
  const MiB = 1024 * 1024;

  test('starts at 4 MiB, or at the bound when that is lower', () => {
    expect(nextEpochBytes(undefined, 1000, 64 * MiB)).toBe(4 * MiB);
    expect(nextEpochBytes(undefined, 1000, MiB)).toBe(MiB);
  });

  test('is what the slowest stage works through in four fifths of the interval', () => {
    expect(nextEpochBytes({ bytesIn: 10 * MiB, slowestStageMs: 1000, budget: 10 * MiB }, 1000, 64 * MiB)).toBe(8 * MiB);
  });

  test('at most doubles from one epoch to the next', () => {
    expect(nextEpochBytes({ bytesIn: 4 * MiB, slowestStageMs: 10, budget: 4 * MiB }, 1000, 64 * MiB)).toBe(8 * MiB);
  });

  test('stays within its bounds', () => {
    expect(nextEpochBytes({ bytesIn: 60 * MiB, slowestStageMs: 10, budget: 60 * MiB }, 1000, 64 * MiB)).toBe(64 * MiB);
    expect(nextEpochBytes({ bytesIn: MiB, slowestStageMs: 60_000, budget: MiB }, 50, 64 * MiB)).toBe(256 * 1024);
  });
});
