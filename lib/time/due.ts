import { ofName } from '../config/by-name.ts';
import type { OperatorStage, PhysicalPlan, SourceStage } from '../plan/plan.ts';
import { sourcesTo } from '../plan/time.ts';
import type { StageTime, Time } from '../protocol/event-time.ts';
import type { Position } from '../protocol/manifest.ts';
import type { SnapshotRef } from '../protocol/references.ts';
import { hasInputBehind, type InputEnds, NO_INPUT } from './input-ends.ts';
import { timeAfter } from './watermarks.ts';

type Plan = Pick<PhysicalPlan, 'stages' | 'edges'>;

/** Does anything in these snapshots wait for a time that has come at the end of the epoch? */
export function isAnyDue(
  snapshots: Iterable<SnapshotRef>,
  { afterMs, processingMs }: Pick<StageTime, 'afterMs' | 'processingMs'>,
): boolean {
  for (const { due } of snapshots) if (hasCome(due?.eventMs, afterMs) || hasCome(due?.processingMs, processingMs)) return true;
  return false;
}

/**
 * Would an epoch without input, planned at this wall time, have anything to do? `held`: the input that is too far ahead to be read, and
 * no other is there; then a watermark that moves on is something, for it may let that in.
 */
export function isTimeDue(position: Position, plan: Plan, wallMs: number, held: InputEnds = NO_INPUT): boolean {
  const isHeld = held.size > 0;
  if (!isHeld && !isAnythingWaiting(position, plan)) return false;
  if (waitsForUnknown(position, plan, isHeld)) return true;
  const time = timeWithoutInput(position, plan, wallMs, held);
  return operatorStages(plan).some((stage) => {
    const afterMs = ofName(time.stages, stage.id);
    if (isHeld && afterMs !== ofName(position.time?.stages, stage.id)) return true;
    return isAnyDue(snapshotsOf(position, stage), { afterMs, processingMs: time.processingMs });
  });
}

/**
 * The next wall time at which `isTimeDue` says so, if no other input comes. Undefined: it never will. What is due does not become undone:
 * without input watermarks go forward only, each time a partition becomes idle.
 */
export function timeDueAtMs(position: Position, plan: Plan, held: InputEnds = NO_INPUT): number | undefined {
  const isHeld = held.size > 0;
  if (!isHeld && !isAnythingWaiting(position, plan)) return undefined;
  const moments = [...momentsIn(position, plan, isHeld)].sort((one, other) => one - other);
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTimeDue(position, plan, moments[middle] as number, held)) high = middle;
    else low = middle + 1;
  }
  return moments[low];
}

/** When a timer of processing time is due, or a partition becomes idle that leads to one of event time, or to where held input waits for it. */
function momentsIn(position: Position, plan: Plan, isHeld: boolean): ReadonlySet<number> {
  const moments = new Set<number>();
  for (const stage of operatorStages(plan))
    for (const { due } of snapshotsOf(position, stage)) if (due?.processingMs !== undefined) moments.add(due.processingMs);
  for (const { id, topic, eventTime } of sourcesWaitedFor(position, plan, isHeld)) {
    if (eventTime?.idleAfterMs === undefined) continue;
    for (const { activeMs } of ofName(ofName(position.time?.sources, id)?.partitions, topic) ?? [])
      moments.add(activeMs + eventTime.idleAfterMs);
  }
  if (waitsForUnknown(position, plan, isHeld)) moments.add(position.time?.processingMs ?? 0);
  return moments;
}

/** What has a time of event time to wait for, or held input, waits for these. */
function sourcesWaitedFor(position: Position, plan: Plan, isHeld: boolean): Iterable<SourceStage> {
  const waited = new Map<string, SourceStage>();
  for (const stage of operatorStages(plan))
    if (isHeld || snapshotsOf(position, stage).some(({ due }) => due?.eventMs !== undefined))
      for (const source of sourcesTo(plan, stage.id)) waited.set(source.id, source);
  return waited.values();
}

/**
 * Does something wait for partitions of which no epoch knows yet: of a source that is new, or goes on in another topic? They become idle so
 * long after an epoch that knows them, and without input there would be none.
 */
function waitsForUnknown(position: Position, plan: Plan, isHeld: boolean): boolean {
  const { offsets, time } = position;
  for (const { id, topic, eventTime } of sourcesWaitedFor(position, plan, isHeld)) {
    const known = ofName(ofName(time?.sources, id)?.partitions, topic)?.length ?? 0;
    if (eventTime?.idleAfterMs !== undefined && (ofName(ofName(offsets, id), topic)?.length ?? 0) > known) return true;
  }
  return false;
}

function timeWithoutInput({ time, offsets }: Position, plan: Plan, wallMs: number, held: InputEnds = NO_INPUT): Time {
  const partitions = ({ id, topic }: SourceStage) => ofName(ofName(offsets, id), topic)?.length ?? 0;
  const hasMore = (source: SourceStage, partition: number) => hasInputBehind(offsets, held, source, partition);
  const processingMs = Math.max(time?.processingMs ?? 0, Math.floor(wallMs));
  return timeAfter(time, { processingMs, partitions, seen: () => [], hasMore }, plan);
}

function isAnythingWaiting(position: Position, plan: Plan): boolean {
  return operatorStages(plan).some((stage) => snapshotsOf(position, stage).some(({ due }) => due !== undefined));
}

function snapshotsOf({ state }: Position, { operators }: OperatorStage): readonly SnapshotRef[] {
  return operators.flatMap((uid) => ofName(state, uid) ?? []);
}

function operatorStages({ stages }: Plan): readonly OperatorStage[] {
  return stages.filter((stage) => stage.kind === 'operator');
}

function hasCome(due: number | undefined, now: number | undefined): boolean {
  return due !== undefined && now !== undefined && due <= now;
}
