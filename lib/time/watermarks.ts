import { byName, ofName } from '../config/by-name.ts';
import type { PhysicalPlan, SourceStage } from '../plan/plan.ts';
import { sourcesTo } from '../plan/time.ts';
import type { PartitionSeen, PartitionTime, SourceTime, Time } from '../protocol/event-time.ts';

/** What of an epoch moves time on. */
export interface EpochTime {
  /** Of the epoch: not before that of the one before. */
  readonly processingMs: number;
  /** How many partitions the topic of a source has at its end. */
  readonly partitions: (source: SourceStage) => number;
  /** What the partitions of a source have brought. */
  readonly seen: (source: string) => readonly PartitionSeen[];
  /** Is there more of the partition to read? Then it is not idle, however long it brings nothing: its records would be late. */
  readonly hasMore: (source: SourceStage, partition: number) => boolean;
}

type Plan = Pick<PhysicalPlan, 'stages' | 'edges'>;

/** A source at the end of an epoch. Idle: all its partitions are. */
interface SourceAfter extends SourceTime {
  readonly isIdle: boolean;
}

/**
 * How far time has come at the end of an epoch. Nothing of it goes back. A partition that is new has no watermark, and holds the others
 * back until it has brought a record or is idle.
 */
export function timeAfter(before: Time | undefined, epoch: EpochTime, plan: Plan): Time {
  const sources = new Map<string, SourceAfter>();
  for (const stage of plan.stages)
    if (stage.kind === 'source' && stage.eventTime !== undefined)
      sources.set(stage.id, sourceAfter(stage, ofName(before?.sources, stage.id), epoch));
  const stages = plan.stages.flatMap((stage) => {
    if (stage.kind !== 'operator') return [];
    const watermark = stageAfter(sourcesTo(plan, stage.id), sources, ofName(before?.stages, stage.id));
    return watermark === undefined ? [] : [[stage.id, watermark] as const];
  });
  const sourceTimes = [...sources].map(([id, { isIdle: _, ...source }]) => [id, source] as const);
  return {
    processingMs: Math.max(before?.processingMs ?? 0, epoch.processingMs),
    sources: { ...before?.sources, ...byName(sourceTimes) },
    stages: { ...before?.stages, ...byName(stages) },
  };
}

function sourceAfter(stage: SourceStage, before: SourceTime | undefined, epoch: EpochTime): SourceAfter {
  const { processingMs, partitions, seen } = epoch;
  const known = ofName(before?.partitions, stage.topic) ?? [];
  const after = Array.from({ length: partitions(stage) }, (_, partition): PartitionTime => {
    const was = known[partition] ?? { activeMs: processingMs };
    return epoch.hasMore(stage, partition) ? { ...was, activeMs: processingMs } : was;
  });
  for (const { topic, partition, watermarkMs } of seen(stage.id)) {
    const was = after[partition];
    if (topic !== stage.topic || was === undefined) continue;
    after[partition] = { watermarkMs: laterOf(was.watermarkMs, watermarkMs), activeMs: processingMs };
  }
  const idleAfterMs = stage.eventTime?.idleAfterMs;
  const parts = after.map((of) => ({ watermarkMs: of.watermarkMs, isIdle: isIdle(of, idleAfterMs, processingMs) }));
  return {
    watermarkMs: laterOf(before?.watermarkMs, combined(parts)),
    idleAfterMs,
    partitions: { ...before?.partitions, ...byName([[stage.topic, after] as const]) },
    isIdle: parts.every((part) => part.isIdle),
  };
}

/** Does the partition hold nobody back, in an epoch of this processing time? */
export function isIdle({ activeMs }: Pick<PartitionTime, 'activeMs'>, idleAfterMs: number | undefined, processingMs: number): boolean {
  return idleAfterMs !== undefined && processingMs - activeMs >= idleAfterMs;
}

/** Behind a source without event time there is no watermark. */
function stageAfter(
  leading: readonly SourceStage[],
  sources: ReadonlyMap<string, SourceAfter>,
  before: number | undefined,
): number | undefined {
  const parts = leading.map(({ id }) => sources.get(id) ?? { watermarkMs: undefined, isIdle: false });
  return laterOf(before, combined(parts));
}

/** The least of those that are not idle; of all idle ones the largest. */
function combined(parts: readonly { readonly watermarkMs?: number | undefined; readonly isIdle: boolean }[]): number | undefined {
  const active = parts.filter(({ isIdle }) => !isIdle);
  if (active.length === 0) return parts.map(({ watermarkMs }) => watermarkMs).reduce(laterOf, undefined);
  let least = Number.POSITIVE_INFINITY;
  for (const { watermarkMs } of active) {
    if (watermarkMs === undefined) return undefined;
    least = Math.min(least, watermarkMs);
  }
  return least;
}

function laterOf(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}
