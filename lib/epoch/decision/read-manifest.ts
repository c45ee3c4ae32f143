import type { JobRow, ManifestRef } from '../../ports/epoch-store.ts';
import { asDecided } from '../../protocol/as-decided.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { parseManifest } from '../../protocol/manifest.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';

export async function readManifest(
  deps: CoordinatorDeps,
  row: JobRow,
  completed: { readonly epoch: number; readonly decisionId: string },
): Promise<DecidedManifest> {
  const epoch = await deps.epochs.readEpoch(row.job, row.incarnation, completed.epoch);
  if (epoch === undefined || epoch.decisionId !== completed.decisionId) {
    throw new Error(
      `job ${row.job}: the row of epoch ${completed.epoch} (decision ${completed.decisionId}) is missing from the table, though the job row names it: something other than the job deleted it`,
    );
  }
  return asDecided(await openManifest(deps, epoch.manifest));
}

export async function openManifest(deps: Pick<CoordinatorDeps, 'blobs'>, ref: ManifestRef): Promise<Manifest> {
  if (ref.at === 'row') return parseManifest(ref.manifest, "the epoch's row");
  const payload = await deps.blobs.read('manifest', { at: 'store', name: ref.name, bytes: 0 });
  return parseManifest(JSON.parse(payload.toString('utf8')), `blob ${ref.name}`);
}
