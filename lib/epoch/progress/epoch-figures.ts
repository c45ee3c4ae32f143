import { ofName } from '../../config/by-name.ts';
import type { PhysicalPlan, Stage } from '../../plan/plan.ts';
import type { Moment } from '../../ports/age.ts';
import type { Manifest, SourceOffsets } from '../../protocol/manifest.ts';
import type { BlobRef } from '../../protocol/references.ts';
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
  manifest: Pick<Manifest, 'offsets' | 'state'>,
  plan: Pick<PhysicalPlan, 'stages' | 'edges'>,
  newest: Pick<Attempt, 'ranges'>,
  now: Moment,
): EpochFigures {
  const { recordsIn, recordsOut } = countsOf(attempt, plan);
  const oldestMs = oldestTimestampMs(attempt);
  const slowest = (kind: Stage['kind']) => {
    const times = plan.stages.flatMap((stage) => (stage.kind === kind ? [attempt.stageMs.get(stage.id) ?? 0] : []));
    return times.length === 0 ? undefined : Math.max(...times);
  };
  return {
    recordsIn,
    recordsOut,
    bytesIn: bytesRead(attempt),
    lagMs: oldestMs === undefined ? undefined : Math.max(now.wallMs - oldestMs, 0),
    recordsBehind: recordsBehind(newest, manifest.offsets),
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
function recordsBehind({ ranges }: Pick<Attempt, 'ranges'>, offsets: SourceOffsets): number {
  return Object.entries(ranges).reduce(
    (sum, [stage, subtasks]) =>
      sum +
      subtasks
        .flat()
        .reduce(
          (own, { topic, partition, bound }) => own + Math.max(bound - (ofName(ofName(offsets, stage), topic)?.[partition] ?? bound), 0),
          0,
        ),
    0,
  );
}

function stateBytes(state: Manifest['state']): number {
  return Object.values(state)
    .flat()
    .flatMap(({ base, deltas }) => (base === undefined ? deltas : [base, ...deltas]))
    .reduce((sum, ref) => sum + sizeOf(ref), 0);
}

function sizeOf(ref: BlobRef): number {
  return ref.at === 'store' ? ref.bytes : Buffer.byteLength(ref.base64, 'base64');
}
