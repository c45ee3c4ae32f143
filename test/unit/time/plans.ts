import { edgeBetween, type PhysicalPlan } from '../../../lib/plan/plan.ts';
import type { SourceTime, Time } from '../../../lib/protocol/event-time.ts';
import type { Position } from '../../../lib/protocol/manifest.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';

interface Timing {
  readonly idleAfterMs?: number;
  readonly alignWithinMs?: number;
}

/** Two sources, `a` and `b`; an operator stage `of-a` behind the first, and `of-both` behind both. */
export function twoSources(a: Timing | undefined = {}, b: Timing | undefined = {}): PhysicalPlan {
  const source = (id: string, eventTime: Timing | undefined) =>
    ({ kind: 'source', id, topic: `topic-${id}`, startingOffsets: 'earliest', eventTime }) as const;
  return {
    job: 'job',
    stages: [
      source('a', a),
      source('b', b),
      { kind: 'operator', id: 'of-a', operators: ['of-a'], usesTime: true },
      { kind: 'operator', id: 'of-both', operators: ['of-both'], usesTime: true },
    ],
    edges: [
      edgeBetween({ from: 'a', to: 'of-a', input: 0, how: 'key' }),
      edgeBetween({ from: 'of-a', to: 'of-both', input: 0, how: 'key' }),
      edgeBetween({ from: 'b', to: 'of-both', input: 1, how: 'key' }),
    ],
  };
}

/** By partition: its watermark, and when it was active. */
export function sourceTime(source: string, ...partitions: (readonly [watermarkMs: number | undefined, activeMs: number])[]): SourceTime {
  return { partitions: { [`topic-${source}`]: partitions.map(([watermarkMs, activeMs]) => ({ watermarkMs, activeMs })) } };
}

export function positionAt(time: Time | undefined, due: Readonly<Record<string, SnapshotRef['due']>> = {}): Position {
  const offsets = Object.fromEntries(
    ['a', 'b'].map((id) => [id, { [`topic-${id}`]: (time?.sources[id]?.partitions[`topic-${id}`] ?? []).map(() => 0) }]),
  );
  const state = Object.fromEntries(
    Object.entries(due).map(([uid, own]): [string, SnapshotRef[]] => [
      uid,
      [{ id: uid, keyGroups: { first: 0, last: 127 }, deltas: [], due: own }],
    ]),
  );
  return { offsets, state, time };
}
