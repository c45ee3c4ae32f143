import { expect, it } from 'vitest';
import { runStage } from '../../../lib/epoch/attempt/ask-stages.ts';
import { newAttempt } from '../../../lib/epoch/attempt/attempt.ts';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { Held } from '../../../lib/epoch/lease/held.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { countingPlan } from '../../support/counting-plan.ts';

const done = { outcome: 'read', reached: [{ topic: 'in', partition: 0, next: 20 }], bytesIn: 9, recordsIn: 10, edges: {} } as const;

/** The source stage of an epoch that was planned for the topic of this id; undefined: of no known one. */
async function readOf(planned: string | undefined, topicId: () => Promise<string | undefined>, reads: readonly boolean[] = [true]) {
  const deps = {
    kafka: { topicId },
    invoker: { invoke: async () => done },
    clock: { elapsedMs: () => 0 },
  } as unknown as CoordinatorDeps;
  const settings = {
    ...{ job: 'job', build: 'b', plan: countingPlan, maxParallelism: 128 },
    ...{ checkpointIntervalMs: 100, epochTimeoutMs: 1_000, commitTimeoutMs: 1_000 },
  } as unknown as JobSettings;
  const held = { deps, settings, tenure: { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} } } as unknown as Held<JobSettings>;
  const attempt = newAttempt(
    {
      ...{ epoch: 5, decisionId: 'five', planned: { wallMs: 0, elapsedMs: 0 }, from: { lines: { in: [10] } }, maxBytes: 1_000 },
      parallelism: {},
      topicIds: planned === undefined ? undefined : { lines: { in: planned } },
      ranges: { lines: reads.map((isReading) => (isReading ? [{ topic: 'in', partition: 0, from: 10, bound: 20 }] : [])) },
    },
    countingPlan.stages,
  );
  const stage = countingPlan.stages.find(({ kind }) => kind === 'source');
  if (stage === undefined) throw new Error('the plan has no source');
  return runStage(held, stage, { attempt, before: { offsets: {}, state: {} } }, new AbortController().signal);
}

it('what was read is of the topic that was planned, when it is there still', async () => {
  expect(await readOf('id-a', async () => 'id-a')).toMatchObject({ outcome: 'done' });
  expect(await readOf('id-a', async () => 'id-b')).toMatchObject({
    outcome: 'failed',
    why: { kind: 'transient', message: 'topic in was made anew while it was read: its id was id-a, and is id-b' },
  });
});

it('where an id is not known, then or now, nothing can be said of it', async () => {
  expect(await readOf(undefined, async () => 'id-b')).toMatchObject({ outcome: 'done' });
  expect(await readOf('id-a', async () => undefined)).toMatchObject({ outcome: 'done' });
});

it('it is asked if any subtask has read, and not if none has', async () => {
  expect(await readOf('id-a', async () => 'id-b', [false, true])).toMatchObject({ outcome: 'failed' });
  expect(await readOf('id-a', async () => 'id-b', [false, false])).toMatchObject({ outcome: 'done' });
});

it.each([
  [true, 'transient'],
  [false, 'refused'],
] as const)('a broker that does not say (retriable: %s) fails the attempt as %s', async (retriable, kind) => {
  const problem = new KafkaProblem('NO_ANSWER', 'it does not say', retriable);
  expect(await readOf('id-a', () => Promise.reject(problem))).toMatchObject({
    outcome: 'failed',
    why: { kind, message: 'it does not say' },
  });
});
