import { StoreProblem } from '../../ports/store-problem.ts';
import type { UploadStore } from '../../ports/uploads.ts';
import type { ResolveOutcome, SinkPlace, Staged } from '../connector.ts';
import { asCommittable, type FilesCommittable, type Uploaded, uploadsOf } from './committable.ts';
import { cutFiles } from './cut-files.ts';
import { stemOf } from './paths.ts';
import { manifestOf, stagedFilesOf, Uploads } from './prepare.ts';
import { type FileWriter, forEachFile } from './upload.ts';

/**
 * - `there`: readers see it.
 * - `open`: it is uploaded still; a commit has it appear.
 * - `lost`: neither; it is uploaded again.
 * - `taken`: a file of its name is there that is not it.
 */
type Fate = 'there' | 'open' | 'lost' | { readonly taken: number };

/** Finds out what became of a decided epoch's files, and uploads again what is lost. It completes nothing. */
export async function resolveFiles(
  writer: FileWriter,
  place: SinkPlace,
  committable: FilesCommittable,
  staged: Staged,
): Promise<ResolveOutcome> {
  const { sink, epoch, location } = committable;
  const { store } = writer;
  const uploads = new Uploads(writer);
  try {
    const fates = await forEachFile(uploadsOf(committable), async (file) => ({ file, fate: await fateOf(store, file) }));
    for (const { file, fate } of fates)
      if (typeof fate === 'object')
        return {
          outcome: 'refused',
          message: `${location}/${file.key} is there with ${fate.taken} bytes, and is not the file of ${file.bytes} bytes that epoch ${epoch} of sink ${sink} is to write: move it away`,
        };
    if (fates.some(({ fate }) => fate === 'lost')) {
      const fateByKey = new Map(fates.map(({ file, fate }) => [file.key, fate]));
      return { outcome: 'sent-again', committable: asCommittable(await uploadAgain(uploads, place, committable, fateByKey, staged)) };
    }
    if (fates.every(({ fate }) => fate === 'there')) return { outcome: 'committed' };
    return { outcome: 'unsettled', message: `files of epoch ${epoch} in ${location} are uploaded, and not completed` };
  } catch (error) {
    await uploads.abort();
    if (!(error instanceof StoreProblem)) throw error;
    return { outcome: error.retriable ? 'unsettled' : 'refused', message: error.message };
  }
}

async function fateOf(store: UploadStore, { key, upload, bytes }: Pick<Uploaded, 'key' | 'upload' | 'bytes'>): Promise<Fate> {
  const size = await store.sizeOf(key);
  if (size === bytes) return 'there';
  if (size !== undefined) return { taken: size };
  if (await store.isOpen(key, upload)) return 'open';
  // Completed between the two questions? An upload that is gone was completed, or never will be.
  return (await store.sizeOf(key)) === undefined ? 'lost' : fateOf(store, { key, upload, bytes });
}

/** The same files under the same names, of the same staged output: what appeared meanwhile all the same is the same. */
async function uploadAgain(
  uploads: Uploads,
  place: SinkPlace,
  committable: FilesCommittable,
  fates: ReadonlyMap<string, Fate>,
  staged: Staged,
): Promise<FilesCommittable> {
  const stem = stemOf(place);
  const planned = new Map(cutFiles(await stagedFilesOf(staged), stem).map((file) => [file.key, file]));
  const files = await forEachFile(committable.files, async (file) => {
    if (fates.get(file.key) !== 'lost') return file;
    const again = planned.get(file.key);
    if (again === undefined) throw new Error(`${file.key} is lost, and the staged output of epoch ${committable.epoch} has no such file`);
    return uploads.file(again);
  });
  const { manifest } = committable;
  if (manifest === undefined) return { ...committable, files };
  // Another build may compress the same rows to another size, and the list says sizes.
  const isAsListed = files.every(({ bytes }, index) => bytes === committable.files[index]?.bytes);
  const fate = fates.get(manifest.key);
  if (fate === 'there' || (fate === 'open' && isAsListed)) return { ...committable, files };
  return { ...committable, files, manifest: await uploads.bytes(manifestOf(place, stem, files)) };
}
