import type { Manifest } from '../protocol/manifest.ts';
import { type BlobRef, blobsOf, bytesOf, type SnapshotRef } from '../protocol/references.ts';

/** How much an operator keeps, as it is stored. */
export interface StateSize {
  readonly uid: string;
  readonly subtasks: number;
  /** In the blob store; the others are small, and in the manifest. */
  readonly blobs: number;
  /** Bases and deltas together. */
  readonly bytes: number;
}

/** By operator, from references alone: no blob is read. */
export function stateSizes(state: Manifest['state']): StateSize[] {
  return Object.entries(state).map(([uid, subtasks]) => {
    const refs = subtasks.flatMap(blobsOf);
    return {
      uid,
      subtasks: subtasks.length,
      blobs: refs.filter(({ at }) => at === 'store').length,
      bytes: sumOf(refs),
    };
  });
}

/** The subtask that keeps most: much more than the others, and keys or key groups are dealt out unevenly. */
export function largestSubtask(subtasks: readonly SnapshotRef[]): { readonly subtask: number; readonly bytes: number } {
  return subtasks
    .map((ref, subtask) => ({ subtask, bytes: sumOf(blobsOf(ref)) }))
    .reduce((one, other) => (other.bytes > one.bytes ? other : one), { subtask: 0, bytes: 0 });
}

function sumOf(refs: readonly BlobRef[]): number {
  return refs.reduce((sum, ref) => sum + bytesOf(ref), 0);
}
