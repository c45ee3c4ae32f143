import { openManifest } from '../epoch/decision/read-manifest.ts';
import type { EpochRow } from '../ports/epoch-store.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { createBlobs } from '../storage/blobs.ts';
import type { InspectDeps } from './deps.ts';

/** The manifest of an epoch; a large one is in the blob store. */
export async function manifestIn(
  deps: Pick<InspectDeps, 'blobStore' | 'random'>,
  { manifest }: Pick<EpochRow, 'manifest'>,
): Promise<Manifest> {
  return manifest.at === 'row' ? manifest.manifest : openManifest({ blobs: createBlobs(await deps.blobStore(), deps.random) }, manifest);
}
