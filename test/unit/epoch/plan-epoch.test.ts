import { describe, expect, it } from 'vitest';
import { type PlanAsk, planNext } from '../../../lib/epoch/planning/plan-epoch.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { countingPlan } from '../../support/counting-plan.ts';

type PlannedFrom = PlanAsk['before'];

interface Topic {
  readonly starts?: readonly number[];
  readonly ends: readonly number[];
  /** Records that an open transaction hides are below it. @default the ends */
  readonly highWatermarks?: readonly number[];
  readonly id?: string | undefined;
  readonly problem?: KafkaProblem;
}

const parallelism = { lines: 2 };

/** Plans from `before` while the topic `in` is so; `asked` is what Kafka was asked that is not asked each time. */
async function plan({ starts, ends, highWatermarks = ends, id, problem }: Topic, before: Partial<PlannedFrom>, isOverdue = false) {
  const asked: string[] = [];
  const kafka = {
    partitionCount: async () => {
      if (problem !== undefined) throw problem;
      return ends.length;
    },
    offsets: async (_topic: string, partitions: readonly number[], at: 'earliest' | 'latest' | 'end') => {
      if (at === 'end') asked.push(at);
      const all = { earliest: starts ?? ends.map(() => 0), latest: ends, end: highWatermarks }[at];
      return partitions.map((partition) => all[partition]);
    },
    topicId: async (_topic: string, how: string) => {
      if (how === 'now') asked.push('id now');
      return id;
    },
    forgetLeaders: (topic: string) => asked.push(`forget ${topic}`),
  };
  const clock = { elapsedMs: () => 0, now: () => 0, sleep: async () => {} };
  const deps = { kafka, clock, random: { id: () => '', fraction: () => 0 }, observe: () => {} } as unknown as Parameters<
    typeof planNext
  >[0];
  const settings = { plan: countingPlan, onDataLoss: 'stop' } as const;
  const ask = { before: { offsets: {}, ...before }, parallelism, isOverdue };
  const planned = await planNext(deps, settings, ask, new AbortController().signal);
  return { planned, asked };
}

const from = (...offsets: number[]): PlannedFrom => ({ offsets: { lines: { in: offsets } }, topicIds: { lines: { in: 'first' } } });

describe('the next epoch', () => {
  it('has all that there is to read, by subtask, and says how much that is and of which topic', async () => {
    const { planned, asked } = await plan({ ends: [9, 4], id: 'first' }, from(5, 1));
    expect(planned).toEqual({
      outcome: 'planned',
      from: { lines: { in: [5, 1] } },
      topicIds: { lines: { in: 'first' } },
      ranges: { lines: [[{ topic: 'in', partition: 0, from: 5, bound: 9 }], [{ topic: 'in', partition: 1, from: 1, bound: 4 }]] },
      records: 7,
      parallelism: { lines: 2 },
      gaps: [],
    });
    expect(asked).toEqual([]);
  });

  it('reads a partition that has come since from its first offset', async () => {
    const { planned } = await plan({ ends: [5, 3], id: 'first' }, from(5));
    expect(planned).toMatchObject({ from: { lines: { in: [5, 0] } }, records: 3 });
    expect((await plan({ starts: [0, 1], ends: [5, 3], id: 'first' }, from(5))).planned).toMatchObject({ outcome: 'failed' });
  });

  it('keeps what other sources have read', async () => {
    const others = { offsets: { ...from(5).offsets, gone: { old: [3] } }, topicIds: { gone: { old: 'x' } } };
    const { planned } = await plan({ ends: [9], id: 'first' }, others);
    expect(planned).toMatchObject({
      from: { gone: { old: [3] }, lines: { in: [5] } },
      topicIds: { gone: { old: 'x' }, lines: { in: 'first' } },
    });
  });

  it('is none where there is nothing to read', async () => {
    expect(await plan({ ends: [5], id: 'first' }, from(5))).toEqual({ planned: { outcome: 'nothing' }, asked: [] });
  });
});

describe('where the log does not hold what was read', () => {
  it('records that an open transaction hides are not gone: it is seen to at once', async () => {
    const { planned, asked } = await plan({ ends: [3], highWatermarks: [5], id: 'first' }, from(5));
    expect(planned).toEqual({ outcome: 'nothing' });
    expect(asked).toEqual(['id now', 'end']);
  });

  it('the plan waits, and fails when that has lasted', async () => {
    expect((await plan({ ends: [3], id: 'first' }, from(5))).planned).toMatchObject({ outcome: 'behind' });
    expect((await plan({ ends: [3], id: 'first' }, from(5), true)).planned).toMatchObject({ outcome: 'failed' });
  });

  it('in one partition of several is enough to ask what topic it is now', async () => {
    expect((await plan({ ends: [9, 4], highWatermarks: [9, 6], id: 'first' }, from(5, 5))).asked).toEqual(['id now', 'end']);
  });

  it('a topic with fewer partitions is asked for its id at once', async () => {
    const { planned, asked } = await plan({ ends: [5], id: 'second' }, from(5, 1));
    expect(planned).toMatchObject({ outcome: 'behind' });
    expect(asked).toEqual(['id now', 'forget in']);
  });
});

describe('a topic that has another id than what was read', () => {
  it('is asked for at another broker the next time: the one that said so may be behind', async () => {
    expect((await plan({ ends: [9], id: 'second' }, from(5))).asked).toEqual(['forget in']);
  });

  it('is not, where one of the two ids is not known', async () => {
    expect((await plan({ ends: [9], id: undefined }, from(5))).asked).toEqual([]);
    expect((await plan({ ends: [9], id: 'second' }, { offsets: from(5).offsets })).asked).toEqual([]);
  });
});

it('what Kafka refuses fails the plan, with its reason', async () => {
  const { planned } = await plan({ ends: [], problem: new KafkaProblem('TOPIC_AUTHORIZATION_FAILED', 'no right', false) }, from(5));
  expect(planned).toEqual({ outcome: 'failed', message: 'asking for the ends of the source topics: no right' });
});
