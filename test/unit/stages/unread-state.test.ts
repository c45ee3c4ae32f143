import { expect, it } from 'vitest';
import { sealBlob } from '../../../lib/format/blob.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { int64 } from '../../../lib/format/serdes.ts';
import type { BlobStore, ByteRange } from '../../../lib/ports/blob-store.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import { UnreadState } from '../../../lib/stages/unread-state.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { StateMemory } from '../../../lib/state/state-memory.ts';
import { StateSet } from '../../../lib/state/state-set.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';

const GROUPS = 16;
const KEYS = 800;
const states = [{ kind: 'value' as const, name: 'n', serdes: [int64 as Serde<unknown>] as const, initial: 0 }];
const of = { uid: 'op', states, maxParallelism: GROUPS, keyGroups: { first: 0, last: GROUPS - 1 } };

function countAll(state: StateSet): void {
  for (let nth = 0; nth < KEYS; nth++) {
    const key = Buffer.from(`key-${nth}`);
    state.keys.current = state.keys.numberOf(key, 0, key.length, murmur2(key, 0, key.length));
    (state.handles['n'] as ValueState<number, number>).update((n) => n + 1);
  }
  state.takeBack();
}

it('is read in slices that are no larger, with all their blobs, than what may be in memory besides the bound', async () => {
  const stored = new Map<string, Buffer>();
  const ranges: number[] = [];
  const store = {
    get: async (name: string, range?: ByteRange) => {
      const bytes = stored.get(name) ?? Buffer.alloc(0);
      if (range === undefined) return bytes;
      ranges.push(range.end - range.start);
      return bytes.subarray(range.start, range.end);
    },
  } as unknown as BlobStore;
  const put = (name: string, parts: readonly Buffer[]): BlobRef => {
    stored.set(name, Buffer.concat(sealBlob('state', [...parts])));
    return { at: 'store', name, bytes: stored.get(name)?.length ?? 0 };
  };
  const before = new StateSet(of);
  countAll(before);
  const base = put('job/i/state/op/op-0-000000000001-a', before.takeBase());
  countAll(before);
  const delta = put('job/i/state/op/op-0-000000000002-b', before.takeDelta());

  const baseBytes = stored.get('job/i/state/op/op-0-000000000001-a')?.length ?? 0;
  /** Of base and delta together it is about three key groups. */
  const sliceBytes = Math.round((3.5 * 2 * baseBytes) / GROUPS);
  const after = new StateSet({ ...of, memory: new StateMemory({ boundBytes: 8 * sliceBytes, openRows: openSpilledRows }) });
  const blobs = createBlobs(store, { id: () => 'a', fraction: () => 0 });
  const unread = new UnreadState({ blobs, inlineBlobBytes: 100 }, GROUPS);
  await unread.leave(after, [{ id: 's', keyGroups: of.keyGroups, base, deltas: [delta] }]);
  ranges.length = 0;
  await unread.readAll(after);

  const slices = Array.from({ length: ranges.length / 2 }, (_, nth) => (ranges[2 * nth] ?? 0) + (ranges[2 * nth + 1] ?? 0));
  expect(slices.length).toBeGreaterThan(3);
  expect(slices.length).toBeLessThan(GROUPS);
  expect(Math.max(...slices)).toBeLessThanOrEqual(sliceBytes);
  const key = Buffer.from('key-7');
  expect(after.read(key, murmur2(key, 0, key.length))).toEqual({ n: 2 });
  after.close();
});
