import { describe, expect, it } from 'vitest';
import { type Attempt, countsOf, newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import { figuresOf } from '../../../lib/epoch/progress/epoch-figures.ts';
import { withDeadLetters } from '../../../lib/plan/dead-letters.ts';
import { edgeBetween, type PhysicalPlan } from '../../../lib/plan/plan.ts';
import type { OperatorDone, SourceDone } from '../../../lib/protocol/answers.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';

const split = edgeBetween({ from: 'lines', to: 'split', input: 0, how: 'key' });
const count = edgeBetween({ from: 'split', to: 'count', input: 0, how: 'key' });
const write = edgeBetween({ from: 'count', to: 'write', input: 0, how: 'sink' });
const plan: PhysicalPlan = {
  job: 'job',
  stages: [
    { kind: 'source', id: 'lines', topic: 'in', startingOffsets: 'earliest' },
    { kind: 'operator', id: 'split', operators: ['split'] },
    { kind: 'operator', id: 'count', operators: ['count'] },
    { kind: 'sink', id: 'write', to: { kind: 'kafka', topics: ['out'] } },
  ],
  edges: [split, count, write],
};

const read = (oldestTimestampMs: number | undefined): SourceDone => ({
  outcome: 'read',
  reached: [],
  bytesIn: 100,
  oldestTimestampMs,
  edges: { [split.id]: { parts: [null], records: 9 } },
  recordsIn: 5,
});
const counted: OperatorDone = { outcome: 'processed', snapshots: {}, edges: { [write.id]: { parts: [null], records: 4 } }, recordsIn: 9 };
const range = (partition: number, bound: number) => ({ topic: 'in', partition, from: 0, bound });

function attemptOf(sources: readonly (SourceDone | undefined)[]): Attempt {
  const planned = {
    epoch: 7,
    decisionId: 'seven',
    planned: { wallMs: 10_000, elapsedMs: 70 },
    from: {},
    parallelism: {},
    ranges: { lines: [[range(0, 10)], [range(1, 20)]] },
    maxBytes: 1,
  };
  const read = withDone(newAttempt(planned, plan.stages), 'lines', { kind: 'source', subtasks: sources }, 50);
  const counting = withDone(
    withDone(read, 'split', { kind: 'operator', subtasks: [] }, 60),
    'count',
    { kind: 'operator', subtasks: [counted] },
    70,
  );
  return { ...withDone(counting, 'write', { kind: 'sink', prepared: [] }, 20), decisionMs: 8 };
}

const after = { offsets: { lines: { in: [10, 15] } }, state: {} };

const later = { wallMs: 10_400, elapsedMs: 470 };

describe("an epoch's figures", () => {
  it('are what its stages counted, and how long its slowest stage of each kind took', () => {
    const figures = figuresOf(attemptOf([read(9_000), read(8_000)]), after, plan, attemptOf([]), later);
    expect(figures).toMatchObject({ recordsIn: 10, recordsOut: 4, bytesIn: 200, epochMs: 400 });
    expect(figures).toMatchObject({ sourceMs: 50, operatorMs: 70, sinkMs: 20, decisionMs: 8 });
  });

  it('say nothing of a kind of stage that the job has not', () => {
    const stages = plan.stages.filter(({ kind }) => kind !== 'operator');
    expect(figuresOf(attemptOf([read(9_000)]), after, { ...plan, stages }, attemptOf([]), later).operatorMs).toBe(undefined);
  });

  it('count what was staged for sinks apart from what crossed an exchange of the same stage, and from dead letters', () => {
    const copy = edgeBetween({ from: 'lines', to: 'copy', input: 0, how: 'sink' });
    const withCopy = {
      ...plan,
      stages: [...plan.stages, { kind: 'sink', id: 'copy', to: { kind: 'kafka', topics: ['copies'] } } as const],
      edges: [split, copy],
    };
    const both = withDeadLetters(withCopy, { name: 'job', nodes: [] }, 'dead');
    const errors = both.edges.find(({ tag }) => tag === 'errors')?.id ?? '';
    const onEdges = (records: number) => ({ parts: [null], records });
    const done = { ...read(0), recordsIn: 3, edges: { [split.id]: onEdges(3), [copy.id]: onEdges(2), [errors]: onEdges(1) } };
    const attempt = { sources: new Map([['lines', [undefined, done]]]), operators: new Map() };
    expect(countsOf(attempt, both)).toEqual({ recordsIn: 3, recordsOut: 2, deadLetters: 1 });
  });

  it('have the age of the oldest record that was read, by its timestamp, when the epoch was committed', () => {
    const lagOf = (...sources: (SourceDone | undefined)[]) => figuresOf(attemptOf(sources), after, plan, attemptOf([]), later).lagMs;
    expect(lagOf(read(9_000), read(8_000))).toBe(2_400);
    expect(lagOf(undefined, read(10_000))).toBe(400);
    // A producer without timestamps, one whose clock is ahead, and an epoch without records.
    expect(lagOf(read(-1), undefined)).toBeUndefined();
    expect(lagOf(read(99_000), undefined)).toBe(0);
    expect(lagOf(read(undefined), undefined)).toBeUndefined();
  });

  it('have the time that it took by the clock that never steps', () => {
    const backInTime = { wallMs: 4_000, elapsedMs: 570 };
    expect(figuresOf(attemptOf([read(9_000)]), after, plan, attemptOf([]), backInTime).epochMs).toBe(500);
  });

  it('count what is left up to the ends that the newest plan saw, though it read nothing itself yet', () => {
    const attempt = attemptOf([read(0)]);
    const newest = { ranges: { lines: [[range(0, 10)], [range(1, 120)]] } };
    expect(figuresOf(attempt, after, plan, attempt, later).recordsBehind).toBe(5);
    expect(figuresOf(attempt, after, plan, newest, later).recordsBehind).toBe(105);
  });

  it('have the stored size of all state: bases and deltas, in the store and inline', () => {
    const ref = (...parts: SnapshotRef['deltas']): SnapshotRef => {
      const [base, ...deltas] = parts;
      return { id: 'x', keyGroups: { first: 0, last: 127 }, base, deltas };
    };
    const stored = (bytes: number) => ({ at: 'store', name: 'n', bytes }) as const;
    const inline = { at: 'inline', base64: Buffer.alloc(7).toString('base64') } as const;
    const state = { split: [ref(stored(1_000), stored(30))], count: [ref(inline), ref()] };
    expect(figuresOf(attemptOf([]), { ...after, state }, plan, attemptOf([]), later).stateBytes).toBe(1_037);
  });
});
