import type { Savepoint, UnreadableSavepoint } from '../ports/epoch-store.ts';
import type { SourceOffsets } from '../protocol/manifest.ts';
import type { SavepointStanding } from '../protocol/savepoint.ts';
import type { InspectDeps } from './deps.ts';
import { manifestIn } from './manifest.ts';
import { type StateSize, stateSizes } from './state-sizes.ts';

export interface SavepointSummary {
  readonly job: string;
  readonly name: string;
  readonly standing: SavepointStanding;
  readonly createdAtMs: number;
  readonly incarnation: string;
  readonly epoch: number;
  readonly maxParallelism: number;
}

export interface InspectedSavepoint extends SavepointSummary {
  /** Next offset to read: by source uid, then topic, then partition. */
  readonly offsets: SourceOffsets;
  /** By operator uid. */
  readonly state: readonly StateSize[];
}

export function summaryOf({ job, name, standing, createdAtMs, incarnation, epoch, maxParallelism }: Savepoint): SavepointSummary {
  return { job, name, standing, createdAtMs, incarnation, epoch, maxParallelism };
}

/** Of one that cannot be read: what is known of it. */
export function listed(savepoint: Savepoint | UnreadableSavepoint): SavepointSummary | UnreadableSavepoint {
  return savepoint.standing === 'unreadable' ? savepoint : summaryOf(savepoint);
}

export async function inspectSavepoint(deps: Pick<InspectDeps, 'blobStore' | 'random'>, savepoint: Savepoint): Promise<InspectedSavepoint> {
  const { offsets, state } = await manifestIn(deps, savepoint);
  return { ...summaryOf(savepoint), offsets, state: stateSizes(state) };
}
