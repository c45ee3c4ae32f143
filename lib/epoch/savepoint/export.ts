import { createHash } from 'node:crypto';
import { CorruptBlobError, openBlob } from '../../format/blob.ts';
import { BlobMissingError, type BlobStore } from '../../ports/blob-store.ts';
import type { Savepoint } from '../../ports/epoch-store.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';
import { openManifest } from '../decision/read-manifest.ts';
import { liveNames } from '../garbage/retain.ts';
import { PORTABLE_FORMAT, PORTABLE_INDEX, type PortableBlob, type PortableIndex } from './portable.ts';

type Deps = Pick<CoordinatorDeps, 'blobs' | 'blobStore'>;

export type Exported =
  | { readonly outcome: 'exported'; readonly blobs: number; readonly bytes: number }
  /** Nothing is there that was not before. */
  | { readonly outcome: 'refused'; readonly why: string };

/** Copies a savepoint with all that it names into `to`, where nothing is yet. It needs neither the table nor the bucket then. */
export async function exportSavepoint(deps: Deps, savepoint: Savepoint, to: BlobStore): Promise<Exported> {
  if (savepoint.standing !== 'complete')
    return { outcome: 'refused', why: `savepoint ${savepoint.name} is not complete: it is ${savepoint.standing}` };
  for await (const _ of to.list('')) return { outcome: 'refused', why: 'something is there already: name a place where nothing is' };
  const manifest = await openManifest(deps, savepoint.manifest);
  const blobs: PortableBlob[] = [];
  let bytes = 0;
  // Of a COMMITTED epoch, so its output is not among them.
  for (const name of new Set(liveNames(manifest, Number.POSITIVE_INFINITY))) {
    const content = await wholeBlob(deps, name);
    if ('damage' in content) {
      await to.delete(blobs.map(({ file }) => file));
      return { outcome: 'refused', why: content.damage.message };
    }
    const file = `blobs/${String(blobs.length).padStart(6, '0')}`;
    await to.put(file, content);
    blobs.push({ name, file, bytes: content.length, sha256: sha256Of(content) });
    bytes += content.length;
  }
  const { id: _id, standing: _standing, manifest: _manifest, ...kept } = savepoint;
  const index: PortableIndex = { onceflow: 'savepoint', format: PORTABLE_FORMAT, ...kept, manifest, blobs };
  await to.put(PORTABLE_INDEX, Buffer.from(`${JSON.stringify(index, null, 2)}\n`));
  return { outcome: 'exported', blobs: blobs.length, bytes };
}

/** As it was written: what is damaged is found now, and not when somebody has nothing but the export. */
async function wholeBlob({ blobStore }: Deps, name: string): Promise<Buffer | { readonly damage: Error }> {
  try {
    const content = await blobStore.get(name);
    openBlob('state', content, name);
    return content;
  } catch (error) {
    if (error instanceof BlobMissingError || error instanceof CorruptBlobError) return { damage: error };
    throw error;
  }
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
