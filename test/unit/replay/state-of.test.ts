import { expect, it } from 'vitest';
import {
  defineJob,
  int64,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import { keyGroupOf, keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import { compareState } from '../../../lib/replay/compare-state.ts';
import { overlayOf } from '../../../lib/replay/read-only.ts';
import { readStates } from '../../../lib/replay/read-state.ts';
import { chunksOf, loadChunk, type StateOwner, stateOwners } from '../../../lib/replay/state-of.ts';
import type { ListState } from '../../../lib/state/columns/list.ts';
import type { MapState } from '../../../lib/state/columns/map.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { StateSet } from '../../../lib/state/state-set.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';

const MAX_PARALLELISM = 16;
const NOW = 1_000;

const job = defineJob('visits', (draft) => {
  draft
    .source('read', kafkaSource({ topic: 'lines', value: utf8, eventTime: { maxOutOfOrdernessMs: 0 } }))
    .keyBy((line) => line, utf8)
    .process('visit', {
      state: {
        last: valueState(int64, 0),
        places: listState(utf8),
        byPlace: mapState(utf8, int64),
        fading: withTtl(valueState(int64, 0), { ttlMs: 100 }),
      },
      onRecord(_line, _state, _out: Output<string>, { timers }) {
        timers.setEventTime(0);
      },
      onTimer() {},
    })
    .sink('write', kafkaSink({ topic: 'visits', value: utf8 }));
});
const [owner] = stateOwners(job) as [StateOwner];

interface Visits {
  readonly last: ValueState<number>;
  readonly places: ListState<string>;
  readonly byPlace: MapState<string, number>;
  readonly fading: ValueState<number>;
}

const KEYS = Array.from({ length: 40 }, (_, index) => `key-${index}`);

let ids = 0;
const random = { id: () => (ids++).toString(16).padStart(32, '0'), fraction: () => 0 };
const store = overlayOf({ get: (name) => Promise.reject(new Error(name)) });
const blobs = createBlobs(store, random);

/** What so many subtasks keep of the keys, in a base and a delta. @param last what the value is of a key */
async function snapshotsAt(parallelism: number, last: (key: string) => number): Promise<SnapshotRef[]> {
  return Promise.all(
    Array.from({ length: parallelism }, async (_, subtask): Promise<SnapshotRef> => {
      const keyGroups = keyGroupRange(subtask, parallelism, MAX_PARALLELISM);
      const clock = { processingMs: NOW - 200 };
      const set = new StateSet({ uid: 'visit', states: owner.states, maxParallelism: MAX_PARALLELISM, keyGroups, clock });
      const visit = (key: string, change: (visits: Visits) => void) => {
        const bytes = Buffer.from(key);
        const hash = murmur2(bytes, 0, bytes.length);
        const group = keyGroupOf(hash, MAX_PARALLELISM);
        if (group < keyGroups.first || group > keyGroups.last) return;
        set.keys.current = set.keys.numberOf(bytes, 0, bytes.length, hash);
        change(set.handles as unknown as Visits);
      };
      for (const key of KEYS)
        visit(key, ({ last: value, places, byPlace, fading }) => {
          value.set(1);
          places.add('here');
          byPlace.set('here', 1);
          fading.set(7);
          set.timers?.set('event', 50);
        });
      const place = { job: 'visits', incarnation: 'i', stage: 'visit', subtask, epoch: 1 };
      const base = await blobs.write(place, 'state/visit', 'state', set.takeBase(), 0);
      for (const key of KEYS)
        visit(key, ({ last: value, places }) => {
          value.set(last(key));
          places.add('there');
        });
      const delta = await blobs.write({ ...place, epoch: 2 }, 'state/visit', 'state', set.takeDelta(), 0);
      return { id: `s${subtask}`, keyGroups, base, deltas: [delta] };
    }),
  );
}

const reading = { blobs, maxParallelism: MAX_PARALLELISM, processingMs: NOW };

it('every kind of state is read of every key, whatever the parallelism, and what has expired is not there', async () => {
  const time = { processingMs: NOW, sources: {}, stages: {} };
  const all = await Promise.all(
    [1, 3].map(async (parallelism) => {
      const state = { visit: await snapshotsAt(parallelism, () => 2) };
      const entries = await Array.fromAsync(readStates({ blobs, maxParallelism: MAX_PARALLELISM }, [owner], { state, time }, {}));
      return entries.toSorted((one, other) => `${one.key} ${one.state}`.localeCompare(`${other.key} ${other.state}`));
    }),
  );
  expect(all[1]).toEqual(all[0]);
  expect(all[0]).toHaveLength(4 * KEYS.length);
  expect(all[0]?.filter(({ key }) => key === 'key-7')).toEqual([
    { operator: 'visit', key: 'key-7', state: '@timers', kind: 'timers', value: { event: [50], processing: [] } },
    { operator: 'visit', key: 'key-7', state: 'byPlace', kind: 'map', value: [['here', 1]] },
    { operator: 'visit', key: 'key-7', state: 'last', kind: 'value', value: 2 },
    { operator: 'visit', key: 'key-7', state: 'places', kind: 'list', value: ['here', 'there'] },
  ]);
});

it('two positions are compared key by key, also of two parallelisms, and all keys that differ are counted, the first of them shown', async () => {
  const one = { read: reading, state: { visit: await snapshotsAt(2, () => 2) } };
  const same = { read: reading, state: { visit: await snapshotsAt(3, () => 2) } };
  expect(await compareState(owner, one, same, 5)).toEqual({
    operator: 'visit',
    isBroadcast: false,
    keys: KEYS.length,
    otherKeys: KEYS.length,
    differing: 0,
    byKey: [],
  });
  const other = { read: reading, state: { visit: await snapshotsAt(3, (key) => (key.endsWith('5') ? 3 : 2)) } };
  const found = await compareState(owner, one, other, 2);
  expect(found).toMatchObject({ differing: 4 });
  expect(found.byKey).toHaveLength(2);
  expect(found.byKey[0]?.states).toEqual([{ state: 'last', one: 2, other: 3 }]);
  const nothing = await compareState(owner, one, { read: reading, state: {} }, 1);
  expect(nothing).toMatchObject({ keys: KEYS.length, otherKeys: 0, differing: KEYS.length });
});

it('key groups are read in as many parts as it takes, and the parts are all of it', async () => {
  const snapshots = await snapshotsAt(2, () => 2);
  const [whole] = await Promise.all([loadChunk(reading, owner, snapshots, { first: 0, last: MAX_PARALLELISM - 1 })]);
  const parts = await Promise.all([
    loadChunk(reading, owner, snapshots, { first: 0, last: 10 }),
    loadChunk(reading, owner, snapshots, { first: 11, last: 15 }),
  ]);
  expect(new Map(parts.flatMap(({ entries }) => [...entries]))).toEqual(whole?.entries);
  const large = {
    id: 'l',
    keyGroups: { first: 0, last: 15 },
    base: { at: 'store', name: 'b', bytes: 100 * 1024 * 1024 } as const,
    deltas: [],
  };
  expect(chunksOf([large], MAX_PARALLELISM)).toEqual([
    { first: 0, last: 3 },
    { first: 4, last: 7 },
    { first: 8, last: 11 },
    { first: 12, last: 15 },
  ]);
  expect(chunksOf(snapshots, MAX_PARALLELISM)).toEqual([{ first: 0, last: 15 }]);
  // No more parts than key groups.
  expect(chunksOf([large], 2)).toEqual([
    { first: 0, last: 0 },
    { first: 1, last: 1 },
  ]);
});
