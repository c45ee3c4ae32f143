import { expect, it } from 'vitest';
import { byName } from '../../../lib/config/by-name.ts';
import { type Attempt, newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { operatorAsks } from '../../../lib/epoch/attempt/stage-asks.ts';
import type { OperatorStage } from '../../../lib/plan/plan.ts';
import { keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import type { Position } from '../../../lib/protocol/manifest.ts';
import type { BlobRef, SnapshotRef } from '../../../lib/protocol/references.ts';
import { NO_INPUT } from '../../../lib/time/input-ends.ts';
import { countingPlan, ROWS } from '../../support/counting-plan.ts';

const stage = countingPlan.stages[1] as OperatorStage;
const rows: BlobRef = { at: 'store', name: 'rows', bytes: 1 };
const NOW = 1_000;

const snapshots = (parallelism: number, due?: SnapshotRef['due']): SnapshotRef[] =>
  Array.from({ length: parallelism }, (_, subtask) => ({
    ...{ id: `${subtask}/${parallelism}`, base: undefined, deltas: [], due },
    keyGroups: keyGroupRange(subtask, parallelism, 128),
  }));

/** What each of two subtasks is asked, or that it is idle, when the source stage wrote these parts for them. */
function asked(parts: readonly (BlobRef | null)[], before: readonly SnapshotRef[], time?: Attempt['time']) {
  const attempt = newAttempt(
    {
      ...{ epoch: 5, decisionId: 'd', planned: { wallMs: NOW, elapsedMs: 0 }, from: {}, topicIds: {}, maxBytes: 1, time },
      parallelism: { count: 2 },
      ranges: { lines: [[{ topic: 'in', partition: 0, from: 0, bound: 1 }]] },
    },
    countingPlan.stages,
  );
  const edges = byName([[ROWS, { parts, records: 1 }] as const]);
  const read = { outcome: 'read', reached: [{ topic: 'in', partition: 0, next: 1 }], bytesIn: 1, edges, recordsIn: 1 } as const;
  const done = withDone(attempt, 'lines', { kind: 'source', subtasks: [read] }, 1);
  const position: Position = { offsets: {}, state: { count: before } };
  const rules = { plan: countingPlan, maxParallelism: 128, checkpointIntervalMs: 1 };
  return operatorAsks(stage, done, position, rules).map((each) =>
    'done' in each
      ? { idle: each.done.snapshots, recordsIn: each.done.recordsIn }
      : { ids: each.ask.snapshots['count']?.map(({ id }) => id), inputs: each.ask.inputs },
  );
}

it('a subtask that nothing was written for is not asked, and its state is what it was', () => {
  const [first, second] = snapshots(2);
  expect(asked([null, rows], snapshots(2))).toEqual([
    { idle: { count: first }, recordsIn: 0 },
    { ids: [second?.id], inputs: [{ edge: ROWS, input: 0, ref: rows }] },
  ]);
});

it('after a change of parallelism it is asked all the same: it has to make a state of its own', () => {
  expect(asked([null, null], snapshots(1))).toEqual([
    { ids: ['0/1'], inputs: [] },
    { ids: ['0/1'], inputs: [] },
  ]);
});

const idle = { idle: expect.anything(), recordsIn: 0 };

it.each([
  [
    NOW,
    [
      { ids: ['0/2'], inputs: [] },
      { ids: ['1/2'], inputs: [] },
    ],
  ],
  [NOW + 1, [idle, idle]],
])('it is asked when a time has come that it waits for, %i, and not before', (processingMs, expected) => {
  expect(asked([null, null], snapshots(2, { processingMs }), { processingMs: NOW, upToMs: {}, ends: NO_INPUT })).toEqual(expected);
});
