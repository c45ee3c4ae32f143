import type { ManifestRef, Savepoint } from '../../ports/epoch-store.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';
import { openManifest } from '../decision/read-manifest.ts';
import { liveNames } from './retain.ts';

type Reads = Pick<CoordinatorDeps, 'epochs' | 'blobs'>;

/** Names of the blobs that the manifests of these rows need, their own included where they are blobs. */
export async function namesIn(deps: Pick<Reads, 'blobs'>, refs: readonly ManifestRef[], lastCommitted: number): Promise<string[]> {
  const each = refs.map(async (ref) => {
    const own = ref.at === 'blob' ? [ref.name] : [];
    return [...own, ...liveNames(await openManifest(deps, ref), lastCommitted)];
  });
  return (await Promise.all(each)).flat();
}

/**
 * Names of the blobs that savepoints keep. Of one that is not complete too, if it is not on its way out: its blobs are coming. A savepoint is of
 * a COMMITTED epoch, so its output is not needed.
 */
export async function pinnedNames(deps: Reads, job: string): Promise<string[]> {
  return namesIn(deps, (await deps.epochs.listSavepoints(job)).filter(isPin).map(manifestOf), Number.POSITIVE_INFINITY); // pins
}

function isPin({ standing }: Savepoint): boolean {
  return standing !== 'deleting';
}

function manifestOf({ manifest }: Savepoint): ManifestRef {
  return manifest;
}
