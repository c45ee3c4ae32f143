import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meetingOf } from '../../../lib/plan/meeting.ts';
import { edgeBetween, edgesFrom, edgesTo, type PhysicalPlan, type Stage } from '../../../lib/plan/plan.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { inlineBytes, inlineLimit } from '../../../lib/stages/inline.ts';

/** Two sources feed an operator stage of two operators, which feeds another one and a sink. */
const plan: PhysicalPlan = {
  job: 'job',
  stages: [
    { kind: 'source', id: 'one', topic: 'one', startingOffsets: 'latest' },
    { kind: 'source', id: 'two', topic: 'two', startingOffsets: 'latest' },
    { kind: 'operator', id: 'count', operators: ['count', 'sum'] },
    { kind: 'operator', id: 'join', operators: ['join'] },
    { kind: 'sink', id: 'write', to: { kind: 'kafka', topics: ['write'] } },
    { kind: 'sink', id: 'dead', to: { kind: 'kafka', topics: ['dead'] } },
  ],
  edges: [
    edgeBetween({ from: 'one', to: 'count', input: 0, how: 'key' }),
    edgeBetween({ from: 'two', to: 'count', input: 1, how: 'key' }),
    edgeBetween({ from: 'count', to: 'join', input: 0, how: 'key' }),
    edgeBetween({ from: 'count', to: 'write', input: 0, how: 'sink' }),
    edgeBetween({ from: 'join', to: 'write', input: 0, how: 'sink' }),
    edgeBetween({ from: 'two', to: 'dead', input: 0, how: 'sink', tag: 'errors' }),
  ],
};
const { stages } = plan;
const operatorsOf = (stage: Stage) => (stage.kind === 'operator' ? stage.operators.length : 0);
const LAMBDA_BYTES = 6 * 1024 * 1024;
const LARGEST = 1_048_576;

describe('blobs that travel inside requests and answers', () => {
  it('of a job of one subtask each are as large as ONCEFLOW_INLINE_BLOB_BYTES says', () => {
    const meeting = meetingOf(stages[2] as Stage, plan, () => 1);
    expect(meeting).toEqual({ exchanges: 1, staged: 2, snapshots: 2 });
    for (const met of Object.values(meeting)) expect(inlineLimit(16_384, met)).toBe(16_384);
  });

  it('never fill a request or an answer of Lambda, whatever the parallelism and the option', () => {
    const parallelism = fc.record(
      Object.fromEntries(stages.map(({ id }) => [id, fc.integer({ min: 1, max: 2_000 })])) as Record<string, fc.Arbitrary<number>>,
    );
    fc.assert(
      fc.property(parallelism, fc.integer({ min: 0, max: LARGEST }), (width, option) => {
        const subtasksOf = (id: string) => width[id] ?? 1;
        const limitOf = (id: string, kind: 'exchanges' | 'staged') => {
          const own = stages.find((each) => each.id === id) as Stage;
          return inlineLimit(option, meetingOf(own, plan, subtasksOf)[kind]);
        };
        const textOf = (bytes: number) => Math.ceil(bytes / 3) * 4;
        for (const each of stages) {
          const { id, kind } = each;
          const inputs = edgesTo(plan, id).map(({ from }) => from);
          const exchanges = edgesFrom(plan, id).filter(({ how }) => how === 'key');
          const sinks = edgesFrom(plan, id).filter(({ how }) => how === 'sink');
          const room = inlineLimit(Number.POSITIVE_INFINITY, meetingOf(each, plan, subtasksOf).snapshots);
          // After a change of parallelism to one subtask it reads the snapshots of all.
          const snapshots = operatorsOf(each) * subtasksOf(id) * room;
          const read = inputs.reduce((sum, input) => sum + subtasksOf(input) * limitOf(input, kind === 'sink' ? 'staged' : 'exchanges'), 0);
          // Of a sink's inputs each of its subtasks reads a share.
          const request = kind === 'sink' ? sinkRequest(id, inputs) : snapshots + read;
          const answer =
            exchanges.reduce((sum, { to }) => sum + subtasksOf(to) * limitOf(id, 'exchanges'), 0) +
            sinks.length * limitOf(id, 'staged') +
            operatorsOf(each) * room;
          expect(textOf(request)).toBeLessThan(LAMBDA_BYTES * 0.75);
          expect(textOf(answer)).toBeLessThan(LAMBDA_BYTES * 0.75);
        }
        function sinkRequest(id: string, inputs: readonly string[]): number {
          return inputs.reduce((sum, input) => sum + Math.ceil(subtasksOf(input) / subtasksOf(id)) * limitOf(input, 'staged'), 0);
        }
      }),
    );
  });

  it('are counted by what they hold, not by their text', () => {
    const ref: BlobRef = { at: 'inline', base64: Buffer.alloc(300).toString('base64') };
    expect(inlineBytes(ref)).toBe(300);
    expect(inlineBytes({ at: 'store', name: 'n', bytes: 9 })).toBe(0);
  });
});
