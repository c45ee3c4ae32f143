import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { int32, int64, json } from '../../../lib/format/serdes.ts';
import { keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { ListState } from '../../../lib/state/columns/list.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;

function newState(serde: Serde<never> = int32 as Serde<never>, subtask = 0, parallelism = 1): StateSet {
  return new StateSet({
    uid: 'op',
    states: [
      { kind: 'list', name: 'items', serdes: [serde as Serde<unknown>] },
      { kind: 'value', name: 'count', serdes: [int64 as Serde<unknown>], initial: 0 },
    ],
    maxParallelism: MAX_PARALLELISM,
    keyGroups: keyGroupRange(subtask, parallelism, MAX_PARALLELISM),
  });
}

function at(state: StateSet, key: string) {
  const bytes = Buffer.from(key);
  state.keys.current = state.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
  return state.handles as { items: ListState<unknown>; count: ValueState<number, number> };
}

const delta = (state: StateSet) => Buffer.concat(state.takeDelta());
const base = (state: StateSet) => Buffer.concat(state.takeBase());

test('of a key with a million entries of which ten change and ten are added, a delta holds those', () => {
  const state = newState();
  const { items } = at(state, 'k');
  for (let index = 0; index < 1_000_000; index++) items.add(index);
  expect(base(state).length).toBeGreaterThan(5_000_000);
  at(state, 'k');
  for (let index = 0; index < 10; index++) {
    items.set(index * 99_999, -index - 1);
    items.add(index);
  }
  expect(delta(state).length).toBeLessThan(220);
});

const step = fc.record({
  key: fc.constantFrom('a', 'b', 'ü', ''),
  do: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'set' as const, 'set' as const, 'clear' as const, 'count' as const),
  index: fc.nat(5),
});

test('a restore from a base and deltas is the list itself, also when three subtasks share it', () => {
  let value = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(step, { maxLength: 12 }), fc.boolean()), { maxLength: 6 }), (epochs) => {
      const state = newState();
      const model = new Map<string, { items: number[]; count: number }>();
      let blobs: Buffer[] = [];
      for (const [steps, compact] of epochs) {
        for (const { key, do: what, index } of steps) {
          const { items, count } = at(state, key);
          const entry = model.get(key) ?? { items: [], count: 0 };
          model.set(key, entry);
          value++;
          if (what === 'add') {
            items.add(value);
            entry.items.push(value);
          } else if (what === 'set' && index < entry.items.length) {
            items.set(index, value);
            entry.items[index] = value;
          } else if (what === 'clear') {
            items.clear();
            entry.items = [];
          } else if (what === 'count') entry.count = count.update((before) => before + 1);
        }
        blobs = compact ? [base(state)] : [...blobs, delta(state)];
      }
      const live = [...model].filter(([, { items, count }]) => items.length > 0 || count > 0);
      const thirds = [0, 1, 2].map((subtask) => newState(undefined, subtask, 3));
      const whole = newState();
      for (const each of [whole, ...thirds]) each.load(blobs);
      expect(thirds.reduce((sum, { size }) => sum + size, 0)).toBe(live.length);
      expect([state.size, whole.size]).toEqual([live.length, live.length]);
      for (const [key, { items, count }] of model) {
        for (const each of [state, whole]) {
          expect([...at(each, key).items]).toEqual(items);
          expect(at(each, key).items.length).toBe(items.length);
          expect(at(each, key).count.get()).toBe(count);
        }
      }
    }),
  );
});

test('an object that a list gave out or was given is saved as it is when its record is done with, and frozen then', () => {
  const state = newState(json<{ n: number }>() as Serde<never>);
  const { items } = at(state, 'k') as { items: ListState<{ n: number }> };
  const added = { n: 1 };
  items.add(added);
  items.add({ n: 5 });
  items.add({ n: 8 });
  added.n = 2;
  const [first, second] = items;
  if (first !== undefined) first.n = 3;
  if (second !== undefined) second.n = 6;
  expect(items.at(1)).toBe(second);
  items.set(1, { n: 7 });
  const blobs = [delta(state)];
  expect(() => {
    added.n = 9;
  }).toThrow(TypeError);
  at(state, 'k');
  for (const item of items) item.n += 10;
  const given = items.at(2) as { n: number };
  given.n = 0;
  blobs.push(delta(state));
  at(state, 'k');
  expect([...items]).toEqual([{ n: 13 }, { n: 17 }, { n: 0 }]);
  state.takeBack();
  expect(state.changed()).toBe(false);
  const restored = newState(json<{ n: number }>() as Serde<never>);
  restored.load(blobs);
  expect([...at(restored, 'k').items]).toEqual([{ n: 13 }, { n: 17 }, { n: 0 }]);
});

test('an object of a list that was cleared is in no list any more', () => {
  const state = newState(json<{ n: number }>() as Serde<never>);
  const { items } = at(state, 'k') as { items: ListState<{ n: number }> };
  items.add({ n: 1 });
  items.add({ n: 1 });
  const [gone, other] = items;
  if (gone === undefined || other === undefined) throw new Error('no items');
  items.clear();
  items.add({ n: 2 });
  gone.n = 3;
  other.n = 3;
  state.takeBack();
  at(state, 'k');
  expect([...items]).toEqual([{ n: 2 }]);
});

test('an entry that is not there cannot be set, and one that is set to what it is has not changed', () => {
  const state = newState();
  at(state, 'k').items.add(7);
  delta(state);
  at(state, 'k').items.set(0, 7);
  expect(state.changed()).toBe(false);
  for (const index of [1, -1, 0.5]) expect(() => at(state, 'k').items.set(index, 1)).toThrow(RangeError);
  at(state, 'other').items.clear();
  expect(state.changed()).toBe(false);
});

test('outside of its record everything of a list throws, and an iterator at the next record too', () => {
  const state = newState();
  const { items } = at(state, 'k');
  items.add(1);
  items.add(2);
  const kept = items[Symbol.iterator]();
  kept.next();
  at(state, 'other').items.add(3);
  at(state, 'other').items.add(4);
  expect(() => kept.next()).toThrow(OutsideRecordError);
  state.takeBack();
  for (const use of [
    () => items.length,
    () => items.at(0),
    () => items.add(1),
    () => items.set(0, 1),
    () => items.clear(),
    () => [...items],
  ])
    expect(use).toThrow(OutsideRecordError);
});

test('a delta on another list than it was taken of is malformed, not read', () => {
  const state = newState();
  for (const item of [1, 2, 3]) at(state, 'k').items.add(item);
  delta(state);
  at(state, 'k').items.set(2, 5);
  expect(() => newState().load([delta(state)])).toThrow(new MalformedError('state items: the snapshot keeps 3 entries of a list of 0'));
});

test('a value that its serde cannot encode is named', () => {
  expect(() => at(newState(), 'k').items.add('text')).toThrow(/state items holds a value that its serde int32 cannot encode/);
});
