import type { Manifest } from '../protocol/manifest.ts';
import type { BlobRef } from '../protocol/references.ts';

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
    const refs = subtasks.flatMap(({ base, deltas }) => (base === undefined ? deltas : [base, ...deltas]));
    return {
      uid,
      subtasks: subtasks.length,
      blobs: refs.filter(({ at }) => at === 'store').length,
      bytes: refs.reduce((sum, ref) => sum + bytesIn(ref), 0),
    };
  });
}

function bytesIn(ref: BlobRef): number {
  return ref.at === 'store' ? ref.bytes : Buffer.byteLength(ref.base64, 'base64');
}
