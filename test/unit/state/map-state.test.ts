import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { bytes, customSerde, float64, int32, int64, json, structured, utf8 } from '../../../lib/format/serdes.ts';
import { keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { MapState, OrderedMap } from '../../../lib/state/columns/map.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;

interface Shape {
  readonly key?: Serde<never>;
  readonly value?: Serde<never>;
  readonly subtask?: number;
  readonly parallelism?: number;
}

function newState({ key = utf8 as Serde<never>, value = int32 as Serde<never>, subtask = 0, parallelism = 1 }: Shape = {}): StateSet {
  return new StateSet({
    uid: 'op',
    states: [
      { kind: 'map', name: 'of', serdes: [key as Serde<unknown>, value as Serde<unknown>] },
      { kind: 'value', name: 'count', serdes: [int64 as Serde<unknown>], initial: 0 },
    ],
    maxParallelism: MAX_PARALLELISM,
    keyGroups: keyGroupRange(subtask, parallelism, MAX_PARALLELISM),
  });
}

function at<K = string, V = number>(state: StateSet, key: string) {
  const id = Buffer.from(key);
  state.keys.current = state.keys.numberOf(id, 0, id.length, murmur2(id, 0, id.length));
  return state.handles as { of: MapState<K, V>; count: ValueState<number, number> };
}

const delta = (state: StateSet) => Buffer.concat(state.takeDelta());
const base = (state: StateSet) => Buffer.concat(state.takeBase());
const restored = (blobs: readonly Buffer[], shape: Shape = {}) => {
  const state = newState(shape);
  state.load(blobs);
  return state;
};

describe('of a key with a million entries of which ten change', () => {
  const state = newState();
  const { of } = at(state, 'k');
  for (let index = 0; index < 1_000_000; index++) of.set(`entry-${index}`, index);
  const blobs = [base(state)];

  it('a delta holds the ten: less than 2 KB', () => {
    at(state, 'k');
    for (let index = 0; index < 4; index++) of.set(`entry-${index * 99_999}`, -1);
    for (let index = 0; index < 3; index++) of.delete(`entry-${index + 7}`);
    for (let index = 0; index < 3; index++) of.set(`new-${index}`, index);
    blobs.push(delta(state));
    expect(blobs[1]?.length).toBeGreaterThan(100);
    expect(blobs[1]?.length).toBeLessThan(300);
  });

  it('a restore has them', () => {
    const { of } = at(restored(blobs), 'k');
    expect([of.size, of.get('entry-99999'), of.get('entry-8'), of.get('new-2'), of.get('entry-10')]).toEqual([
      1_000_000,
      -1,
      undefined,
      2,
      10,
    ]);
    expect([...of.keys().take(3)]).toEqual(['entry-0', 'entry-1', 'entry-10']);
  });
});

/** What a map of JavaScript would hold, by the text of the key; shown in the order of bytes. */
type Model = Map<string, { entries: Map<string, number>; count: number }>;
const inOrder = (entries: ReadonlyMap<string, number>) =>
  [...entries].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

// Few entry keys, so that they meet; among them some that UTF-16 and UTF-8 order otherwise, and enough for several chunks.
const entryKey = fc.oneof(
  fc.constantFrom('', 'a', 'aa', 'ü', 'Z', '\uffee', '\u{1f600}', '\u0000'),
  fc.nat(1000).map((n) => `n${n}`),
);
const step = fc.record({
  key: fc.constantFrom('a', 'b', 'ü', ''),
  do: fc.constantFrom(
    'set' as const,
    'set' as const,
    'set' as const,
    'fill' as const,
    'delete' as const,
    'drain' as const,
    'clear' as const,
    'count' as const,
  ),
  entry: entryKey,
});
const epoch = fc.record({
  steps: fc.array(step, { maxLength: 15 }),
  end: fc.constantFrom('delta' as const, 'delta' as const, 'base' as const, 'fail' as const, 'fail' as const),
});

test('a map is what a Map would be, in the order of bytes, through failed attempts, compaction and restores at one to four subtasks', () => {
  let value = 0;
  const work = (state: StateSet, model: Model, steps: readonly { key: string; do: string; entry: string }[]) => {
    for (const { key, do: what, entry } of steps) {
      const { of, count } = at(state, key);
      const known = model.get(key) ?? { entries: new Map<string, number>(), count: 0 };
      model.set(key, known);
      value++;
      if (what === 'set') {
        of.set(entry, value);
        known.entries.set(entry, value);
      } else if (what === 'fill') {
        for (let index = 0; index < 200; index++) {
          of.set(`n${(index * 37 + value) % 1000}`, index);
          known.entries.set(`n${(index * 37 + value) % 1000}`, index);
        }
      } else if (what === 'delete') expect(of.delete(entry)).toBe(known.entries.delete(entry));
      else if (what === 'drain') {
        // Taken out while it is gone through.
        for (const each of of.keys()) if (each > entry) of.delete(each);
        for (const each of [...known.entries.keys()]) if (each > entry) known.entries.delete(each);
      } else if (what === 'clear') {
        of.clear();
        known.entries.clear();
      } else known.count = count.update((before) => before + 1);
      expect(of.has(entry)).toBe(known.entries.has(entry));
      expect(of.size).toBe(known.entries.size);
    }
  };
  fc.assert(
    fc.property(fc.array(epoch, { maxLength: 8 }), (epochs) => {
      const state = newState();
      let model: Model = new Map();
      let blobs: Buffer[] = [];
      for (const { steps, end } of epochs) {
        const attempted = structuredClone(model);
        work(state, attempted, steps);
        if (end === 'fail') {
          // What the attempt did is dropped, and the state loaded again.
          state.drop();
          state.load(blobs);
        } else {
          model = attempted;
          blobs = end === 'base' ? [base(state)] : [...blobs, delta(state)];
        }
      }
      const live = [...model].filter(([, { entries, count }]) => entries.size > 0 || count > 0);
      for (const parallelism of [1, 2, 3, 4]) {
        const shares = Array.from({ length: parallelism }, (_, subtask) => restored(blobs, { subtask, parallelism }));
        expect(shares.reduce((sum, { size }) => sum + size, 0)).toBe(live.length);
      }
      const whole = restored(blobs);
      const compacted = restored([base(restored(blobs))]);
      expect([state.size, whole.size, compacted.size]).toEqual([live.length, live.length, live.length]);
      for (const [key, { entries, count }] of model) {
        for (const each of [state, whole, compacted]) {
          const handles = at(each, key);
          expect([...handles.of]).toEqual(inOrder(entries));
          expect(handles.of.size).toBe(entries.size);
          expect(handles.count.get()).toBe(count);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('what is read at each parallelism is what one subtask reads, in the same order', () => {
  const state = newState();
  for (let index = 0; index < 400; index++) at(state, `key-${index % 20}`).of.set(`e${(index * 7919) % 997}`, index);
  const blobs = [base(state)];
  for (let index = 0; index < 100; index++) at(state, `key-${index % 20}`).of.set(`f${(index * 31) % 97}`, index);
  blobs.push(delta(state));
  for (const parallelism of [2, 3, 4]) {
    const shares = Array.from({ length: parallelism }, (_, subtask) => restored(blobs, { subtask, parallelism }));
    for (let index = 0; index < 20; index++) {
      const key = `key-${index}`;
      const owner = shares.find((share) => owns(share, key));
      if (owner === undefined) throw new Error(`nobody has ${key}`);
      expect([...at(owner, key).of]).toEqual([...at(state, key).of]);
    }
  }
});

test('the key before a place and the key behind it are found in one chunk and in many, and between them', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2_000), { maxLength: 700 }), fc.array(fc.nat(2_001), { maxLength: 20 }), (numbers, places) => {
      const state = newState({ key: int32 as Serde<never> });
      const of = at<number>(state, 'k').of as OrderedMap<number, number>;
      for (const number of numbers) of.set(number, -number);
      for (const gone of numbers.slice(0, 300)) of.delete(gone);
      const left = numbers.slice(300).toSorted((one, other) => one - other);
      expect(of.firstKey()).toBe(left[0]);
      for (const place of [...places, ...left.slice(0, 5)]) {
        expect(of.keyUpTo(place)).toBe(left.findLast((key) => key <= place));
        expect(of.keyBehind(place)).toBe(left.find((key) => key > place));
        for (const to of [place, place + 1, place + 400]) {
          const met: number[] = [];
          of.eachCopyWithin(place, to, (value) => met.push(-value));
          expect(met).toEqual(left.filter((key) => key > place && key <= to));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a copy of a value is of its own: what is changed of it is not saved', () => {
  const state = newState({ value: json<number[]>() as Serde<never> });
  const of = () => at<string, number[]>(state, 'k').of as OrderedMap<string, number[]>;
  of().set('a', [1]);
  of().copyOf('a')?.push(2);
  expect([of().get('a'), of().copyOf('b')]).toEqual([[1], undefined]);
  state.keys.current = -1;
  const { of: handle } = state.handles as { of: OrderedMap<string, number[]> };
  for (const use of [
    () => handle.copyOf('a'),
    () => handle.firstKey(),
    () => handle.keyUpTo('a'),
    () => handle.keyBehind('a'),
    () => handle.eachCopyWithin('a', 'b', () => {}),
  ])
    expect(use).toThrow(OutsideRecordError);
});

function owns(state: StateSet, key: string): boolean {
  try {
    return at(state, key).of.size > 0;
  } catch {
    return false;
  }
}

describe('entries come in the order of the bytes that the serde of their keys writes', () => {
  it.each<[string, Serde<never>, readonly unknown[]]>([
    ['utf8: by code points', utf8 as Serde<never>, ['', 'A', 'a', 'ab', 'b', 'ü', '\uffee', '\u{1f600}']],
    ['int32: numbers, the negative ones last', int32 as Serde<never>, [0, 1, 255, 256, 65_536, -70_000, -256, -1]],
    ['int64: numbers, the negative ones last', int64 as Serde<never>, [0, 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), -1]],
    ['float64', float64 as Serde<never>, [0, 0.5, 1, 1e300, Number.POSITIVE_INFINITY, Number.NaN, -1, -2]],
    ['json', json<unknown>() as Serde<never>, ['', 'x', 1, 12, 2, [1], { a: 1 }]],
  ])('%s', (_name, key, sorted) => {
    const state = newState({ key });
    const { of } = at<unknown>(state, 'k');
    // Neither in order nor against it.
    const keys = sorted.map((_, index) => sorted[(index * 5 + 3) % sorted.length]);
    expect(new Set(keys).size).toBe(sorted.length);
    keys.forEach((each, index) => {
      of.set(each, index);
    });
    expect([...of.keys()]).toEqual(sorted);
    expect([...of.values()]).toEqual(sorted.map((each) => keys.findIndex((key) => Object.is(key, each))));
    expect([...at<unknown>(restored([delta(state)], { key }), 'k').of.keys()]).toEqual(sorted);
  });
});

describe("an entry's key", () => {
  it('is told from others by its bytes, not by identity', () => {
    const state = newState({ key: json<unknown>() as Serde<never> });
    const { of } = at<unknown>(state, 'k');
    of.set({ a: 1 }, 1);
    of.set({ a: 1 }, 2);
    expect([of.size, of.get({ a: 1 }), of.has({ a: 2 }), of.delete({ a: 1 }), of.size]).toEqual([1, 2, false, true, 0]);
  });

  it('is one for 0 and -0, and one for NaN', () => {
    const { of } = at<number>(newState({ key: float64 as Serde<never> }), 'k');
    of.set(-0, 1);
    of.set(Number.NaN, 2);
    of.set(0 / 0, 3);
    expect([of.get(0), of.has(-0), of.get(Number.NaN), of.size]).toEqual([1, true, 3, 2]);
    expect([...of.keys()].map((key) => Object.is(key, 0))).toEqual([true, false]);
  });

  it('that is undefined, or that its serde cannot encode, is refused with the name of the state', () => {
    const { of } = at<unknown>(newState({ key: structured as Serde<never> }), 'k');
    for (const use of [() => of.get(undefined), () => of.set(undefined, 1), () => of.has(undefined), () => of.delete(undefined)])
      expect(use).toThrow('state of was asked for the key undefined');
    const texts = at<unknown>(newState(), 'k').of;
    for (const use of [() => texts.get(5), () => texts.set(5, 1), () => texts.has(5), () => texts.delete(5)])
      expect(use).toThrow('state of holds a key that its serde utf8 cannot encode: utf8: expected a string, got number');
  });

  it('that is an object is given out frozen', () => {
    const { of } = at<{ a: number }>(newState({ key: json<unknown>() as Serde<never> }), 'k');
    of.set({ a: 1 }, 1);
    for (const key of of.keys()) {
      expect(() => {
        key.a = 2;
      }).toThrow(TypeError);
    }
    expect([...of]).toEqual([[{ a: 1 }, 1]]);
  });
});

describe('a value that is an object', () => {
  const shape = { value: json<{ n: number }>() as Serde<never> };
  const handle = (state: StateSet) => at<string, { n: number }>(state, 'k').of;

  it('is saved as it is when its record is done with, however it was come by, and frozen then', () => {
    const state = newState(shape);
    const given = { n: 1 };
    handle(state).set('set', given);
    for (const name of ['got', 'value', 'entry', 'read']) handle(state).set(name, { n: 1 });
    given.n = 2;
    const blobs = [delta(state)];
    expect(() => {
      given.n = 3;
    }).toThrow(TypeError);
    const of = handle(state);
    const got = of.get('got') as { n: number };
    got.n = 3;
    expect(of.get('got')).toBe(got);
    const [entry, , read] = of.entries().map(([, value]) => value);
    if (entry === undefined || read === undefined) throw new Error('no entries');
    entry.n = 4;
    for (const value of of.values()) if (value.n === 2) value.n = 5;
    const second = delta(state);
    expect([...at(restored([...blobs, second], shape), 'k').of]).toEqual([
      ['entry', { n: 4 }],
      ['got', { n: 3 }],
      ['read', { n: 1 }],
      ['set', { n: 5 }],
      ['value', { n: 1 }],
    ]);
    expect(second.toString('latin1')).not.toContain('read');
  });

  it('that was only read, or was set to what it is, has not changed', () => {
    const state = newState(shape);
    handle(state).set('a', { n: 1 });
    delta(state);
    handle(state).get('a');
    handle(state).set('a', { n: 1 });
    state.takeBack();
    expect(state.changed()).toBe(false);
  });

  it('is nobody any more when its entry was deleted, replaced or cleared', () => {
    const state = newState(shape);
    const of = handle(state);
    const gone = ['deleted', 'replaced', 'cleared'].map((name) => {
      of.set(name, { n: 1 });
      return of.get(name) as { n: number };
    });
    of.delete('deleted');
    of.set('replaced', { n: 2 });
    for (const each of gone) each.n = 9;
    expect([...of]).toEqual([
      ['cleared', { n: 9 }],
      ['replaced', { n: 2 }],
    ]);
    of.clear();
    of.set('cleared', { n: 3 });
    state.takeBack();
    expect([...handle(state)]).toEqual([['cleared', { n: 3 }]]);
  });

  it('is nobody any more when a value that is no object took its place', () => {
    const state = newState({ value: json<unknown>() as Serde<never> });
    const { of } = at<string, unknown>(state, 'k');
    of.set('a', { n: 1 });
    of.set('a', 5);
    expect(of.get('a')).toBe(5);
    state.takeBack();
    expect(at<string, unknown>(state, 'k').of.get('a')).toBe(5);
  });

  it('and is of a class, or bytes, is saved too', () => {
    const dates = customSerde<Date>({
      name: 'date',
      serialize: (date) => Buffer.from(date.toISOString()),
      deserialize: (from) => new Date(String(from)),
    });
    const state = newState({ value: dates as Serde<never> });
    at<string, Date>(state, 'k').of.set('a', new Date(0));
    at<string, Date>(state, 'k').of.get('a')?.setUTCFullYear(2001);
    const buffers = newState({ value: bytes as Serde<never> });
    at<string, Buffer>(buffers, 'k').of.set('a', Buffer.from('x'));
    at<string, Buffer>(buffers, 'k').of.get('a')?.write('y');
    expect(
      at<string, Date>(restored([delta(state)], { value: dates as Serde<never> }), 'k')
        .of.get('a')
        ?.getUTCFullYear(),
    ).toBe(2001);
    expect(String(at<string, Buffer>(restored([delta(buffers)], { value: bytes as Serde<never> }), 'k').of.get('a'))).toBe('y');
  });

  it('that its serde cannot encode is refused at once when it is set, and when it was changed in place at the end of the rows', () => {
    const state = newState({ value: json<unknown>() as Serde<never> });
    const { of } = at<string, unknown>(state, 'k');
    expect(() => of.set('a', { n: 5n })).toThrow(/state of holds a value that its serde json cannot encode: .*BigInt/);
    expect(of.size).toBe(0);
    of.set('a', { n: 5 });
    Object.assign(of.get('a') as object, { n: 5n });
    expect(() => state.takeBack()).toThrow(/state of holds a value that its serde json cannot encode: .*BigInt/);
  });
});

test('undefined is no value of an entry', () => {
  const { of } = at<string, unknown>(newState({ value: structured as Serde<never> }), 'k');
  expect(() => of.set('a', undefined)).toThrow('use delete()');
});

test('an iteration meets what is set behind it and not what is deleted, and goes on through chunks that split and vanish', () => {
  const state = newState({ key: int32 as Serde<never> });
  const { of } = at<number>(state, 'k');
  for (let index = 0; index < 2000; index += 10) of.set(index, index);
  const met: number[] = [];
  for (const key of of.keys()) {
    met.push(key);
    if (key % 10 === 0) {
      of.set(key + 5, 0);
      of.delete(key);
      of.delete(key + 10);
    }
    if (key > 1000) of.clear();
  }
  const expected = Array.from({ length: 51 }, (_, index) => [index * 20, index * 20 + 5]).flat();
  expect(met).toEqual(expected.filter((key) => key <= 1005).slice(0, met.length));
  expect(met.at(-1)).toBe(1005);
  expect(of.size).toBe(0);
});

test('outside of its record everything of a map throws, and an iterator at the next record too', () => {
  const state = newState();
  const { of } = at(state, 'k');
  of.set('a', 1);
  of.set('b', 2);
  const kept = of.keys();
  kept.next();
  at(state, 'other').of.set('c', 3);
  expect(() => kept.next()).toThrow(OutsideRecordError);
  const dropped = at(state, 'k').of.entries();
  dropped.next();
  const number = state.keys.current;
  state.takeBack();
  for (const use of [
    () => of.size,
    () => of.get('a'),
    () => of.has('a'),
    () => of.set('a', 1),
    () => of.delete('a'),
    () => of.clear(),
    () => of.keys(),
    () => of.values(),
    () => of.entries(),
    () => [...of],
  ])
    expect(use).toThrow(OutsideRecordError);
  state.drop();
  state.keys.current = number;
  expect(() => dropped.next()).toThrow(OutsideRecordError);
});

describe('in a snapshot', () => {
  /** What the map's part is: behind the key `k`, and its length and one. */
  const partOf = (blob: Buffer) => blob.subarray(blob.lastIndexOf(Buffer.from('\u0001k', 'latin1')) + 3, -1).toString('hex');

  it('a map is what the format says, byte by byte', () => {
    const state = newState({ value: utf8 as Serde<never> });
    const { of } = at<string, string>(state, 'k');
    of.set('b', 'two');
    of.set('a', '1');
    of.set('c', '');
    // Form 0, three entries; each key and value behind its length.
    expect(partOf(delta(state))).toBe('0003' + '016101' + '31' + '016203' + '74776f' + '016300');
    at(state, 'k');
    of.set('d', '4');
    of.delete('a');
    of.set('c', 'x');
    // Form 1, three entries then, three changed: gone, or the value behind its length and one.
    expect(partOf(delta(state))).toBe('0103' + '03' + '016100' + '016302' + '78' + '016402' + '34');
    expect(partOf(base(state))).toBe('0003' + '016203' + '74776f' + '016301' + '78' + '016401' + '34');
    at(state, 'k');
    of.clear();
    of.set('e', '5');
    expect(partOf(delta(state))).toBe('0001' + '016501' + '35');
  });

  it('a map whose key changed in another state alone has no entries in the delta', () => {
    const state = newState();
    for (let index = 0; index < 100; index++) at(state, 'k').of.set(`e${index}`, index);
    const first = delta(state);
    at(state, 'k').count.set(5);
    const second = delta(state);
    expect(second.length).toBeLessThan(first.length / 5);
    const copy = at(restored([first, second]), 'k');
    expect([copy.of.size, copy.count.get()]).toEqual([100, 5]);
  });

  it('a map of another form is a later build, and one on which a delta does not fit is malformed', () => {
    const state = newState();
    for (const entry of ['a', 'b', 'c']) at(state, 'k').of.set(entry, 1);
    const first = delta(state);
    at(state, 'k').of.delete('a');
    const second = delta(state);
    expect(() => restored([second])).toThrow(new MalformedError('state of: the snapshot says that a map has 2 entries, and it has 0'));
    const otherForm = Buffer.from(first);
    otherForm[otherForm.lastIndexOf(Buffer.from('\u0001k', 'latin1')) + 3] = 2;
    expect(() => restored([otherForm])).toThrow(
      new MalformedError('state of: the snapshot has a map in form 2, which this build does not know'),
    );
  });
});

test('a key whose map is empty again and that has no other state is gone', () => {
  const state = newState();
  at(state, 'k').of.set('a', 1);
  const blobs = [delta(state)];
  expect(state.size).toBe(1);
  at(state, 'k').of.delete('a');
  blobs.push(delta(state));
  expect([state.size, restored(blobs).size]).toEqual([0, 0]);
});
