import { expect, it } from 'vitest';
import { newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { prepareAsks } from '../../../lib/epoch/attempt/stage-asks.ts';
import type { SinkStage } from '../../../lib/plan/plan.ts';
import type { Parallelism } from '../../../lib/protocol/parallelism.ts';
import { countingPlan, STAGED } from '../../support/counting-plan.ts';

const [stage] = countingPlan.stages.filter((each): each is SinkStage => each.kind === 'sink');
if (stage === undefined) throw new Error('the plan has no sink');
const staged = { at: 'store', name: 'staged', bytes: 1 } as const;
const rules = { plan: countingPlan, maxParallelism: 128, checkpointIntervalMs: 1 };
const connector = { connector: 'some', prepareTerms: () => ({}) };

/** What each subtask of the sink is asked, in an attempt of so many, behind one that was so wide and left something open. */
function asked(write: number, endsLeftovers: Parallelism | undefined) {
  const attempt = newAttempt(
    {
      ...{ epoch: 5, decisionId: 'd', planned: { wallMs: 0, elapsedMs: 0 }, from: {}, ranges: {}, maxBytes: 1 },
      ...{ parallelism: { write }, endsLeftovers },
    },
    countingPlan.stages,
  );
  const counted = { outcome: 'processed', snapshots: {}, edges: { [STAGED]: { parts: [staged], records: 1 } }, recordsIn: 1 } as const;
  const done = withDone(attempt, 'count', { kind: 'operator', subtasks: [counted] }, 1);
  return prepareAsks(stage as SinkStage, done, rules, connector).map((each) => ('done' in each ? 'nothing' : each.ask.staged.length));
}

it('a sink subtask without output is not asked to prepare', () => {
  expect(asked(3, undefined)).toEqual([1, 'nothing', 'nothing']);
});

it('behind an attempt that may have left something open every subtask that it had is asked, also those that there are no more', () => {
  expect(asked(1, { write: 3 })).toEqual([1, 0, 0]);
  expect(asked(3, { write: 1 })).toEqual([1, 0, 0]);
});
