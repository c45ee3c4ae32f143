import type { UploadStore } from '../../ports/uploads.ts';
import type { Uploaded } from './committable.ts';
import { bytesOf, type PlannedFile } from './cut-files.ts';
import type { FileFormat } from './spec.ts';

/** Of all but the last part. S3 takes none below 5 MiB, and 10,000 of them at most. */
const PART_BYTES = 16 * 1024 * 1024;
/** Files that are worked on at once. */
const AT_ONCE = 8;

/** By what files are made, and where they go. */
export interface FileWriter {
  readonly store: UploadStore;
  /** The sink's in this process. Undefined: the job's code is not here. */
  readonly format: FileFormat<unknown> | undefined;
}

/** Does `work` for each, a few at once, and answers in their order. The first that fails is thrown when no other is under way. */
export async function forEachFile<T, R>(all: readonly T[], work: (one: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Map<number, R>();
  const faults: unknown[] = [];
  let next = 0;
  const take = async () => {
    while (next < all.length && faults.length === 0) {
      const index = next++;
      await work(all[index] as T, index).then(
        (result) => results.set(index, result),
        (fault: unknown) => faults.push(fault),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, take));
  if (faults.length > 0) throw faults[0];
  return all.map((_, index) => results.get(index) as R);
}

/** Uploads a file as far as that nobody sees it. `begun` is told what there is to abort, as soon as there is. */
export async function uploadFile({ store, format }: FileWriter, file: PlannedFile, begun: (upload: string) => void): Promise<Uploaded> {
  const { key, codec, rows } = file;
  return uploadBytes(store, { key, contentType: codec.contentType, rows, bytes: await bytesOf(file, format) }, begun);
}

export async function uploadBytes(
  store: UploadStore,
  {
    key,
    contentType,
    rows,
    bytes,
  }: { readonly key: string; readonly contentType: string; readonly rows: number; readonly bytes: Uint8Array },
  begun: (upload: string) => void,
): Promise<Uploaded> {
  const upload = await store.begin(key, contentType);
  begun(upload);
  const parts: string[] = [];
  for (let start = 0; start < bytes.length || parts.length === 0; start += PART_BYTES)
    parts.push(await store.part(key, upload, parts.length + 1, bytes.subarray(start, start + PART_BYTES)));
  return { key, upload, parts, bytes: bytes.length, rows };
}
