import type { BlobRef, SnapshotRef } from '../protocol/references.ts';
import { inlineBytes } from '../stages/inline.ts';
import { readSnapshot } from '../state/snapshot/reader.ts';
import { storedStates } from '../state/stored-state.ts';
import type { Blobs } from '../storage/blobs.ts';
import { keyShown } from './compare-state.ts';
import type { StateOwner } from './state-of.ts';

/** How often keys have changed lately: in how many of the deltas each is that its subtask's newest snapshot has behind its base. */
export interface HotKeys {
  /** Deltas that were read: each is an epoch in which a subtask's state has changed. */
  readonly deltas: number;
  /** Not all were. */
  readonly isPart: boolean;
  /** The hottest first. */
  readonly keys: readonly HotKey[];
}

export interface HotKey {
  readonly key: unknown;
  readonly deltas: number;
}

/** @param mostBytes of deltas: the newest of each subtask come first, and no base is read @param most so many keys are told */
export async function hotKeys(
  blobs: Pick<Blobs, 'read'>,
  owner: StateOwner,
  snapshots: readonly SnapshotRef[],
  { mostBytes, most }: { readonly mostBytes: number; readonly most: number },
): Promise<HotKeys> {
  const all = newestFirst(snapshots);
  const taken = withinBytes(all, mostBytes);
  const stored = storedStates(owner.states);
  const counts = new Map<string, number>();
  for (const { ref, keyGroups } of taken) {
    readSnapshot(await blobs.read('state', ref), owner.name, stored, keyGroups, ({ bytes, start, end }) => {
      const id = bytes.toString('latin1', start, end);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    });
  }
  const hottest = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, most);
  return {
    deltas: taken.length,
    isPart: taken.length < all.length,
    keys: hottest.map(([id, deltas]) => ({ key: keyShown(owner, id), deltas })),
  };
}

interface Delta extends Pick<SnapshotRef, 'keyGroups'> {
  readonly ref: BlobRef;
  readonly age: number;
}

function newestFirst(snapshots: readonly SnapshotRef[]): Delta[] {
  const deltas = snapshots.flatMap(({ deltas: refs, keyGroups }) =>
    refs.map((ref, at): Delta => ({ ref, keyGroups, age: refs.length - at })),
  );
  return deltas.toSorted((one, other) => one.age - other.age);
}

function withinBytes(deltas: readonly Delta[], most: number): Delta[] {
  let left = most;
  return deltas.filter(({ ref }) => {
    left -= ref.at === 'inline' ? inlineBytes(ref) : ref.bytes;
    return left >= 0;
  });
}
