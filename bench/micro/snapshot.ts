/**
 * Nanoseconds a key of keyed state: `npx node bench/micro/snapshot.ts [name part]`. A key is met, changed, written in a delta
 * or a base, and read again; of states with few and with many keys, which differ in what the processor's caches hold.
 */
import { murmur2 } from '../../lib/format/murmur2.ts';
import type { Serde } from '../../lib/format/serde.ts';
import { int64 } from '../../lib/format/serdes.ts';
import type { ValueState } from '../../lib/state/columns/value.ts';
import { StateSet } from '../../lib/state/state-set.ts';
import { measure } from './measure.ts';

const MAX_PARALLELISM = 128;
const CHANGED = 10_000;
const DELTA_ROUNDS = 60;

let sink = 0;
for (const keys of [10_000, 100_000, 1_000_000]) {
  const state = newState();
  const handle = state.handles['count'] as ValueState<number>;
  const ids = Array.from({ length: keys }, (_, index) => {
    const bytes = Buffer.from(`key-${index}`);
    return { bytes, hash: murmur2(bytes, 0, bytes.length) };
  });
  const change = (start: number, count: number) => {
    for (let index = 0; index < count; index++) {
      // All over the state.
      const id = ids[(start + index * (keys / count)) % keys];
      if (id === undefined) continue;
      state.keys.current = state.keys.numberOf(id.bytes, 0, id.bytes.length, id.hash);
      handle.update((count) => Number(count) + 1);
    }
  };
  change(0, keys);
  const base = Buffer.concat(state.takeBase());
  const name = `${keys} keys`;
  let start = 0;
  measure(
    `${name}: meet and change ${CHANGED}, and take the delta`,
    CHANGED,
    0,
    () => {
      change(start++, CHANGED);
      sink += state.takeDelta().length;
    },
    DELTA_ROUNDS,
  );
  // Many rounds of the whole state would take minutes.
  const rounds = Math.max(2, Math.round(1_500_000 / keys));
  measure(
    `${name}: take the base (${(base.length / keys).toFixed(1)} bytes a key)`,
    keys,
    base.length,
    () => {
      sink += state.takeBase().length;
    },
    rounds,
  );
  measure(
    `${name}: load the base`,
    keys,
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
    states: [{ kind: 'value', name: 'count', serdes: [int64 as Serde<unknown>], initial: 0 }],
    maxParallelism: MAX_PARALLELISM,
    keyGroups: { first: 0, last: MAX_PARALLELISM - 1 },
  });
}
