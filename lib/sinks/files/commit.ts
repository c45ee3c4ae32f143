import { StoreProblem } from '../../ports/store-problem.ts';
import type { UploadStore } from '../../ports/uploads.ts';
import { type CommitPermit, checkCovered } from '../../protocol/permit.ts';
import type { CommitOutcome } from '../connector.ts';
import type { FilesCommittable, Uploaded } from './committable.ts';
import { forEachFile } from './upload.ts';

/**
 * Has prepared files appear, in whichever process and however often. A file of that name that is there already is one that an earlier try
 * has completed: no other job makes such a name, and no other attempt of the epoch is ever completed.
 */
export async function commitFiles(store: UploadStore, permit: CommitPermit, committable: FilesCommittable): Promise<CommitOutcome> {
  checkCovered(committable, permit);
  const { files, manifest, location } = committable;
  try {
    const doubts = (await forEachFile(files, (file) => complete(store, file))).filter((doubt) => doubt !== undefined);
    // Whoever sees the list sees its files.
    if (doubts.length === 0 && manifest !== undefined) doubts.push(...listOf(await complete(store, manifest)));
    const [first] = doubts;
    return first === undefined
      ? { outcome: 'committed' }
      : { outcome: 'doubtful', why: `${doubts.length} of ${files.length} files in ${location} did not appear: ${first}` };
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return { outcome: 'doubtful', why: error.message, refused: !error.retriable };
  }
}

/** Undefined: it is there. */
async function complete(store: UploadStore, { key, upload, parts, bytes }: Uploaded): Promise<string | undefined> {
  const completed = await store.complete(key, upload, parts);
  if (completed === 'completed') return undefined;
  const size = await store.sizeOf(key);
  if (size !== bytes)
    return size === undefined ? `the upload of ${key} is gone` : `${key} is there with ${size} bytes, and should have ${bytes}`;
  // Of two uploads of one file the other was completed.
  if (completed === 'exists') await store.abort(key, upload);
  return undefined;
}

function listOf(doubt: string | undefined): string[] {
  return doubt === undefined ? [] : [doubt];
}
