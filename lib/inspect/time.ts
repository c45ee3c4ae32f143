import type { Due, Late, PartitionTime, SourceTime, Time } from '../protocol/event-time.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { isIdle } from '../time/watermarks.ts';

/**
 * How far time has come at the end of a job's last completed epoch, and what waits for it. All times are in milliseconds since the Unix
 * epoch: watermarks are event time.
 */
export interface JobTime {
  /** Processing time of that epoch. */
  readonly processingMs: number;
  /** The operator stages that have a watermark. */
  readonly stages: readonly { readonly stage: string; readonly watermarkMs: number }[];
  /** Those that have event time. */
  readonly sources: readonly SourceWatermark[];
  /** Operators that something waits in. */
  readonly due: readonly OperatorDue[];
  /** Operators that values came too late for, in all epochs so far. */
  readonly late: readonly ({ readonly operator: string } & Late)[];
}

export interface SourceWatermark {
  readonly source: string;
  /** Of its partitions together. Null: none yet. */
  readonly watermarkMs: number | null;
  readonly partitions: readonly PartitionWatermark[];
}

export interface PartitionWatermark {
  readonly topic: string;
  readonly partition: number;
  /** Null: none yet. */
  readonly watermarkMs: number | null;
  /** Processing time of the epoch that last brought a record of it, left some of it to read, or was the first to know of it. */
  readonly activeMs: number;
  readonly standing: PartitionStanding;
}

/**
 * - `idle`: it has brought nothing for so long that it holds nobody back.
 * - `holds-back`: no other partition of the topic that is not idle has come less far, and some has come further, or it has no watermark yet.
 * - `active`: neither.
 */
export type PartitionStanding = 'active' | 'idle' | 'holds-back';

/** The earliest that waits in an operator, in each domain; null: nothing does. */
export interface OperatorDue {
  readonly operator: string;
  /** Of timers, of windows and of records in time order. */
  readonly eventMs: number | null;
  readonly processingMs: number | null;
}

/** Null: the job uses no time. */
export function timeIn({ time, state }: Pick<Manifest, 'time' | 'state'>): JobTime | null {
  if (time === undefined) return null;
  return {
    processingMs: time.processingMs,
    stages: Object.entries(time.stages).map(([stage, watermarkMs]) => ({ stage, watermarkMs })),
    sources: Object.entries(time.sources).map(([source, of]) => sourceWatermark(source, of, time)),
    due: Object.entries(state).flatMap(([operator, snapshots]) => dueOf(operator, snapshots)),
    late: Object.entries(time.late ?? {}).map(([operator, late]) => ({ operator, ...late })),
  };
}

function sourceWatermark(source: string, { watermarkMs, partitions, idleAfterMs }: SourceTime, { processingMs }: Time): SourceWatermark {
  return {
    source,
    watermarkMs: watermarkMs ?? null,
    partitions: Object.entries(partitions).flatMap(([topic, of]) => {
      const rests = (partition: PartitionTime) => isIdle(partition, idleAfterMs, processingMs);
      const awake = of.filter((partition) => !rests(partition)).map(comeTo);
      const [least, most] = [Math.min(...awake), Math.max(...awake)];
      return of.map((each, partition): PartitionWatermark => {
        const holdsBack = comeTo(each) === least && (least < most || each.watermarkMs === undefined);
        const standing = rests(each) ? 'idle' : holdsBack ? 'holds-back' : 'active';
        return { topic, partition, watermarkMs: each.watermarkMs ?? null, activeMs: each.activeMs, standing };
      });
    }),
  };
}

function comeTo({ watermarkMs = Number.NEGATIVE_INFINITY }: PartitionTime): number {
  return watermarkMs;
}

function dueOf(operator: string, snapshots: readonly { readonly due?: Due | undefined }[]): OperatorDue[] {
  const earliest = (times: readonly (number | undefined)[]) => {
    const some = times.filter((time) => time !== undefined);
    return some.length === 0 ? null : Math.min(...some);
  };
  const eventMs = earliest(snapshots.map(({ due }) => due?.eventMs));
  const processingMs = earliest(snapshots.map(({ due }) => due?.processingMs));
  return eventMs === null && processingMs === null ? [] : [{ operator, eventMs, processingMs }];
}
