import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { CoordinatorDeps } from '../../lib/epoch/coordinator/context.ts';
import { createSavepoint } from '../../lib/epoch/savepoint/create.ts';
import { deleteSavepoint } from '../../lib/epoch/savepoint/delete.ts';
import { exportSavepoint } from '../../lib/epoch/savepoint/export.ts';
import { importSavepoint } from '../../lib/epoch/savepoint/import.ts';
import { BlobMissingError } from '../../lib/ports/blob-store.ts';
import type { Savepoint } from '../../lib/ports/epoch-store.ts';
import { BlobBucket, modelBlobStore } from './models/blob-bucket.ts';

/** What somebody does with a savepoint. */
export interface SavepointAct {
  readonly atMs: number;
  /** `start`: the job starts from it, whatever it does at the moment. `copy`: it is exported, and imported under another name. */
  readonly does: 'create' | 'delete' | 'start' | 'copy';
  readonly name: string;
  /** Of a start: where the sources go on, in place of the savepoint's offsets. */
  readonly sourceOffsets?: StartingOffsets | undefined;
}

/** Does it as `onceflow savepoint` does. Answers what came of it. */
export async function actOnSavepoint(
  deps: Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'>,
  job: string,
  act: Pick<SavepointAct, 'does' | 'name'>,
): Promise<string> {
  const { name } = act;
  if (act.does === 'create') {
    const made = await createSavepoint(deps, job, name, undefined);
    return made.outcome === 'created' ? `created at epoch ${made.savepoint.epoch}` : made.outcome;
  }
  const found = await deps.epochs.readSavepoint(job, name);
  if (found === undefined) return 'none';
  return act.does === 'copy' ? copyOf(deps, job, found) : (await deleteSavepoint(deps, found)).outcome;
}

/** By way of a folder that is somewhere else. */
async function copyOf(deps: Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'>, job: string, savepoint: Savepoint): Promise<string> {
  const { name } = savepoint;
  const folder = modelBlobStore(new BlobBucket(() => 0), async (_api, _about, _failure, execute) => execute(undefined as never));
  try {
    const exported = await exportSavepoint(deps, savepoint, folder);
    if (exported.outcome === 'refused') return 'refused';
  } catch (error) {
    // It was deleted while it was exported.
    const isThere = (await deps.epochs.readSavepoint(job, name))?.id === savepoint.id;
    if (isThere || !(error instanceof BlobMissingError)) throw error;
    return 'none';
  }
  return (await importSavepoint(deps, job, copyName(name), folder)).outcome;
}

export function copyName(name: string): string {
  return `${name}-copy`;
}
