import { byName, ofName } from '../config/by-name.ts';
import type { BlobRef, DeliveryGuarantee, Manifest, SnapshotRef, SourceOffsets } from '../format/manifest.ts';
import type { Stage } from '../graph/stages.ts';
import type { Attempt } from './attempt.ts';
import { advanceOffsets } from './plan.ts';

/** The manifest of an attempt whose every stage is done. */
export function manifestOf(
  attempt: Attempt,
  parent: Manifest,
  stages: readonly Stage[],
  sinkParallelism: (sink: string) => number,
  delivery: DeliveryGuarantee,
): Manifest {
  return {
    version: 2,
    job: parent.job,
    incarnation: parent.incarnation,
    delivery,
    epoch: attempt.epoch,
    decisionId: attempt.decisionId,
    parentDecisionId: parent.decisionId,
    offsets: offsetsAfter(attempt),
    topicIds: attempt.topicIds,
    state: { ...parent.state, ...stateAfter(attempt, stages) },
    outputs: byName(
      stages.flatMap((stage) => (stage.kind === 'sink' ? [[stage.id, stagedFor(attempt, stage, sinkParallelism(stage.id))]] : [])),
    ),
    committables: [...attempt.committables].sort((left, right) => left.transactionalId.localeCompare(right.transactionalId)),
  };
}

/** Where every source partition stands after an attempt: the barriers that its source stages reached. */
export function offsetsAfter(attempt: Pick<Attempt, 'from' | 'sources'>): SourceOffsets {
  let offsets = attempt.from;
  for (const [source, subtasks] of attempt.sources) {
    for (const done of subtasks) if (done !== undefined) offsets = advanceOffsets(offsets, source, done.reached);
  }
  return offsets;
}

/** Snapshots by operator uid, one for each subtask, of the operator stages that an attempt has finished. */
export function stateAfter(attempt: Pick<Attempt, 'operators'>, stages: readonly Stage[]): Record<string, SnapshotRef[]> {
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
export function stagedFor(attempt: Pick<Attempt, 'sources' | 'operators'>, sink: Stage, parallelism: number): BlobRef[][] {
  const bySubtask: BlobRef[][] = Array.from({ length: parallelism }, () => []);
  for (const input of sink.inputs) {
    const upstream = attempt.operators.get(input) ?? attempt.sources.get(input) ?? [];
    for (const [subtask, done] of upstream.entries()) {
      const ref = ofName(done?.staged, sink.id);
      if (ref !== undefined && ref !== null) bySubtask[subtask % parallelism]?.push(ref);
    }
  }
  return bySubtask;
}
