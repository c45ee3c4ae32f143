import { expect, it } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { int64 } from '../../../lib/format/serdes.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { StateMemory } from '../../../lib/state/state-memory.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const BOUND_BYTES = 100_000;
const keyGroups = { first: 0, last: 15 };

function bounded(uid: string, memory: StateMemory): StateSet {
  const states = [{ kind: 'value' as const, name: 'n', serdes: [int64 as Serde<unknown>] as const, initial: 0 }];
  return new StateSet({ uid, states, maxParallelism: 16, keyGroups, memory });
}

const memoryOf = () => new StateMemory({ boundBytes: BOUND_BYTES, openRows: openSpilledRows });

/** As a segment with these keys does. */
function count(state: StateSet, keys: readonly string[]): void {
  state.forgetMet();
  state.makeRoom();
  const numbers = keys.map((key) => state.keys.numberOf(Buffer.from(key), 0, key.length, murmur2(Buffer.from(key), 0, key.length)));
  state.met(Uint32Array.from(numbers), numbers.length);
  for (const number of numbers) {
    state.keys.current = number;
    (state.handles['n'] as ValueState<number, number>).update((n) => n + 1);
  }
  state.takeBack();
}

const keysFrom = (first: number, end: number) => Array.from({ length: end - first }, (_, index) => `key-${first + index}`);

it('behind each delta the bound is kept, however many keys there are; what has changed since is in memory besides', () => {
  const memory = memoryOf();
  const state = bounded('op', memory);
  for (let first = 0; first < 20_000; first += 2_000) {
    count(state, keysFrom(first, first + 2_000));
    expect(state.keys.size).toBeGreaterThanOrEqual(2_000);
    state.takeDelta();
    expect(memory.usedBytes).toBeLessThanOrEqual(BOUND_BYTES);
    expect(state.keys.size).toBeLessThan(1_000);
    expect(state.size).toBe(first + 2_000);
  }
  // Numbers are given again: what is held by them does not grow.
  expect(state.keys.count).toBeLessThan(4_000);
});

it('operators of one subtask share the bound', () => {
  const memory = memoryOf();
  const [one, other] = [bounded('one', memory), bounded('other', memory)];
  for (const state of [one, other]) {
    count(state, keysFrom(0, 3_000));
    state.takeDelta();
  }
  count(one, keysFrom(5_000, 5_001));
  one.takeDelta();
  expect(memory.usedBytes).toBeLessThanOrEqual(BOUND_BYTES);
  expect(one.keys.size + other.keys.size).toBeLessThan(1_000);
});

it('keys that are met again and again stay in memory', () => {
  const state = bounded('op', memoryOf());
  const hot = keysFrom(0, 200);
  for (let round = 1; round < 20; round++) {
    count(state, [...hot, ...keysFrom(round * 1_000, round * 1_000 + 800)]);
    state.takeDelta();
  }
  expect(hot.filter((key) => isInMemory(state, key)).length).toBe(hot.length);
});

it('what a key takes is counted anew when it grows, and not at all when it is cleared', () => {
  const memory = memoryOf();
  const state = bounded('op', memory);
  count(state, keysFrom(0, 100));
  state.takeDelta();
  const before = memory.usedBytes;
  count(state, keysFrom(0, 100));
  state.takeDelta();
  expect(memory.usedBytes).toBe(before);
  count(state, keysFrom(0, 100));
  for (let number = 0; number < 100; number++) {
    state.keys.current = number;
    (state.handles['n'] as ValueState<number, number>).clear();
  }
  state.takeDelta();
  expect(memory.usedBytes).toBe(0);
});

it('state that was dropped takes nothing, in memory and on disk', () => {
  const memory = memoryOf();
  const state = bounded('op', memory);
  count(state, keysFrom(0, 5_000));
  state.takeDelta();
  state.drop();
  expect([memory.usedBytes, state.size]).toEqual([0, 0]);
});

function isInMemory(state: StateSet, key: string): boolean {
  const bytes = Buffer.from(key);
  return state.keys.find((murmur2(bytes, 0, bytes.length) & 0x7fffffff) % 16, key) !== undefined;
}
