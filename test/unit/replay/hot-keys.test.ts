import { expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, utf8, valueState } from '../../../lib/api/index.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { BlobRef, SnapshotRef } from '../../../lib/protocol/references.ts';
import { hotKeys } from '../../../lib/replay/hot-keys.ts';
import { type StateOwner, stateOwners } from '../../../lib/replay/state-of.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 };
const job = defineJob('counts', (draft) => {
  draft
    .source('read', kafkaSource({ topic: 'lines', value: utf8 }))
    .keyBy((line) => line, utf8)
    .process('count', { state: { count: valueState(int64, 0) }, onRecord() {} })
    .sink('write', kafkaSink({ topic: 'counts', value: utf8 }));
});
const [owner] = stateOwners(job) as [StateOwner];

/** A snapshot of a base and of a delta for each of these lists of keys, and what reads its blobs. */
function snapshotOf(epochs: readonly (readonly string[])[]) {
  const set = new StateSet({
    uid: 'count',
    states: owner.states,
    maxParallelism: MAX_PARALLELISM,
    keyGroups: WHOLE,
    clock: { processingMs: 0 },
  });
  const touch = (key: string) => {
    const bytes = Buffer.from(key);
    set.keys.current = set.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
    (set.handles as unknown as { readonly count: ValueState<number> }).count.update((count) => (count ?? 0) + 1);
  };
  const payloads = new Map<string, Buffer>();
  const kept = (parts: readonly Buffer[]): BlobRef => {
    const name = `blob-${payloads.size}`;
    const payload = Buffer.concat(parts);
    payloads.set(name, payload);
    return { at: 'store', name, bytes: payload.length };
  };
  for (const key of ['cold', 'warm', 'hot']) touch(key);
  const base = kept(set.takeBase());
  const deltas = epochs.map((keys) => {
    for (const key of keys) touch(key);
    return kept(set.takeDelta());
  });
  const asked: string[] = [];
  const read = async (_kind: string, ref: BlobRef) => {
    if (ref.at !== 'store') throw new Error('there is none inline');
    asked.push(ref.name);
    return payloads.get(ref.name) ?? Buffer.alloc(0);
  };
  const snapshot: SnapshotRef = { id: 's', keyGroups: WHOLE, base, deltas };
  return { snapshot, blobs: { read } as never, asked, bytes: deltas.map((ref) => (ref.at === 'store' ? ref.bytes : 0)) };
}

const EPOCHS = [['hot', 'hot'], ['hot', 'warm'], ['hot'], ['warm', 'new']];

it('the hottest keys are those that most deltas have, however often an epoch has changed them; no base is read', async () => {
  const { snapshot, blobs, asked } = snapshotOf(EPOCHS);
  expect(await hotKeys(blobs, owner, [snapshot], { mostBytes: 1_000_000, most: 3 })).toEqual({
    deltas: 4,
    isPart: false,
    keys: [
      { key: 'hot', deltas: 3 },
      { key: 'warm', deltas: 2 },
      { key: 'new', deltas: 1 },
    ],
  });
  expect(asked).not.toContain('blob-0');
});

it('of more bytes than may be read the newest deltas are, and it says so', async () => {
  const { snapshot, blobs, bytes } = snapshotOf(EPOCHS);
  const mostBytes = (bytes.at(-1) ?? 0) + (bytes.at(-2) ?? 0);
  expect(await hotKeys(blobs, owner, [snapshot], { mostBytes, most: 9 })).toMatchObject({ deltas: 2, isPart: true });
  const { keys } = await hotKeys(blobs, owner, [snapshot], { mostBytes, most: 9 });
  expect(new Set(keys.map(({ key }) => key))).toEqual(new Set(['hot', 'warm', 'new']));
  expect(keys.every(({ deltas }) => deltas === 1)).toBe(true);
  expect(await hotKeys(blobs, owner, [], { mostBytes, most: 9 })).toEqual({ deltas: 0, isPart: false, keys: [] });
});
