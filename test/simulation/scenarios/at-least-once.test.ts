import { describe, expect, it } from 'vitest';
import { parallelismOf } from '../parallelism.ts';
import type { World } from '../world.ts';
import type { WorldOptions } from '../world-options.ts';
import { at, ends, failedAttempts, jobNamed, plain, story } from './story.ts';

const atLeastOnce: Partial<WorldOptions> = { delivery: () => 'at-least-once' };
/** The coordinators in turn: the first, and those after it. */
const first = (guarantee: 'exactly-once' | 'at-least-once'): Partial<WorldOptions> => {
  const other = guarantee === 'exactly-once' ? 'at-least-once' : 'exactly-once';
  return { delivery: (coordinator) => (coordinator === 1 ? guarantee : other) };
};

describe('at least once', () => {
  it('output is sent once when nothing goes wrong, without a transaction or a transactional id', async () => {
    const told = await story([], atLeastOnce);
    expect(told.repeated).toBe(0);
    expect(told.epochs).toBe(5);
    expect(told.history.join('\n')).not.toMatch(/initProducerId|addPartitions|invoke prepare/);
  });

  it('nothing is sent by an attempt that is not decided', async () => {
    const told = await story([{ at: at('decide', { nth: 3 }), fault: { fault: 'crash', when: 'before' } }], atLeastOnce);
    expect(told.repeated).toBe(0);
    expect(failedAttempts(told)).toBe(0);
  });

  it('output whose acknowledgement is lost is sent again, and nothing but it', async () => {
    const told = await story([{ at: at('produce', { nth: 2 }), fault: { fault: 'lose', what: 'answer' } }], atLeastOnce);
    expect(told.repeated).toBe(2);
  });

  it('output that a leader refused is sent again', async () => {
    const told = await story([{ at: at('produce', { nth: 2 }), fault: { fault: 'error' } }], atLeastOnce);
    expect(told.repeated).toBe(0);
  });

  it('what was staged first comes first, also when its request was refused and the next was under way', async () => {
    const parallelism = () => parallelismOf(jobNamed('word-count'), { source: 1, operator: 2, sink: 1 });
    const refused = { at: at('produce'), fault: { fault: 'error' }, times: 1 } as const;
    const told = await story([refused], { ...atLeastOnce, parallelism });
    expect(told.repeated).toBe(0);
  });

  it('output that takes longer to send than the epoch timeout is sent once, over several calls', async () => {
    // Each of the operator's subtasks has staged a batch, and a request carries one batch of a partition.
    const parallelism = () => parallelismOf(jobNamed('word-count'), { source: 1, operator: 6, sink: 1 });
    const words = Array.from({ length: 24 }, (_, index) => `word${index}`).join(' ');
    const slow = { at: at('produce'), fault: { fault: 'slow', byMs: 1_900 }, times: 6 } as const;
    const told = await story([slow], { ...atLeastOnce, parallelism, input: [plain(0, 0, `${words} #0`)] });
    expect(told.history.filter((line) => /invoke send .*epoch 1/.test(line)).length).toBeGreaterThan(1);
    expect(told.repeated).toBe(0);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('of output that was refused in the middle, what was acknowledged before is not sent again', async () => {
    const parallelism = () => parallelismOf(jobNamed('word-count'), { source: 1, operator: 6, sink: 1 });
    const words = Array.from({ length: 24 }, (_, index) => `word${index}`).join(' ');
    const refused = { at: at('produce', { nth: 4 }), fault: { fault: 'error' } } as const;
    const told = await story([refused], { ...atLeastOnce, parallelism, input: [plain(0, 0, `${words} #0`)] });
    expect(told.repeated).toBe(0);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('output that was sent and not recorded is sent again by the next coordinator', async () => {
    const told = await story([{ at: at('invoke send', { about: /epoch 2/ }), fault: { fault: 'crash', when: 'after' } }], atLeastOnce);
    expect(told.repeated).toBe(2);
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2 }));
  });

  it('output of a sender that nobody waits for any more comes again, later', async () => {
    const told = await story([{ at: at('produce', { nth: 2 }), fault: { fault: 'late', byMs: 5_000 } }], atLeastOnce);
    expect(told.repeated).toBeGreaterThan(0);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('stops the job when the topic was made anew with fewer partitions than it is for: it was sent again without end', async () => {
    const makesAnew = (world: World) => {
      world.broker.catalog.delete('output');
      world.broker.catalog.create('output', 1);
    };
    const told = await story([{ at: at('decide', { nth: 3 }), also: makesAnew }], {
      ...atLeastOnce,
      outputPartitions: 3,
      mayFail: /output is for partition [12] of topic output, which has 1 partitions now/,
    });
    expect(ends(told)).toEqual(['failed']);
  });

  it('goes on when the topic has its partitions again before', async () => {
    const makesAnew = (partitions: number) => (world: World) => {
      world.broker.catalog.delete('output');
      world.broker.catalog.create('output', partitions);
    };
    const told = await story(
      [
        { at: at('decide', { nth: 3 }), also: makesAnew(1) },
        { at: at('invoke send', { about: /epoch 2/, nth: 3 }), also: makesAnew(3) },
      ],
      { ...atLeastOnce, outputPartitions: 3 },
    );
    expect(ends(told)).toEqual(['stopped']);
  });

  it('is waited for when the broker is away, and the job goes on', async () => {
    const told = await story([{ at: at('produce', { nth: 2 }), fault: { fault: 'outage', forMs: 30_000 } }], atLeastOnce);
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('ONCEFLOW_DELIVERY_GUARANTEE, changed at a restart', () => {
  const crash = { fault: 'crash', when: 'before' } as const;

  it('to at-least-once: what was decided exactly once is committed by its transaction', async () => {
    const told = await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: crash }], first('exactly-once'));
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2, committed: 1, republished: 0 }));
    expect(told.history.join('\n')).toMatch(/coordinator#2 .*invoke send/);
    expect(told.repeated).toBe(0);
  });

  it('to at-least-once: a transaction that was prepared and not decided is aborted at once', async () => {
    const told = await story([{ at: at('decide', { nth: 3 }), fault: crash }], first('exactly-once'));
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', settledIds: 2 }));
    expect(ends(told)).toEqual(['stopped']);
  });

  it('to exactly-once: what was decided at least once is sent, and the next epoch is a transaction', async () => {
    const told = await story([{ at: at('invoke send', { about: /epoch 2/ }), fault: crash }], first('at-least-once'));
    expect(told.repeated).toBe(0);
    expect(told.history.join('\n')).toMatch(/coordinator#2 .*invoke send .*epoch 2/);
    expect(told.history.join('\n')).toMatch(/coordinator#2 .*invoke prepare .*epoch 3/);
  });
});
