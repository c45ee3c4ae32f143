import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { int64, utf8 } from '../../../lib/format/serdes.ts';
import { keyGroupOf, keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;

function newState(subtask = 0, parallelism = 1): StateSet {
  return new StateSet({
    uid: 'op',
    states: [
      { kind: 'value', name: 'count', serdes: [int64 as Serde<unknown>], initial: 0 },
      { kind: 'value', name: 'label', serdes: [utf8 as Serde<unknown>], initial: undefined },
    ],
    maxParallelism: MAX_PARALLELISM,
    keyGroups: keyGroupRange(subtask, parallelism, MAX_PARALLELISM),
  });
}

function at(state: StateSet, key: string) {
  const bytes = Buffer.from(key);
  state.keys.current = state.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
  const { count, label } = state.handles as Record<string, ValueState<unknown>>;
  if (count === undefined || label === undefined) throw new Error('no handles');
  return { count, label };
}

const joined = (parts: readonly Buffer[]) => Buffer.concat(parts);
const restored = (blobs: readonly Buffer[]) => {
  const state = newState();
  state.load(blobs);
  return state;
};

test('a key without a value reads the initial one, and reading it leaves nothing', () => {
  const state = newState();
  expect(at(state, 'a').count.get()).toBe(0);
  expect(at(state, 'a').label.get()).toBeUndefined();
  expect(state.size).toBe(0);
  expect(state.changed()).toBe(false);
});

test('update returns what it set', () => {
  const state = newState();
  expect(at(state, 'a').count.update((count) => Number(count) + 5)).toBe(5);
  expect(at(state, 'a').count.get()).toBe(5);
  expect(at(state, 'b').count.get()).toBe(0);
});

test('undefined cannot be set', () => {
  expect(() => at(newState(), 'a').count.set(undefined)).toThrow('use clear()');
});

test('a delta holds what changed since the last snapshot and nothing else', () => {
  const state = newState();
  for (let index = 0; index < 100; index++) at(state, `key-${index}`).count.set(index);
  const base = joined(state.takeBase());
  at(state, 'key-7').count.set(1000);
  const delta = joined(state.takeDelta());
  expect(delta.length).toBeLessThan(base.length / 20);
  expect(state.changed()).toBe(false);
  const copy = restored([base, delta]);
  expect(at(copy, 'key-7').count.get()).toBe(1000);
  expect(at(copy, 'key-8').count.get()).toBe(8);
  expect(copy.changed()).toBe(false);
});

test('a cleared key is a tombstone in the delta, costs nothing afterwards, and can come back', () => {
  const state = newState();
  at(state, 'a').count.set(1);
  at(state, 'a').label.set('x');
  const base = joined(state.takeBase());
  at(state, 'a').count.clear();
  expect(at(state, 'a').count.get()).toBe(0);
  const partial = joined(state.takeDelta());
  expect(at(restored([base, partial]), 'a').label.get()).toBe('x');
  at(state, 'a').label.clear();
  const tombstone = joined(state.takeDelta());
  expect(state.size).toBe(0);
  expect(restored([base, partial, tombstone]).size).toBe(0);
  at(state, 'a').count.set(9);
  expect(at(restored([base, partial, tombstone, joined(state.takeDelta())]), 'a').count.get()).toBe(9);
});

test('a base holds nothing of keys that were cleared', () => {
  const state = newState();
  at(state, 'kept').count.set(1);
  const base = joined(state.takeBase());
  at(state, 'gone').count.set(1);
  at(state, 'gone').count.clear();
  expect(joined(state.takeBase()).equals(base)).toBe(true);
});

test('clearing what is not there changes nothing', () => {
  const state = newState();
  at(state, 'a').count.clear();
  expect(state.changed()).toBe(false);
});

test('a key of another subtask is refused, not counted twice', () => {
  const state = newState(0, 2);
  const foreign = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find((key) => keyGroupOf(murmur2(Buffer.from(key), 0, 1), MAX_PARALLELISM) >= 8);
  if (foreign === undefined) throw new Error('no key of the other half');
  expect(() => at(state, foreign)).toThrow(/key group \d+ came to the subtask of key groups 0 to 7/);
});

type Step = { readonly key: string; readonly do: 'count' | 'label' | 'clear' };
const step = fc.record({
  key: fc.constantFrom('a', 'b', 'ü', '語', 'key-5', 'key-6', 'key-7', ''),
  do: fc.constantFrom('count' as const, 'label' as const, 'clear' as const),
});

function apply(state: StateSet, model: Map<string, { count?: number; label?: string }>, { key, do: what }: Step): void {
  const { count, label } = at(state, key);
  const entry = model.get(key) ?? {};
  if (what === 'count') {
    entry.count = (entry.count ?? 0) + 1;
    count.update((value) => Number(value) + 1);
  } else if (what === 'label') {
    entry.label = `${key}!`;
    label.set(`${key}!`);
  } else {
    entry.count = undefined;
    entry.label = undefined;
    count.clear();
    label.clear();
  }
  model.set(key, entry);
}

test('a restore from a base and deltas is the state itself, also when three subtasks share it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(step, { maxLength: 12 }), fc.boolean()), { maxLength: 6 }), (epochs) => {
      const state = newState();
      const model = new Map<string, { count?: number; label?: string }>();
      let blobs: Buffer[] = [];
      for (const [steps, compact] of epochs) {
        for (const each of steps) apply(state, model, each);
        blobs = compact ? [joined(state.takeBase())] : [...blobs, joined(state.takeDelta())];
      }
      const thirds = [0, 1, 2].map((subtask) => {
        const third = newState(subtask, 3);
        third.load(blobs);
        return third;
      });
      const whole = restored(blobs);
      const live = [...model].filter(([, { count, label }]) => count !== undefined || label !== undefined);
      expect(whole.size).toBe(live.length);
      expect(thirds.reduce((sum, third) => sum + third.size, 0)).toBe(live.length);
      for (const [key, { count, label }] of model) {
        expect(at(whole, key).count.get()).toBe(count ?? 0);
        expect(at(whole, key).label.get()).toBe(label);
      }
    }),
  );
});

test('dropped state is gone', () => {
  const state = newState();
  at(state, 'a').count.set(1);
  state.drop();
  expect(state.size).toBe(0);
  expect(state.changed()).toBe(false);
  expect(at(state, 'a').count.get()).toBe(0);
});
