/**
 * Nanoseconds an entry of a map state, and its bytes: `node --expose-gc bench/micro/map-state.ts [name part]`. One key with few and with
 * many entries of 8 bytes of key and 8 of value.
 */
import { murmur2 } from '../../lib/format/murmur2.ts';
import type { Serde } from '../../lib/format/serde.ts';
import { int64 } from '../../lib/format/serdes.ts';
import type { MapState } from '../../lib/state/columns/map.ts';
import { StateSet } from '../../lib/state/state-set.ts';
import { measure } from './measure.ts';

const KEY = Buffer.from('key');
const CHANGED = 1_000;

let sink = 0;
for (const entries of [100, 10_000, 1_000_000]) {
  // The same, in an order that is none.
  const ids = Array.from({ length: entries }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 0);
  const rounds = Math.max(2, Math.round(2_000_000 / entries));
  const state = newState();
  const heap = heapBytes();
  const map = at(state);
  for (const id of ids) map.set(id, id);
  const base = Buffer.concat(state.takeBase());
  const name = `${entries} entries`;
  if (heap !== undefined) console.log(`${name}: ${(((heapBytes() ?? 0) - heap) / entries).toFixed(0)} bytes an entry`);
  let start = 0;
  const some = (work: (id: number) => void) => {
    at(state);
    // All over the map.
    for (let index = 0; index < CHANGED; index++) work(ids[(start + index * 7919) % entries] as number);
    start++;
  };
  measure(
    `${name}: get`,
    CHANGED,
    0,
    () =>
      some((id) => {
        sink += map.get(id) ?? 0;
      }),
    100,
  );
  measure(
    `${name}: set, and take the delta`,
    CHANGED,
    0,
    () => {
      some((id) => map.set(id, start));
      sink += Buffer.concat(state.takeDelta()).length;
    },
    100,
  );
  measure(
    `${name}: go through the keys`,
    entries,
    0,
    () => {
      at(state);
      for (const key of map.keys()) sink += key;
    },
    rounds,
  );
  measure(
    `${name}: set one that is new, and meet the first`,
    1,
    0,
    () => {
      at(state);
      map.set(-1 - start++, 1);
      sink += map.keys().next().value ?? 0;
    },
    1_000,
  );
  measure(
    `${name}: take the base`,
    entries,
    base.length,
    () => {
      sink += state.takeBase().length;
    },
    rounds,
  );
  measure(
    `${name}: load the base`,
    entries,
    base.length,
    () => {
      const loaded = newState();
      loaded.load([base]);
      sink += loaded.size;
    },
    rounds,
  );
}
if (sink === 0.5) console.log(sink);

function newState(): StateSet {
  return new StateSet({
    uid: 'bench',
    states: [{ kind: 'map', name: 'map', serdes: [int64 as Serde<unknown>, int64 as Serde<unknown>] }],
    maxParallelism: 128,
    keyGroups: { first: 0, last: 127 },
  });
}

function at(state: StateSet): MapState<number, number> {
  state.keys.current = state.keys.numberOf(KEY, 0, KEY.length, murmur2(KEY, 0, KEY.length));
  return state.handles['map'] as MapState<number, number>;
}

function heapBytes(): number | undefined {
  if (globalThis.gc === undefined) return undefined;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
