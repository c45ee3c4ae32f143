import { byName } from '../../config/by-name.ts';
import { BlobMissingError, type BlobStore } from '../../ports/blob-store.ts';
import type { Savepoint } from '../../ports/epoch-store.ts';
import { type Manifest, parseManifest } from '../../protocol/manifest.ts';
import type { BlobRef } from '../../protocol/references.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';
import { fitsRow } from '../decision/decide-manifest.ts';
import { liveNames } from '../garbage/retain.ts';
import { deleteUnnamed } from './delete.ts';
import { sha256Of } from './export.ts';
import { manifestToCome, writeManifest } from './manifest-to-come.ts';
import { PORTABLE_INDEX, type PortableBlob, type PortableIndex, readIndex } from './portable.ts';

type Deps = Pick<CoordinatorDeps, 'epochs' | 'blobs' | 'blobStore' | 'clock' | 'random'>;

export type Imported =
  | { readonly outcome: 'imported'; readonly savepoint: Savepoint; readonly blobs: number }
  /** Nothing was changed; `why` names the mend. */
  | { readonly outcome: 'refused'; readonly why: string };

/**
 * Makes a savepoint of the job `job`, of whichever name, of one that was exported. All of it is read and compared before anything is written. An import that
 * died is finished by the same one.
 */
export async function importSavepoint(deps: Deps, job: string, name: string, from: BlobStore): Promise<Imported> {
  const read = await indexIn(from);
  if (read.outcome === 'refused') return read;
  const { index } = read;
  const manifest = parseManifest(index.manifest, 'manifest');
  const why = await faultIn(index, manifest, from);
  if (why !== undefined) return { outcome: 'refused', why };
  const row = await rowOf(deps, job, name, index, manifest);
  if (row === undefined)
    return { outcome: 'refused', why: `job ${job} has a savepoint ${name} already: give this one another name, or delete that one` };
  await writeManifest(deps.blobStore, row.manifest, movedTo(row, manifest));
  for (const { name: blob, file } of index.blobs) await deps.blobStore.put(nameIn(row, blob), await from.get(file));
  if ((await deps.epochs.moveSavepoint(row, 'complete')) === 'gone') {
    // Who deleted it has not seen what came since.
    await deleteUnnamed(deps, row);
    return { outcome: 'refused', why: 'it was deleted by somebody else meanwhile' };
  }
  return { outcome: 'imported', savepoint: { ...row, standing: 'complete' }, blobs: index.blobs.length };
}

async function indexIn(from: BlobStore): Promise<ReturnType<typeof readIndex>> {
  const bytes = await contentOf(from, PORTABLE_INDEX);
  if (bytes === undefined)
    return { outcome: 'refused', why: `no ${PORTABLE_INDEX} is there: it is no exported savepoint, or its export did not come to its end` };
  return readIndex(bytes);
}

/** What of an export is not as it was written. */
async function faultIn({ blobs }: PortableIndex, manifest: Manifest, from: BlobStore): Promise<string | undefined> {
  const listed = new Set(blobs.map(({ name }) => name));
  const unlisted = liveNames(manifest, Number.POSITIVE_INFINITY).find((name) => !listed.has(name));
  if (unlisted !== undefined) return `its ${PORTABLE_INDEX} is damaged: it lists no file for blob ${unlisted}`;
  for (const blob of blobs) {
    const fault = faultOf(blob, await contentOf(from, blob.file));
    if (fault !== undefined) return `${blob.file} (blob ${blob.name}) ${fault}: the export is damaged, export the savepoint again`;
  }
  return undefined;
}

function faultOf({ bytes, sha256 }: PortableBlob, content: Buffer | undefined): string | undefined {
  if (content === undefined) return 'is missing';
  if (content.length !== bytes) return `has ${content.length} bytes, and was written with ${bytes}`;
  return sha256Of(content) === sha256 ? undefined : 'has another content than was written';
}

async function contentOf(from: BlobStore, file: string): Promise<Buffer | undefined> {
  try {
    return await from.get(file);
  } catch (error) {
    if (error instanceof BlobMissingError) return undefined;
    throw error;
  }
}

/** The row, which keeps the blobs that are to come; that of an import of the same that died. Undefined: the name is taken. */
async function rowOf(deps: Deps, job: string, name: string, index: PortableIndex, manifest: Manifest): Promise<Savepoint | undefined> {
  const known = await deps.epochs.readSavepoint(job, name);
  if (known !== undefined) return known.standing === 'importing' && known.decisionId === index.decisionId ? known : undefined;
  const incarnation = deps.random.id().slice(0, 8);
  const { epoch, decisionId, fingerprint, maxParallelism } = index;
  const own = { job, incarnation, epoch };
  const moved = movedTo(own, manifest);
  const row: Savepoint = {
    ...{ ...own, name, id: deps.random.id(), standing: 'importing', createdAtMs: deps.clock.now() },
    ...{ decisionId, fingerprint, maxParallelism },
    manifest: fitsRow(moved) ? { at: 'row', manifest: moved } : manifestToCome(own, deps.random),
  };
  return (await deps.epochs.importSavepoint(row)) === 'created' ? row : undefined;
}

/** The manifest with the names that its blobs have there. */
function movedTo(own: Pick<Savepoint, 'job' | 'incarnation'>, manifest: Manifest): Manifest {
  const { job, incarnation } = own;
  const moved = (ref: BlobRef): BlobRef => (ref.at === 'store' ? { ...ref, name: nameIn(own, ref.name) } : ref);
  const state = Object.entries(manifest.state).map(
    ([uid, subtasks]) =>
      [
        uid,
        subtasks.map((snapshot) => ({
          ...snapshot,
          ...(snapshot.base !== undefined && { base: moved(snapshot.base) }),
          deltas: snapshot.deltas.map(moved),
        })),
      ] as const,
  );
  return { ...manifest, job, incarnation, state: byName(state), outputs: {}, committables: [] };
}

/** Behind job and incarnation a blob is called as it was: nonces keep blobs of several incarnations apart. */
function nameIn({ job, incarnation }: Pick<Savepoint, 'job' | 'incarnation'>, name: string): string {
  return [job, incarnation, ...name.split('/').slice(2)].join('/');
}
