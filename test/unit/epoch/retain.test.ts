import { describe, expect, test } from 'vitest';
import { epochsToRetire, isGarbage, liveNames } from '../../../lib/epoch/garbage/retain.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { blobName } from '../../../lib/storage/blobs.ts';

const place = { job: 'job', incarnation: 'inc', stage: 'count', subtask: 0 };
const name = (folder: string, epoch: number, nonce = 'ab') => blobName({ ...place, epoch }, folder, nonce);
const stored = (blob: string): BlobRef => ({ at: 'store', name: blob, bytes: 1 });

function manifest(epoch: number, state: readonly string[], outputs: readonly string[]): Manifest {
  const [base, ...deltas] = state.map(stored);
  return {
    version: 3,
    job: 'job',
    incarnation: 'inc',
    epoch,
    decisionId: `d${epoch}`,
    parentDecisionId: undefined,
    offsets: {},
    state: { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base, deltas }] },
    outputs: { write: [outputs.map(stored)] },
    committables: [],
  };
}

describe('what may be deleted', () => {
  test('the newest ONCEFLOW_RETAINED_CHECKPOINTS committed epochs are retained, older ones retire in order', () => {
    expect(epochsToRetire(4, 9, 3)).toEqual([5, 6]);
    expect(epochsToRetire(-1, 3, 3)).toEqual([0]);
    expect(epochsToRetire(6, 9, 3)).toEqual([]);
    expect(epochsToRetire(-1, 1, 3)).toEqual([]);
  });

  test('a snapshot that a live manifest names is kept, however old', () => {
    const base = name('state/count', 1);
    const live = new Set(liveNames(manifest(9, [base, name('state/count', 8)], []), 9));
    expect(isGarbage(base, { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live })).toBe(false);
    expect(isGarbage(name('state/count', 1, 'cd'), { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live })).toBe(true);
  });

  test('staged output is kept until its epoch is COMMITTED, and no longer', () => {
    const output = name('output', 9);
    const decided = manifest(9, [], [output]);
    expect(isGarbage(output, { incarnation: 'inc', lastCompleted: 9, lastCommitted: 8, live: new Set(liveNames(decided, 8)) })).toBe(false);
    expect(isGarbage(output, { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live: new Set(liveNames(decided, 9)) })).toBe(true);
  });

  test('nothing of an epoch that is under way is deleted', () => {
    for (const folder of ['exchange', 'output', 'state/count', 'manifest']) {
      expect(isGarbage(name(folder, 10), { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live: new Set() })).toBe(false);
    }
  });

  test('blobs of attempts that failed go once their epoch is completed', () => {
    expect(isGarbage(name('state/count', 9, 'ff'), { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live: new Set() })).toBe(true);
    expect(isGarbage(name('exchange', 9, 'ff'), { incarnation: 'inc', lastCompleted: 9, lastCommitted: 8, live: new Set() })).toBe(false);
  });

  test('a name that is not ours is never deleted', () => {
    expect(isGarbage('job/inc/notes.txt', { incarnation: 'inc', lastCompleted: 9, lastCommitted: 9, live: new Set() })).toBe(false);
  });
});
