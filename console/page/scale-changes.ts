import type { InspectedEpoch } from '../../lib/inspect/epochs.ts';
import type { StageScale } from '../../lib/ports/epoch-store.ts';

export type ScaledStage = StageScale & { readonly stage: string };

/** From an epoch on a stage had another number of subtasks. */
export interface Change {
  readonly epoch: number;
  readonly atMs: number;
  readonly stage: string;
  /** Null: it is not known any more. */
  readonly from: number | null;
  readonly to: number;
  readonly why: string;
}

/** As the epochs say, the newest first; and the last of each stage as the job's row does, which stays when the epoch has gone. */
export function changesIn(
  stages: readonly ScaledStage[],
  epochs: readonly Pick<InspectedEpoch, 'epoch' | 'plannedAtMs' | 'rescaled'>[],
): Change[] {
  const told = epochs.flatMap(({ epoch, plannedAtMs, rescaled = [] }) =>
    rescaled.map((each): Change => ({ epoch, atMs: plannedAtMs, ...each })),
  );
  const last = stages.flatMap(({ stage, subtasks, since }): Change[] => {
    if (since === undefined || told.some((each) => each.stage === stage && each.epoch === since.epoch)) return [];
    return [{ stage, from: null, to: subtasks, ...since }];
  });
  return [...told, ...last].toSorted((one, other) => other.epoch - one.epoch);
}
