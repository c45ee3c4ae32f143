import type { Manifest } from '../../protocol/manifest.ts';
import { type BlobRef, blobsOf } from '../../protocol/references.ts';
import { epochOfBlob } from '../../storage/blobs.ts';

/**
 * Epochs whose manifests are to be marked RETIRED, ascending: COMMITTED ones behind the newest `retained`. An incarnation
 * numbers its epochs from 0 without a gap, so nobody has to be asked which there are.
 */
export function epochsToRetire(retiredThrough: number, lastCommitted: number, retained: number): number[] {
  const first = retiredThrough + 1;
  return Array.from({ length: Math.max(0, lastCommitted - retained - retiredThrough) }, (_, index) => first + index);
}

/** Every stored blob that a manifest needs: snapshots always, staged output only until the epoch is COMMITTED. */
export function liveNames(manifest: Manifest, lastCommitted: number): string[] {
  const snapshots = Object.values(manifest.state).flat().flatMap(blobsOf);
  const outputs = manifest.epoch > lastCommitted ? Object.values(manifest.outputs).flat(2) : [];
  return [...snapshots, ...outputs].flatMap(storedName);
}

function storedName(ref: BlobRef): string[] {
  return ref.at === 'store' ? [ref.name] : [];
}

export interface GarbageFacts {
  /** From the job row, read before the live manifests. */
  readonly lastCompleted: number;
  readonly lastCommitted: number;
  /** In which the job is; one that it has left for a savepoint it never comes back to. */
  readonly incarnation: string;
  /** Names that savepoints keep, and that manifests which are not RETIRED refer to, read after the retiring writes. */
  readonly live: Pick<ReadonlySet<string>, 'has'>;
}

/**
 * May this blob be deleted? Only on irrevocable facts (docs/protocol.md). Exchanges and staged output of N: N is COMMITTED, and
 * commits are in epoch order. Snapshots and manifests of epochs ≤ lastCompleted: no live manifest names them, and none
 * ever will, because what a later manifest names is newer or was in the live manifest it descends from. Blobs of later
 * epochs may belong to an attempt that is under way. Of an incarnation that the job has left no attempt counts any more.
 */
export function isGarbage(name: string, facts: GarbageFacts): boolean {
  const epoch = epochOfBlob(name);
  if (epoch === undefined || facts.live.has(name)) return false;
  if (name.split('/')[1] !== facts.incarnation) return true;
  return epoch <= (isPassing(name) ? facts.lastCommitted : facts.lastCompleted);
}

/** Exchanges and staged output: no manifest needs them when their epoch is COMMITTED, and no savepoint ever. */
export function isPassing(name: string): boolean {
  return /^[^/]+\/[^/]+\/(exchange|output)\//.test(name);
}
