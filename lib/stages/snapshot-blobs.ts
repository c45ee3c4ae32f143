import { PAYLOAD_OFFSET } from '../format/blob.ts';
import { MalformedError } from '../protocol/malformed.ts';
import type { BlobRef, KeyGroupRange, SnapshotRef } from '../protocol/references.ts';
import { decodeHead, headBytes, partOf, type SnapshotHead, snapshotOfPart } from '../state/snapshot/head.ts';
import type { StoredRef } from '../storage/blobs.ts';
import type { StageDeps } from './common.ts';

/** A request costs about as much as reading this many blobs of the inline size: up to there a blob is read whole. */
const WHOLE_BLOBS = 16;
const LEAST_FIRST_BYTES = 64;

export interface ReadingDeps extends Pick<StageDeps, 'inlineBlobBytes'> {
  readonly blobs: Pick<StageDeps['blobs'], 'read' | 'readPart'>;
}

/**
 * A snapshot's payloads, its base and its deltas, oldest first, all read at once. When the snapshot is of more key groups
 * than `wanted`, as after a change of parallelism, a large blob is read in part: its head, and what is wanted of it.
 */
export function readSnapshotBlobs(deps: ReadingDeps, { keyGroups, base, deltas }: SnapshotRef, wanted: KeyGroupRange): Promise<Buffer[]> {
  const all = keyGroups.first >= wanted.first && keyGroups.last <= wanted.last;
  const refs = base === undefined ? deltas : [base, ...deltas];
  return Promise.all(refs.map((ref) => (all ? deps.blobs.read('state', ref) : readWanted(deps, ref, wanted))));
}

async function readWanted(deps: ReadingDeps, ref: BlobRef, wanted: KeyGroupRange): Promise<Buffer> {
  const blob = await openSnapshotBlob(deps, ref);
  return blob.head === undefined ? blob.payload : readGroups(deps, blob, wanted);
}

/** A blob of a snapshot, of which any key groups can be read: a small one as a whole; of a large one it is known where they are. */
export type OpenSnapshotBlob =
  | { readonly payload: Buffer; readonly head?: undefined }
  | { readonly ref: StoredRef; readonly head: SnapshotHead; readonly headEnd: number };

export async function openSnapshotBlob({ blobs, inlineBlobBytes }: ReadingDeps, ref: BlobRef): Promise<OpenSnapshotBlob> {
  if (ref.at === 'inline' || ref.bytes <= WHOLE_BLOBS * inlineBlobBytes) return { payload: await blobs.read('state', ref) };
  const start = await blobs.readPart('state', ref, 0, firstBytes(ref.bytes, inlineBlobBytes));
  const headEnd = headBytes(start, ref.name);
  if (headEnd > ref.bytes - PAYLOAD_OFFSET) throw new MalformedError(`${ref.name}: the head of the snapshot is larger than the blob`);
  const rest = headEnd <= start.length ? [] : [await blobs.readPart('state', ref, start.length, headEnd)];
  const { head } = decodeHead(Buffer.concat([start, ...rest]), ref.name);
  return { ref, head, headEnd };
}

/** A snapshot of these key groups alone. */
export async function readGroups(
  { blobs }: Pick<ReadingDeps, 'blobs'>,
  { ref, head, headEnd }: Extract<OpenSnapshotBlob, { readonly head: SnapshotHead }>,
  wanted: KeyGroupRange,
): Promise<Buffer> {
  const part = partOf(head, wanted);
  const bytes = part.end === part.start ? Buffer.alloc(0) : await blobs.readPart('state', ref, headEnd + part.start, headEnd + part.end);
  return snapshotOfPart(head, wanted, bytes, ref.name);
}

/** What the first request asks for: in most cases the whole head. `bytes`: of the blob, envelope included. */
function firstBytes(bytes: number, inlineBlobBytes: number): number {
  return Math.min(Math.max(inlineBlobBytes, LEAST_FIRST_BYTES), bytes - PAYLOAD_OFFSET);
}
