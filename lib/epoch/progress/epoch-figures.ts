import { byName, ofName } from '../../config/by-name.ts';
import type { PhysicalPlan, Stage } from '../../plan/plan.ts';
import type { Moment } from '../../ports/age.ts';
import type { Time } from '../../protocol/event-time.ts';
import type { Manifest, SourceOffsets } from '../../protocol/manifest.ts';
import { blobsOf, bytesOf } from '../../protocol/references.ts';
import { type Attempt, bytesRead, countsOf } from '../attempt/attempt.ts';

/** What a committed epoch was, for people and metrics; no decision reads it. */
export interface EpochFigures {
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  /** Age of its oldest record when it was committed, in milliseconds, by the record's timestamp; undefined without input. */
  readonly lagMs: number | undefined;
  /** Offsets between where it ended and the newest ends that the coordinator has seen. */
  readonly recordsBehind: number;
  /** The same by source and topic, for each partition. */
  readonly behind: SourceOffsets;
  /** How far time has come; undefined in a job without. */
  readonly time: Time | undefined;
  /** Stored size of the keyed state after it: bases and deltas. */
  readonly stateBytes: number;
  /** From its plan to its commit. */
  readonly epochMs: number;
  /** The slowest of its source stages; the others in the same way. Undefined: the job has no such stage. */
  readonly sourceMs: number | undefined;
  readonly operatorMs: number | undefined;
  readonly sinkMs: number | undefined;
  readonly decisionMs: number;
}

/**
 * The figures of a committed attempt with this manifest. `newest` is the attempt that was planned last: it knows the
 * topics' ends best, so that nobody has to be asked. (While a failing
 * record is searched plans are cut short, and too few are counted.)
 */
export function figuresOf(
  attempt: Attempt,
  manifest: Pick<Manifest, 'offsets' | 'state' | 'time'>,
  plan: Pick<PhysicalPlan, 'stages' | 'edges'>,
  newest: Pick<Attempt, 'ranges'>,
  now: Moment,
): EpochFigures {
  const { recordsIn, recordsOut } = countsOf(attempt, plan);
  const oldestMs = oldestTimestampMs(attempt);
  const behind = offsetsBehind(newest, manifest.offsets);
  const slowest = (kind: Stage['kind']) => {
    const times = plan.stages.flatMap((stage) => (stage.kind === kind ? [attempt.stageMs.get(stage.id) ?? 0] : []));
    return times.length === 0 ? undefined : Math.max(...times);
  };
  return {
    recordsIn,
    recordsOut,
    bytesIn: bytesRead(attempt),
    lagMs: oldestMs === undefined ? undefined : Math.max(now.wallMs - oldestMs, 0),
    recordsBehind: sumOf(behind),
    behind,
    time: manifest.time,
    stateBytes: stateBytes(manifest.state),
    epochMs: now.elapsedMs - attempt.planned.elapsedMs,
    sourceMs: slowest('source'),
    operatorMs: slowest('operator'),
    sinkMs: slowest('sink'),
    decisionMs: attempt.decisionMs,
  };
}

function oldestTimestampMs({ sources }: Pick<Attempt, 'sources'>): number | undefined {
  const known = [...sources.values()].flat().flatMap((done) => {
    const timestamp = done?.oldestTimestampMs;
    // Kafka's -1: the producer gave none.
    return timestamp === undefined || timestamp < 0 ? [] : [timestamp];
  });
  return known.length === 0 ? undefined : Math.min(...known);
}

/** A partition that the newest plan leaves out had nothing new. */
function offsetsBehind({ ranges }: Pick<Attempt, 'ranges'>, offsets: SourceOffsets): SourceOffsets {
  const behind = Object.entries(offsets).map(([source, topics]) => {
    const bounds = ofName(ranges, source)?.flat() ?? [];
    const ofTopic = ([topic, at]: readonly [string, readonly number[]]) => {
      const left = at.map(() => 0);
      for (const { topic: of, partition, bound } of bounds)
        if (of === topic) left[partition] = Math.max(bound - (at[partition] ?? bound), 0);
      return [topic, left] as const;
    };
    return [source, byName(Object.entries(topics).map(ofTopic))] as const;
  });
  return byName(behind);
}

function sumOf(behind: SourceOffsets): number {
  let sum = 0;
  for (const topics of Object.values(behind)) for (const offsets of Object.values(topics)) for (const each of offsets) sum += each;
  return sum;
}

function stateBytes(state: Manifest['state']): number {
  return Object.values(state)
    .flat()
    .flatMap(blobsOf)
    .reduce((sum, ref) => sum + bytesOf(ref), 0);
}
