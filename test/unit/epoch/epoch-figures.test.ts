import { describe, expect, it } from 'vitest';
import { type Attempt, newAttempt, withDone } from '../../../lib/epoch/attempt.ts';
import { figuresOf } from '../../../lib/epoch/epoch-figures.ts';
import type { Stage } from '../../../lib/graph/stages.ts';
import type { OperatorDone, SourceDone } from '../../../lib/protocol/answers.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';

const stages: Stage[] = [
  { kind: 'source', id: 'lines', topic: 'in', inputs: [], operators: [], exchanges: ['split'], sinks: [] },
  { kind: 'operator', id: 'split', inputs: ['lines'], operators: ['split'], exchanges: ['count'], sinks: [] },
  { kind: 'operator', id: 'count', inputs: ['split'], operators: ['count'], exchanges: [], sinks: ['write'] },
  { kind: 'sink', id: 'write', topic: 'out', inputs: ['count'], operators: [], exchanges: [], sinks: [] },
] as unknown as Stage[];

const read = (oldestTimestampMs: number | undefined): SourceDone => ({
  outcome: 'read',
  reached: [],
  bytesIn: 100,
  deadLetters: 0,
  oldestTimestampMs,
  exchanges: {},
  staged: {},
  recordsIn: 5,
  recordsOut: 9,
});
const counted: OperatorDone = { outcome: 'processed', snapshots: {}, exchanges: {}, staged: { write: null }, recordsIn: 9, recordsOut: 4 };
const range = (partition: number, bound: number) => ({ topic: 'in', partition, from: 0, bound });

function attemptOf(sources: readonly (SourceDone | undefined)[]): Attempt {
  const plan = {
    epoch: 7,
    decisionId: 'seven',
    planned: { wallMs: 10_000, elapsedMs: 70 },
    from: {},
    ranges: { lines: [[range(0, 10)], [range(1, 20)]] },
    maxBytes: 1,
  };
  const planned = newAttempt(plan, stages);
  const read = withDone(planned, 'lines', { kind: 'source', subtasks: sources }, 50);
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
    const figures = figuresOf(attemptOf([read(9_000), read(8_000)]), after, stages, attemptOf([]), later);
    expect(figures).toMatchObject({ recordsIn: 10, recordsOut: 4, bytesIn: 200, epochMs: 400 });
    expect(figures).toMatchObject({ sourceMs: 50, operatorMs: 70, sinkMs: 20, decisionMs: 8 });
  });

  it('have the age of the oldest record that was read, by its timestamp, when the epoch was committed', () => {
    const lagOf = (...sources: (SourceDone | undefined)[]) => figuresOf(attemptOf(sources), after, stages, attemptOf([]), later).lagMs;
    expect(lagOf(read(9_000), read(8_000))).toBe(2_400);
    expect(lagOf(undefined, read(10_000))).toBe(400);
    // A producer without timestamps, one whose clock is ahead, and an epoch without records.
    expect(lagOf(read(-1), undefined)).toBeUndefined();
    expect(lagOf(read(99_000), undefined)).toBe(0);
    expect(lagOf(read(undefined), undefined)).toBeUndefined();
  });

  it('have the time that it took by the clock that never steps', () => {
    const backInTime = { wallMs: 4_000, elapsedMs: 570 };
    expect(figuresOf(attemptOf([read(9_000)]), after, stages, attemptOf([]), backInTime).epochMs).toBe(500);
  });

  it('count what is left up to the ends that the newest plan saw, though it read nothing itself yet', () => {
    const attempt = attemptOf([read(0)]);
    const newest = { ranges: { lines: [[range(0, 10)], [range(1, 120)]] } };
    expect(figuresOf(attempt, after, stages, attempt, later).recordsBehind).toBe(5);
    expect(figuresOf(attempt, after, stages, newest, later).recordsBehind).toBe(105);
  });

  it('have the stored size of all state: bases and deltas, in the store and inline', () => {
    const ref = (...parts: SnapshotRef['deltas']): SnapshotRef => {
      const [base, ...deltas] = parts;
      return { id: 'x', keyGroups: { first: 0, last: 127 }, base, deltas };
    };
    const stored = (bytes: number) => ({ at: 'store', name: 'n', bytes }) as const;
    const inline = { at: 'inline', base64: Buffer.alloc(7).toString('base64') } as const;
    const state = { split: [ref(stored(1_000), stored(30))], count: [ref(inline), ref()] };
    expect(figuresOf(attemptOf([]), { ...after, state }, stages, attemptOf([]), later).stateBytes).toBe(1_037);
  });
});
