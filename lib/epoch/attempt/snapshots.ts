import type { KeyGroupRange, SnapshotRef } from '../../protocol/references.ts';

/** A subtask's snapshot before any record: no blob, and said so; a missing blob is never taken for it. */
export function emptySnapshot(keyGroups: KeyGroupRange): SnapshotRef {
  return { id: 'empty', keyGroups, base: undefined, deltas: [] };
}

/** The snapshots that together hold a subtask's key groups: its own, or after a change of parallelism several. */
export function snapshotsFor(range: KeyGroupRange, snapshots: readonly SnapshotRef[] | undefined): SnapshotRef[] {
  if (snapshots === undefined) return [emptySnapshot(range)];
  return snapshots.filter(({ keyGroups }) => keyGroups.first <= range.last && keyGroups.last >= range.first);
}

/** Is this subtask's state what the one snapshot says, so that an epoch without input for it need not run it? */
export function isUnchanged(range: KeyGroupRange, snapshots: readonly SnapshotRef[]): boolean {
  const [only] = snapshots;
  return snapshots.length === 1 && only?.keyGroups.first === range.first && only.keyGroups.last === range.last;
}
