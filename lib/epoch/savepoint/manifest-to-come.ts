import { sealBlob } from '../../format/blob.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Random } from '../../ports/clock.ts';
import type { ManifestRef, Savepoint } from '../../ports/epoch-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { blobName } from '../../storage/blobs.ts';

/**
 * Where a manifest will be that is written after the row which names it. The row comes first: while it is there and not complete, nobody deletes
 * anything of its incarnation. What is written before it may be deleted with the job whose name it has.
 */
export function manifestToCome({ job, incarnation, epoch }: Pick<Savepoint, 'job' | 'incarnation' | 'epoch'>, random: Random): ManifestRef {
  return { at: 'blob', name: blobName({ job, incarnation, stage: 'manifest', subtask: 0, epoch }, 'manifest', random.id()) };
}

/** Writes it there; once more is as once. */
export async function writeManifest(store: Pick<BlobStore, 'put'>, ref: ManifestRef, manifest: Manifest): Promise<void> {
  if (ref.at === 'blob') await store.put(ref.name, ...sealBlob('manifest', [Buffer.from(JSON.stringify(manifest))]));
}
