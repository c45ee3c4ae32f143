import { byName, ofName } from '../../config/by-name.ts';
import { subtasksOf } from '../../config/subtasks.ts';
import { edgesTo, type PhysicalPlan, type SourceStage, type Stage } from '../../plan/plan.ts';
import type { Time } from '../../protocol/event-time.ts';
import type { Manifest, Position, SourceOffsets } from '../../protocol/manifest.ts';
import type { BlobRef, SnapshotRef } from '../../protocol/references.ts';
import { hasInputBehind } from '../../time/input-ends.ts';
import { lateTogether } from '../../time/late.ts';
import { timeAfter } from '../../time/watermarks.ts';
import { type Attempt, lateIn, writtenBy } from '../attempt/attempt.ts';
import { advanceOffsets } from '../planning/plan.ts';

/** Where an attempt ends that began at `before`, by what its stages have answered so far. */
export function positionAfter(
  before: Position,
  attempt: Pick<Attempt, 'from' | 'topicIds' | 'sources' | 'operators' | 'time'>,
  plan: Pick<PhysicalPlan, 'stages' | 'edges'>,
): Position {
  return {
    offsets: offsetsAfter(attempt),
    topicIds: attempt.topicIds,
    state: { ...before.state, ...stateAfter(attempt, plan.stages) },
    time: timeOf(before, attempt, plan),
  };
}

/** Of a job that does not use time what there is stays as it is. */
function timeOf(
  before: Position,
  attempt: Pick<Attempt, 'from' | 'sources' | 'operators' | 'time'>,
  plan: Pick<PhysicalPlan, 'stages' | 'edges'>,
): Time | undefined {
  const { from, sources, time } = attempt;
  if (time === undefined) return before.time;
  const partitions = ({ id, topic }: { readonly id: string; readonly topic: string }) => ofName(ofName(from, id), topic)?.length ?? 0;
  const seen = (source: string) => (sources.get(source) ?? []).flatMap((done) => done?.seen ?? []);
  const offsets = offsetsAfter(attempt);
  const hasMore = (source: SourceStage, partition: number) => hasInputBehind(offsets, time.ends, source, partition);
  const after = timeAfter(before.time, { processingMs: time.processingMs, partitions, seen, hasMore }, plan);
  return { ...after, late: lateTogether([before.time?.late, lateIn(attempt)]) };
}

/** Where a job stands after its last completed epoch and the attempts that build on it, oldest first. */
export function positionBehind(parent: Position, attempts: readonly Attempt[], plan: Pick<PhysicalPlan, 'stages' | 'edges'>): Position {
  return attempts.reduce<Position>((before, attempt) => positionAfter(before, attempt, plan), parent);
}

/** What a manifest says besides what it has of its parent. */
export interface NextEpoch extends Pick<Manifest, 'epoch' | 'decisionId' | 'outputs' | 'committables' | 'parallelism'> {
  readonly position: Position;
}

/** The one place where a manifest is made. Without a parent it is a new job's first. */
export function nextManifest(of: Pick<Manifest, 'job' | 'incarnation'>, parent: Manifest | undefined, next: NextEpoch): Manifest {
  const { position, ...rest } = next;
  return {
    version: 3,
    job: of.job,
    incarnation: of.incarnation,
    parentDecisionId: parent?.decisionId,
    ...rest,
    ...position,
  };
}

/** The manifest of an attempt whose every stage is done. */
export function manifestOf(attempt: Attempt, parent: Manifest, plan: PhysicalPlan): Manifest {
  const { epoch, decisionId, committables, parallelism } = attempt;
  return nextManifest(parent, parent, {
    epoch,
    decisionId,
    position: positionAfter(parent, attempt, plan),
    outputs: byName(
      plan.stages.flatMap(({ kind, id }) =>
        kind === 'sink' ? [[id, stagedFor(attempt, plan, id, subtasksOf(parallelism, id))] as const] : [],
      ),
    ),
    committables: [...committables].sort((left, right) => left.sink.localeCompare(right.sink) || left.subtask - right.subtask),
    parallelism,
  });
}

/** Where every source partition stands after an attempt: the barriers that its source stages reached. */
function offsetsAfter(attempt: Pick<Attempt, 'from' | 'sources'>): SourceOffsets {
  let offsets = attempt.from;
  for (const [source, subtasks] of attempt.sources) {
    for (const done of subtasks) if (done !== undefined) offsets = advanceOffsets(offsets, source, done.reached);
  }
  return offsets;
}

/** Snapshots by operator uid, one for each subtask, of the operator stages that an attempt has finished. */
function stateAfter(attempt: Pick<Attempt, 'operators'>, stages: readonly Stage[]): Record<string, SnapshotRef[]> {
  const state: Record<string, SnapshotRef[]> = byName();
  for (const stage of stages) {
    for (const done of attempt.operators.get(stage.id) ?? []) {
      for (const [uid, snapshot] of Object.entries(done.snapshots)) {
        state[uid] ??= [];
        state[uid].push(snapshot);
      }
    }
  }
  return state;
}

/** Staged output of one sink by sink subtask: upstream subtask u writes through sink subtask u mod parallelism. */
export function stagedFor(
  attempt: Pick<Attempt, 'sources' | 'operators'>,
  plan: Pick<PhysicalPlan, 'edges'>,
  sink: string,
  parallelism: number,
): BlobRef[][] {
  const bySubtask: BlobRef[][] = Array.from({ length: parallelism }, () => []);
  for (const { id, from } of edgesTo(plan, sink)) {
    for (const [subtask, written] of writtenBy(attempt, from).entries()) {
      const ref = ofName(written?.edges, id)?.parts[0];
      if (ref !== undefined && ref !== null) bySubtask[subtask % parallelism]?.push(ref);
    }
  }
  return bySubtask;
}
