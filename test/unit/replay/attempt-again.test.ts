import { expect, it } from 'vitest';
import type { PhysicalPlan } from '../../../lib/plan/plan.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { attemptAgain, parallelismIn } from '../../../lib/replay/attempt-again.ts';

const plan: PhysicalPlan = {
  job: 'job',
  stages: [
    { kind: 'source', id: 'read', topic: 'lines', startingOffsets: 'earliest', eventTime: { idleAfterMs: 100 } },
    { kind: 'operator', id: 'count', operators: ['count', 'sum'] },
    { kind: 'sink', id: 'write', to: { kind: 'kafka', topics: ['counts'] } },
  ],
  edges: [],
};

function manifest(epoch: number, change: Partial<Manifest>): Manifest {
  return {
    version: 3,
    job: 'job',
    incarnation: 'i',
    epoch,
    decisionId: `d${epoch}`,
    offsets: {},
    state: {},
    outputs: {},
    committables: [],
    ...change,
  };
}

const keyGroups = { first: 0, last: 127 };
const snapshot = { id: 's', keyGroups, deltas: [] };

it('reads from where its parent ended to where it did, a partition that came in it from its first offset', () => {
  const before = manifest(6, { offsets: { read: { lines: [5, 7] } } });
  const decided = manifest(7, { offsets: { read: { lines: [9, 7, 3] } }, topicIds: { read: { lines: 'id' } } });
  const attempt = attemptAgain({ manifest: decided, plannedAtMs: 50 }, before, before, { plan, parallelism: { read: 2 } });
  expect(attempt).toMatchObject({ epoch: 7, decisionId: 'd7', from: { read: { lines: [5, 7, 0] } }, topicIds: { read: { lines: 'id' } } });
  expect(attempt.ranges).toEqual({
    read: [
      [
        { topic: 'lines', partition: 0, from: 5, bound: 9 },
        { topic: 'lines', partition: 2, from: 0, bound: 3 },
      ],
      [],
    ],
  });
});

it('a source that came in it has only got its starting offsets', () => {
  const decided = manifest(7, { offsets: { read: { lines: [40] } } });
  const attempt = attemptAgain({ manifest: decided, plannedAtMs: 50 }, manifest(6, {}), manifest(6, {}), { plan, parallelism: {} });
  expect(attempt).toMatchObject({ from: { read: { lines: [40] } }, ranges: { read: [] } });
});

it('has the processing time of the epoch, and takes as active who was', () => {
  const partitions = { lines: [{ activeMs: 900 }, { activeMs: 1_000, watermarkMs: 3 }] };
  const time = { processingMs: 1_000, sources: { read: { idleAfterMs: 100, partitions } }, stages: {} };
  const decided = manifest(7, { offsets: { read: { lines: [1, 1] } }, time });
  const before = manifest(6, { offsets: { read: { lines: [1, 0] } } });
  const again = attemptAgain({ manifest: decided, plannedAtMs: 7 }, before, before, { plan, parallelism: {} });
  expect(again.time).toEqual({ processingMs: 1_000, upToMs: {}, ends: new Map([['read', new Map([[1, Number.MAX_SAFE_INTEGER]])]]) });
});

it('code that uses time where none was has the time at which the epoch was planned, and none that is before the last', () => {
  const decided = manifest(7, { offsets: { read: { lines: [1] } } });
  const timeOf = (processingMs: number | undefined) => {
    const time = processingMs === undefined ? undefined : { processingMs, sources: {}, stages: {} };
    return attemptAgain({ manifest: decided, plannedAtMs: 50 }, { ...manifest(6, {}), time }, manifest(6, {}), { plan, parallelism: {} })
      .time?.processingMs;
  };
  expect([timeOf(undefined), timeOf(49), timeOf(60)]).toEqual([50, 50, 60]);
});

it('stages have the subtasks that the manifest says, or in that of an earlier build shows, and those that are configured where it does not', () => {
  const said = manifest(7, { parallelism: { read: 3, count: 5 }, state: { sum: [snapshot] } });
  expect(parallelismIn(said, plan, { read: 4, count: 8, write: { least: 2, most: 9 } })).toEqual({ read: 3, count: 5, write: 2 });
  const decided = manifest(7, { state: { sum: [snapshot, snapshot, snapshot] }, outputs: { write: [[], []] } });
  expect(parallelismIn(decided, plan, { read: 4, count: 8, write: 8 })).toEqual({ read: 4, count: 3, write: 2 });
  expect(parallelismIn(manifest(7, {}), plan, { read: 4, count: 8 })).toEqual({ read: 4, count: 8, write: 1 });
});
