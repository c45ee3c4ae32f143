import { expect, it } from 'vitest';
import { isUnchanged, snapshotsFor } from '../../../lib/epoch/attempt/snapshots.ts';
import { keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';

const KEY_GROUPS = 8;
const range = (first: number, last: number) => ({ first, last });
/** The snapshots of an operator with so many subtasks. */
const snapshots = (parallelism: number): SnapshotRef[] =>
  Array.from({ length: parallelism }, (_, subtask) => ({
    ...{ id: `${subtask}/${parallelism}`, base: undefined, deltas: [] },
    keyGroups: keyGroupRange(subtask, parallelism, KEY_GROUPS),
  }));
const ids = (first: number, last: number, from: number) => snapshotsFor(range(first, last), snapshots(from)).map(({ id }) => id);

it('a subtask that has never run begins with an empty snapshot of its key groups', () => {
  expect(snapshotsFor(range(2, 3), undefined)).toEqual([{ id: 'empty', keyGroups: range(2, 3), base: undefined, deltas: [] }]);
});

it('after a change of parallelism a subtask begins with each snapshot that has one of its key groups, and with no other', () => {
  expect(ids(0, 7, 1)).toEqual(['0/1']);
  expect(ids(0, 7, 2)).toEqual(['0/2', '1/2']);
  expect(ids(4, 7, 2)).toEqual(['1/2']);
  expect(ids(2, 3, 2)).toEqual(['0/2']);
  expect(ids(2, 4, 4)).toEqual(['1/4', '2/4']);
});

it('a subtask may have a single key group', () => {
  for (let group = 0; group < KEY_GROUPS; group++) {
    expect(ids(group, group, KEY_GROUPS)).toEqual([`${group}/8`]);
    expect(ids(group, group, 4)).toEqual([`${Math.floor(group / 2)}/4`]);
  }
});

it('a state is unchanged without input where one snapshot has the key groups of the subtask, and no others', () => {
  const [left, right] = snapshots(2) as [SnapshotRef, SnapshotRef];
  expect(isUnchanged(range(0, 3), [left])).toBe(true);
  expect(isUnchanged(range(0, 3), [left, right])).toBe(false);
  expect(isUnchanged(range(0, 7), [left])).toBe(false);
  expect(isUnchanged(range(0, 3), [])).toBe(false);
  expect(isUnchanged(range(4, 7), snapshots(1))).toBe(false);
  expect(isUnchanged(range(0, 3), snapshots(1))).toBe(false);
});
