import { type BlobKind, bytesOf, CorruptBlobError, openBlob, openBlobStart, PAYLOAD_OFFSET, sealBlob } from '../format/blob.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Random } from '../ports/clock.ts';
import type { BlobRef } from '../protocol/references.ts';

/** Names a blob for one invocation: the nonce makes it unique, so that two invocations never write the same name. */
export interface BlobPlace {
  readonly job: string;
  readonly incarnation: string;
  readonly stage: string;
  readonly subtask: number;
  readonly epoch: number;
}

/** Epoch numbers in names have this many digits, so that names sort by epoch. */
const EPOCH_DIGITS = 12;

export function blobName(place: BlobPlace, folder: string, nonce: string): string {
  const epoch = String(place.epoch).padStart(EPOCH_DIGITS, '0');
  return `${place.job}/${place.incarnation}/${folder}/${place.stage}-${place.subtask}-${epoch}-${nonce}`;
}

/** The epoch in a blob's name; undefined for names that are not ours. */
export function epochOfBlob(name: string): number | undefined {
  const digits = /-(\d{12})-[0-9a-f]+$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Reads and writes blobs in their sealed envelope; small ones travel inside the reference. */
export interface Blobs {
  write(place: BlobPlace, folder: string, kind: BlobKind, parts: readonly Uint8Array[], inlineUpToBytes: number): Promise<BlobRef>;
  read(kind: BlobKind, ref: BlobRef): Promise<Buffer>;
  /**
   * Bytes `start` … `end` - 1 of the payload of a stored blob. What they hold says whether they are whole: the blob's own
   * checksum covers more. Throws `CorruptBlobError` when it is too short.
   */
  readPart(kind: BlobKind, ref: StoredRef, start: number, end: number): Promise<Buffer>;
}

/** A reference to a blob in the store. */
export type StoredRef = Extract<BlobRef, { readonly at: 'store' }>;

export function createBlobs(store: BlobStore, random: Random): Blobs {
  return {
    async write(place, folder, kind, parts, inlineUpToBytes) {
      const sealed = sealBlob(kind, parts);
      const bytes = bytesOf(sealed);
      if (bytes <= inlineUpToBytes) return { at: 'inline', base64: Buffer.concat(sealed).toString('base64') };
      const name = blobName(place, folder, random.id());
      await store.put(name, ...sealed);
      return { at: 'store', name, bytes };
    },
    async read(kind, ref) {
      if (ref.at === 'inline') return openBlob(kind, Buffer.from(ref.base64, 'base64'), `inline ${kind}`);
      return openBlob(kind, await store.get(ref.name), ref.name);
    },
    async readPart(kind, { name }, start, end) {
      const range = { start: start === 0 ? 0 : PAYLOAD_OFFSET + start, end: PAYLOAD_OFFSET + end };
      const bytes = await store.get(name, range);
      if (bytes.length < range.end - range.start)
        throw new CorruptBlobError(name, kind, `it ends before byte ${range.end}, which is a part of it`);
      return start === 0 ? openBlobStart(kind, bytes, name) : bytes;
    },
  };
}
