import type { Manifest } from '../../protocol/manifest.ts';
import type { JobSettings } from '../coordinator/context.ts';
import { openManifest } from '../decision/read-manifest.ts';
import { fenced } from '../lease/fenced.ts';
import { type Held, ownRow } from '../lease/held.ts';
import type { RowExpiry } from './expire-rows.ts';
import { epochsToRetire, isGarbage, liveNames } from './retain.ts';

const DELETE_TOGETHER = 500;

/**
 * Deletes what nothing refers to any more (docs/protocol.md), in an order in which a crash or a zombie at any point deletes
 * nothing that is needed: read the job row, mark old manifests RETIRED by a write that only the holder of the generation
 * can make, read the manifests that are left, list the blobs, delete those that none of them names.
 */
export async function collectGarbage({ deps, settings, tenure }: Held<JobSettings>, rows: RowExpiry): Promise<void> {
  const row = ownRow(settings, tenure, await deps.epochs.readJob(settings.job));
  if (row.lastCompleted === undefined) return;
  await rows.catchUp(row.retiredThrough);
  const { lastCommitted } = row;
  const retire = epochsToRetire(row.retiredThrough, lastCommitted, settings.retainedCheckpoints);
  const last = retire.at(-1);
  if (last !== undefined) {
    fenced(settings, await deps.epochs.retireThrough(settings.job, tenure.generation, last));
    await rows.expire(retire);
  }
  const liveRows = await deps.epochs.listEpochs(settings.job, tenure.incarnation, last ?? row.retiredThrough);
  const manifests: Manifest[] = await Promise.all(liveRows.map(({ manifest }) => openManifest(deps, manifest)));
  const live = new Set([
    ...manifests.flatMap((manifest) => liveNames(manifest, lastCommitted)),
    ...liveRows.flatMap(({ manifest }) => (manifest.at === 'blob' ? [manifest.name] : [])),
  ]);
  const facts = { lastCompleted: row.lastCompleted.epoch, lastCommitted, live };
  let deleted = 0;
  let garbage: string[] = [];
  const flush = async () => {
    await deps.blobStore.delete(garbage);
    deleted += garbage.length;
    garbage = [];
  };
  for await (const { name } of deps.blobStore.list(`${settings.job}/${tenure.incarnation}/`)) {
    if (isGarbage(name, facts)) garbage.push(name);
    if (garbage.length >= DELETE_TOGETHER) await flush();
  }
  if (garbage.length > 0) await flush();
  if (deleted > 0 || retire.length > 0) deps.observe({ event: 'collected', blobs: deleted, retired: retire.length });
}
