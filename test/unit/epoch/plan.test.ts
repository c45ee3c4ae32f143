import { describe, expect, test } from 'vitest';
import {
  advanceOffsets,
  hasMoved,
  leftOutMessage,
  type PlanRules,
  planRanges,
  type SourceEnds,
  topicIdsAfter,
} from '../../../lib/epoch/planning/plan.ts';
import type { SourceStage } from '../../../lib/plan/plan.ts';

const stage: SourceStage = {
  kind: 'source',
  id: 'lines',
  topic: 'in',
  startingOffsets: 'earliest',
};

const rules: PlanRules = { parallelism: () => 1, onDataLoss: 'stop', overdue: false };

describe('planning an epoch', () => {
  test('reads each partition from where the last epoch ended to the last stable offset', () => {
    const planned = planRanges([{ stage, from: [5, 0, 7], starts: [5, 0, 0], ends: [9, 4, 8] }], rules);
    expect(planned).toEqual({
      outcome: 'planned',
      from: { lines: [5, 0, 7] },
      gaps: [],
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
    expect(planRanges([{ stage, from: [5, 3], starts: [0, 0], ends: [5, 3] }], rules)).toEqual({ outcome: 'nothing' });
  });

  test('partitions are dealt out to the subtasks', () => {
    const planned = planRanges([{ stage, from: [0, 0, 0], starts: [0, 0, 0], ends: [1, 1, 1] }], { ...rules, parallelism: () => 2 });
    expect(planned.outcome === 'planned' && planned.ranges['lines']?.map((ranges) => ranges.map(({ partition }) => partition))).toEqual([
      [0, 2],
      [1],
    ]);
  });

  test('what was read lies beyond the last stable offset, and not beyond the high watermark: a transaction is open, and nothing is gone', () => {
    const sources = [{ stage, from: [5, 7], starts: [0, 0], ends: [2, 9], highWatermarks: [5, 9] }];
    expect(planRanges(sources, rules)).toMatchObject({
      outcome: 'planned',
      from: { lines: [5, 7] },
      gaps: [],
      ranges: { lines: [[{ partition: 1, from: 7, bound: 9 }]] },
    });
    expect(planRanges([{ stage, from: [5], starts: [0], ends: [2], highWatermarks: [5] }], rules)).toEqual({ outcome: 'nothing' });
    expect(planRanges([{ stage, from: [6], starts: [0], ends: [2], highWatermarks: [5] }], rules)).toMatchObject({
      outcome: 'behind',
      message: expect.stringContaining('read up to offset 6, but its log ends at 5'),
    });
  });

  test('a log that ends below what was read is said with topic, partition and offsets, and nothing is read', () => {
    const planned = planRanges([{ stage, from: [5], starts: [0], ends: [2] }], rules);
    expect(planned.outcome).toBe('behind');
    expect(planned.outcome === 'behind' && planned.message).toMatch(/topic in, partition 0: .* offset 5, .* ends at 2\./);
  });

  describe('the topic has another id than the one that was read', () => {
    /** There is more in it than was read, of partition 1 nothing was. */
    const another = [{ stage, from: [5, 0], starts: [0, 0], ends: [40, 40], knownId: 'A', id: 'B' }];
    const ids = { read: 'A', found: 'B' };

    test('is no fault where nothing of it was read: what retention has deleted there is of this topic', () => {
      const unread = [{ ...another[0], from: [0], starts: [3], ends: [40] } as SourceEnds];
      const planned = planRanges(unread, { ...rules, onDataLoss: 'earliest' });
      expect(planned).toMatchObject({ outcome: 'planned', from: { lines: [3] } });
      expect(planned.outcome === 'planned' && planned.gaps).toEqual([{ topic: 'in', partition: 0, from: 0, to: 3, count: 3 }]);
    });

    test('is waited for, for a broker may be behind', () => {
      expect(planRanges(another, rules)).toEqual({
        outcome: 'behind',
        message: expect.stringMatching(
          /^topic in, partition 0: the job has read up to offset 5 of the topic with id A, and the topic has id B now: it was made anew, .* The job skips nothing and waits/,
        ),
      });
    });

    test('stops the job when it lasts, or has it begin at the start of what is there', () => {
      expect(planRanges(another, { ...rules, overdue: true })).toMatchObject({
        outcome: 'lost',
        message: expect.stringMatching(/id A, .* id B/),
      });
      expect(planRanges(another, { ...rules, overdue: true, onDataLoss: 'earliest' })).toEqual({
        outcome: 'planned',
        from: { lines: [0, 0] },
        gaps: [{ topic: 'in', partition: 0, from: 5, to: 0, count: 0, ids }],
        ranges: {
          lines: [
            [
              { topic: 'in', partition: 0, from: 0, bound: 40 },
              { topic: 'in', partition: 1, from: 0, bound: 40 },
            ],
          ],
        },
      });
    });

    test.each([
      ['of a build that did not know them', { id: 'B' }],
      ['that the cluster does not tell', { knownId: 'A' }],
      ['that are the same', { knownId: 'A', id: 'A' }],
    ])('ids %s are no reason to doubt', (_what, known) => {
      expect(planRanges([{ stage, from: [5], starts: [0], ends: [40], ...known }], rules)).toMatchObject({
        outcome: 'planned',
        from: { lines: [5] },
      });
    });

    test('what is there is remembered, with what is known of other topics', () => {
      const before = { lines: { old: 'O', in: 'A' }, others: { more: 'M' } };
      expect(topicIdsAfter(before, another)).toEqual({ lines: { old: 'O', in: 'B' }, others: { more: 'M' } });
      expect(topicIdsAfter(before, [{ ...another[0], id: undefined } as SourceEnds])).toEqual(before);
    });
  });

  describe('ONCEFLOW_ON_DATA_LOSS', () => {
    /** Partition 1 was to go on at 3, and retention has deleted what is before 8. */
    const deleted = [{ stage, from: [5, 3], starts: [0, 8], ends: [9, 20] }];
    /** The topic was made anew: its log is shorter than what was read. */
    const anew = [{ stage, from: [5], starts: [0], ends: [2] }];

    test('stop reads nothing, and says topic, partition, offsets and what to do', () => {
      expect(planRanges(deleted, rules)).toEqual({
        outcome: 'lost',
        message:
          'topic in, partition 1: the broker no longer has offset 3, its log starts at 8: 5 offsets were deleted before the job read them (retention too short, or the topic was made anew). ' +
          'The job stops and skips nothing (ONCEFLOW_ON_DATA_LOSS=stop): raise the retention, and start the job with ONCEFLOW_ON_DATA_LOSS=earliest to go on at the beginning of what is left.',
      });
    });

    test('earliest goes on at the beginning of what is left, and names the gap', () => {
      expect(planRanges(deleted, { ...rules, onDataLoss: 'earliest' })).toEqual({
        outcome: 'planned',
        from: { lines: [5, 8] },
        ranges: {
          lines: [
            [
              { topic: 'in', partition: 0, from: 5, bound: 9 },
              { topic: 'in', partition: 1, from: 8, bound: 20 },
            ],
          ],
        },
        gaps: [{ topic: 'in', partition: 1, from: 3, to: 8, count: 5 }],
      });
    });

    describe('of a topic with fewer partitions than the job has read', () => {
      const shrunk = [{ stage, from: [5, 3, 0], starts: [0], ends: [9] }];

      test('waits first: a broker may not know yet of partitions that it has', () => {
        expect(planRanges(shrunk, { ...rules, onDataLoss: 'earliest' })).toEqual({
          outcome: 'behind',
          message: expect.stringMatching(
            /topic in, partition 1: the job has read it up to offset 3, and the topic has only 1 .*made anew with fewer/,
          ),
        });
      });

      test('stop says that it was made anew with fewer, and what to do', () => {
        const planned = planRanges(shrunk, { ...rules, overdue: true });
        expect(planned).toMatchObject({
          outcome: 'lost',
          message: expect.stringContaining('it was made anew with fewer. The job stops'),
        });
      });

      test('earliest goes on with those that are left, and forgets the others: should they come again they are new', () => {
        expect(planRanges(shrunk, { ...rules, onDataLoss: 'earliest', overdue: true })).toMatchObject({
          outcome: 'planned',
          from: { lines: [5] },
          ranges: { lines: [[{ topic: 'in', partition: 0, from: 5, bound: 9 }]] },
          gaps: [
            { partition: 1, from: 3, partitions: 1 },
            { partition: 2, from: 0, partitions: 1 },
          ],
        });
      });
    });

    test('earliest makes an epoch of a gap alone, so that it is decided and not found again', () => {
      const empty = [{ stage, from: [3], starts: [8], ends: [8] }];
      expect(planRanges(empty, { ...rules, onDataLoss: 'earliest' })).toMatchObject({ outcome: 'planned', from: { lines: [8] } });
      expect(planRanges([{ ...empty[0], stage, from: [8], starts: [8], ends: [8] }], rules)).toEqual({ outcome: 'nothing' });
    });

    test('a log that is shorter than what was read is waited for, whatever the policy', () => {
      for (const onDataLoss of ['stop', 'earliest'] as const) {
        const planned = planRanges(anew, { ...rules, onDataLoss });
        expect(planned).toMatchObject({
          outcome: 'behind',
          message: expect.stringContaining('if this lasts, ONCEFLOW_ON_DATA_LOSS decides'),
        });
      }
    });

    test('a log that stays shorter is lost: stop stops, earliest goes on at its beginning and says that the loss is not known', () => {
      expect(planRanges(anew, { ...rules, overdue: true })).toMatchObject({
        outcome: 'lost',
        message: expect.stringContaining('the broker no longer has offset 5, its log ends before it and starts at 0'),
      });
      const planned = planRanges(anew, { ...rules, overdue: true, onDataLoss: 'earliest' });
      const gap = { topic: 'in', partition: 0, from: 5, to: 0, count: 0 };
      expect(planned).toMatchObject({ outcome: 'planned', from: { lines: [0] }, gaps: [gap] });
      expect(leftOutMessage(gap)).toMatch(
        /offset 5, its log ends before it and starts at 0: the topic was made anew .* goes on at offset 0 /,
      );
    });

    test('a partition that the topic has no more counts as empty', () => {
      expect(planRanges([{ stage, from: [0, 7], starts: [0], ends: [0] }], rules)).toMatchObject({ outcome: 'behind' });
    });
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

describe('a job has moved on', () => {
  const before = { lines: { in: [5, 3] } };
  test('when a partition is elsewhere, has come or is gone', () => {
    for (const positions of [[5, 4], [5, 3, 0], [5]]) expect(hasMoved(before, { lines: { in: positions } })).toBe(true);
    expect(hasMoved(before, { ...before, more: { in: [0] } })).toBe(true);
  });
  test('and not when it stands where it stood', () => {
    expect(hasMoved(before, { lines: { in: [5, 3] } })).toBe(false);
  });
});
