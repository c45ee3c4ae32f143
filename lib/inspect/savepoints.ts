import type { Savepoint, UnreadableSavepoint } from '../ports/epoch-store.ts';
import type { SourceOffsets } from '../protocol/manifest.ts';
import type { BlobRef } from '../protocol/references.ts';
import type { SavepointStanding } from '../protocol/savepoint.ts';
import type { InspectDeps } from './deps.ts';
import { manifestIn } from './manifest.ts';

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
  readonly state: readonly { readonly uid: string; readonly subtasks: number; readonly blobs: number; readonly bytes: number }[];
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
  const operators = Object.entries(state).map(([uid, subtasks]) => {
    const refs = subtasks.flatMap(({ base, deltas }) => (base === undefined ? deltas : [base, ...deltas]));
    return {
      uid,
      subtasks: subtasks.length,
      blobs: refs.filter(({ at }) => at === 'store').length,
      bytes: refs.reduce((sum, ref) => sum + bytesIn(ref), 0),
    };
  });
  return { ...summaryOf(savepoint), offsets, state: operators };
}

function bytesIn(ref: BlobRef): number {
  return ref.at === 'store' ? ref.bytes : Buffer.byteLength(ref.base64, 'base64');
}
