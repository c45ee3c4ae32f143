import { describe, expect, it } from 'vitest';
import { INPUT } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, ends, failedAttempts, plain, resolutions, story } from './story.ts';

const MOVE = { behindMs: 0, behindBatches: 1, servesMs: 0, unheardMs: 0 };

describe('a leader that took over and does not know yet how far its log is replicated', () => {
  it('has whoever looks for an epoch wait, and is no reason to miss evidence', async () => {
    // The old leader of partition 0 answers the look still; that of partition 1 does not, and both are asked for anew. Then the new one
    // is asked whether the epoch's own record is there.
    const moves = ({ broker }: World) => {
      broker.partition('output', 0)?.moveLeader({ ...MOVE, behindMs: 300, behindBatches: 2, servesMs: 300 });
      broker.partition('output', 1)?.moveLeader(MOVE);
    };
    const told = await story(
      [
        { at: at('invoke commit', { nth: 2 }), fault: { fault: 'crash', when: 'after' } },
        { at: at('look', { about: /output-0.*output-1|output-1.*output-0/, nth: 3 }), also: moves },
      ],
      { outputPartitions: 2, input: [plain(0, 0, 'ant bee cow auk bat cat #0'), plain(1_000, 0, 'ant bee cow auk bat cat #1')] },
    );
    expect(resolutions(told)).toEqual([]);
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('a leader that was deposed and does not know it', () => {
  it('is asked, and answers from what it has: nothing of that is believed for long', async () => {
    const moves = (world: World) => {
      for (const topic of [INPUT, 'output'])
        for (const partition of world.broker.topics.get(topic) ?? []) partition.moveLeader({ ...MOVE, servesMs: 1_000, unheardMs: 1_000 });
    };
    const told = await story([{ at: at('produce', { nth: 2 }), also: moves }]);
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBeGreaterThan(0);
  });
});

/** An unclean leader election: the new leader lacks what lies behind. Of that there are no seeds. */
describe('a log that was cut', () => {
  it('below a decided epoch leaves no evidence of it: the job stops and asks', async () => {
    const cut = (world: World) => {
      const output = world.broker.partition('output', 0);
      output?.truncate((output.batches.findLast(({ control }) => control === undefined)?.baseOffset ?? 0) - 1);
    };
    const told = await story([{ at: at('decide', { nth: 3 }), also: cut, fault: { fault: 'crash', when: 'after' } }], {
      mayFail: /cannot be told any more: topic output, partition 0, offsets/,
    });
    expect(ends(told)).toEqual(['failed']);
  });

  it('below what was read stops the job when it does not grow again', async () => {
    const told = await story([], {
      prepare: ({ scheduler, broker }) => void scheduler.at(2_900, undefined, () => broker.partition(INPUT, 0)?.truncate(1)),
      input: [plain(0, 0, 'ant #0', 'bee #1', 'bee #2'), plain(1_000, 1, 'cow #3'), plain(4_000, 1, 'cow #4')],
      mayFail: /partition 0: the broker no longer has offset 3, its log ends before it/,
    });
    expect(ends(told)).toEqual(['failed']);
  });
});
