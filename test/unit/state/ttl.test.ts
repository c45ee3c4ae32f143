import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  aggregatingState,
  int32,
  int64,
  json,
  listState,
  mapState,
  reducingState,
  type StateHandles,
  type StateSpecs,
  type TtlOptions,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { declareState } from '../../../lib/api/state.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import { keyGroupOf, keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;
const TTL_MS = 100;

const kinds = (options: TtlOptions) => ({
  n: withTtl(valueState(int64, 7), options),
  words: withTtl(
    valueState(json<string[]>(), () => []),
    options,
  ),
  list: withTtl(listState(utf8), options),
  map: withTtl(mapState(utf8, int32), options),
  items: withTtl(mapState(utf8, json<{ times: number }>()), options),
  sum: withTtl(
    reducingState(int32, (one, other) => one + other),
    options,
  ),
  mean: withTtl(
    aggregatingState(json<{ sum: number; n: number }>(), {
      initial: { sum: 0, n: 0 },
      add: ({ sum, n }, value: number) => ({ sum: sum + value, n: n + 1 }),
      result: ({ sum, n }) => sum / n,
    }),
    options,
  ),
});

/** A subtask's state, and the clock that it goes by. */
class Subtask<S extends StateSpecs> {
  readonly clock = { processingMs: 0 };
  readonly state: StateSet;

  constructor(specs: S, subtask = 0, parallelism = 1) {
    this.state = new StateSet({
      uid: 'op',
      states: Object.entries(specs).map(([name, spec]) => declareState(spec, name, name)),
      maxParallelism: MAX_PARALLELISM,
      keyGroups: keyGroupRange(subtask, parallelism, MAX_PARALLELISM),
      clock: this.clock,
    });
  }

  at(key = 'k'): StateHandles<S> {
    const id = Buffer.from(key);
    this.state.keys.current = this.state.keys.numberOf(id, 0, id.length, murmur2(id, 0, id.length));
    return this.state.handles as StateHandles<S>;
  }

  /** An epoch ends, and the next one begins. Answers its delta. */
  until(processingMs: number): Buffer {
    const delta = Buffer.concat(this.state.takeDelta());
    this.clock.processingMs = processingMs;
    return delta;
  }

  base(): Buffer {
    return Buffer.concat(this.state.takeBase());
  }
}

const opened = (options: Partial<TtlOptions> = {}) => new Subtask(kinds({ ttlMs: TTL_MS, ...options }));

type Handles = ReturnType<Subtask<ReturnType<typeof kinds>>['at']>;

/** How each kind is written, read, and what is read of it before and behind. */
const uses: readonly [string, (of: Handles) => void, (of: Handles) => unknown, living: unknown, gone: unknown][] = [
  ['a value of a primitive', ({ n }) => n.set(1), ({ n }) => n.get(), 1, 7],
  ['a value of an object', ({ words }) => words.set(['a']), ({ words }) => words.get(), ['a'], []],
  ['an entry of a list', ({ list }) => list.add('a'), ({ list }) => [...list], ['a'], []],
  ['an entry of a list by its index', ({ list }) => list.add('a'), ({ list }) => list.at(0), 'a', undefined],
  ['an entry of a map', ({ map }) => map.set('x', 1), ({ map }) => map.get('x'), 1, undefined],
  ['an entry of a map that is gone through', ({ map }) => map.set('x', 1), ({ map }) => [...map], [['x', 1]], []],
  ['a value of a map', ({ map }) => map.set('x', 1), ({ map }) => [...map.values()], [1], []],
  ['an object in a map', ({ items }) => items.set('x', { times: 1 }), ({ items }) => items.get('x'), { times: 1 }, undefined],
  ['what was reduced', ({ sum }) => sum.add(3), ({ sum }) => sum.get(), 3, undefined],
  ['an accumulator', ({ mean }) => mean.add(3), ({ mean }) => mean.get(), 3, undefined],
];
/** Reads that give no value out. */
const looks: readonly [string, (of: Handles) => void, (of: Handles) => unknown, living: unknown, gone: unknown][] = [
  ['the length of a list', ({ list }) => list.add('a'), ({ list }) => list.length, 1, 0],
  ['the size of a map', ({ map }) => map.set('x', 1), ({ map }) => map.size, 1, 0],
  ['whether a map has a key', ({ map }) => map.set('x', 1), ({ map }) => map.has('x'), true, false],
  ['the keys of a map', ({ map }) => map.set('x', 1), ({ map }) => [...map.keys()], ['x'], []],
  ['whether an entry was there to delete', ({ map }) => map.set('x', 1), ({ map }) => map.delete('x'), true, false],
];

describe.each([...uses, ...looks])('%s', (_, write, read, living, gone) => {
  const written = () => {
    const subtask = opened();
    subtask.clock.processingMs = 1_000;
    write(subtask.at());
    return subtask;
  };

  it('is there up to the last millisecond of its time, and not at its end', () => {
    for (const [timeMs, expected] of [
      [1_000, living],
      [1_099, living],
      [1_100, gone],
      [5_000, gone],
    ] as const) {
      const subtask = written();
      subtask.until(timeMs);
      expect([timeMs, read(subtask.at())]).toEqual([timeMs, expected]);
    }
  });

  it('is as old behind a restore, of a base and of a delta', () => {
    const blobs = [written().base(), written().until(0)];
    for (const [timeMs, expected] of [
      [1_099, living],
      [1_100, gone],
    ] as const) {
      for (const blob of blobs) {
        const subtask = opened();
        subtask.state.load([blob]);
        subtask.clock.processingMs = timeMs;
        expect(read(subtask.at())).toEqual(expected);
      }
    }
  });

  it('is left out of a base when it has expired, though nobody has touched the key, and so is the key', () => {
    const subtask = written();
    subtask.until(1_099);
    expect(subtask.base().length).toBeGreaterThan(new Subtask(kinds({ ttlMs: 1 })).base().length);
    expect(subtask.state.size).toBe(1);
    subtask.clock.processingMs = 1_100;
    expect(subtask.base()).toEqual(opened().base());
    expect(subtask.state.size).toBe(0);
  });

  it('is taken away by who looks for it in vain, and then the delta says so', () => {
    const subtask = written();
    const before = subtask.until(1_100);
    read(subtask.at());
    const after = subtask.until(1_100);
    expect(subtask.state.size).toBe(0);
    const copy = opened();
    copy.state.load([before, after]);
    expect(copy.state.size).toBe(0);
  });

  it('is not brought back by a shorter or a longer time to live than it was written with', () => {
    const blob = written().base();
    for (const [ttlMs, expected] of [
      [50, gone],
      [51, living],
      [1_000, living],
    ] as const) {
      const subtask = opened({ ttlMs });
      subtask.state.load([blob]);
      subtask.clock.processingMs = 1_050;
      expect(read(subtask.at())).toEqual(expected);
    }
  });
});

describe.each(uses)('%s that is read', (_, write, read, living, gone) => {
  it.each(['write', 'read-and-write'] as const)('with refreshOn %s', (refreshOn) => {
    const subtask = opened({ refreshOn });
    write(subtask.at());
    const blobs = [subtask.until(60)];
    expect(read(subtask.at())).toEqual(living);
    blobs.push(subtask.until(120));
    const restored = opened({ refreshOn });
    restored.state.load(blobs);
    restored.clock.processingMs = 120;
    for (const each of [subtask, restored]) expect(read(each.at())).toEqual(refreshOn === 'write' ? gone : living);
    subtask.until(220);
    expect(read(subtask.at())).toEqual(gone);
  });
});

describe.each(looks)('%s', (_, write, read, living, gone) => {
  it('refreshes nothing', () => {
    const subtask = opened({ refreshOn: 'read-and-write' });
    write(subtask.at());
    subtask.until(60);
    expect(read(subtask.at())).toEqual(living);
    subtask.until(120);
    expect(read(subtask.at())).toEqual(gone);
  });
});

describe('what is written again', () => {
  it('lives as long again, also when it is the same', () => {
    const subtask = opened();
    const write = ({ n, words, list, map, sum, mean }: Handles, first: boolean) => {
      n.set(1);
      words.set(['a']);
      if (first) list.add('a');
      else list.set(0, 'a');
      map.set('x', 1);
      sum.add(1);
      mean.add(1);
    };
    write(subtask.at(), true);
    subtask.until(60);
    write(subtask.at(), false);
    subtask.until(120);
    const { n, words, list, map, sum, mean } = subtask.at();
    expect([n.get(), words.get(), [...list], map.get('x'), sum.get(), mean.get()]).toEqual([1, ['a'], ['a'], 1, 2, 1]);
    subtask.until(160);
    subtask.at();
    expect([n.get(), words.get(), list.length, map.size, sum.get(), mean.get()]).toEqual([7, [], 0, 0, undefined, undefined]);
  });

  it('is written by `update` as by `set`', () => {
    const subtask = opened();
    subtask.at().n.update((n) => n + 1);
    subtask.until(60);
    expect(subtask.at().n.update((n) => n + 1)).toBe(9);
    subtask.until(159);
    expect(subtask.at().n.get()).toBe(9);
    subtask.until(160);
    expect(subtask.at().n.update((n) => n + 1)).toBe(8);
  });

  it('begins anew: what had expired is not reduced or aggregated into it', () => {
    const subtask = opened();
    subtask.at().sum.add(5);
    subtask.at().mean.add(5);
    subtask.until(100);
    subtask.at().sum.add(1);
    subtask.at().mean.add(1);
    expect([subtask.at().sum.get(), subtask.at().mean.get()]).toEqual([1, 1]);
  });
});

describe('what is changed in place', () => {
  it('is saved, and stays as old as it was', () => {
    const subtask = opened();
    subtask.at().words.set(['a']);
    subtask.at().items.set('x', { times: 1 });
    const blobs = [subtask.until(60)];
    subtask.at().words.get().push('b');
    const item = subtask.at().items.get('x');
    if (item !== undefined) item.times++;
    blobs.push(subtask.until(99));
    const restored = opened();
    restored.state.load(blobs);
    restored.clock.processingMs = 99;
    for (const each of [subtask, restored]) {
      each.clock.processingMs = 99;
      expect([each.at().words.get(), each.at().items.get('x')]).toEqual([['a', 'b'], { times: 2 }]);
      each.until(100);
      expect([each.at().words.get(), each.at().items.get('x')]).toEqual([[], undefined]);
    }
  });

  it('is as old as its change if it was the initial value', () => {
    const subtask = opened();
    subtask.clock.processingMs = 50;
    subtask.at().words.get().push('a');
    subtask.until(149);
    expect(subtask.at().words.get()).toEqual(['a']);
    subtask.until(150);
    expect(subtask.at().words.get()).toEqual([]);
  });

  it('is as old as its reading with read-and-write', () => {
    const subtask = opened({ refreshOn: 'read-and-write' });
    subtask.at().words.set(['a']);
    subtask.until(60);
    subtask.at().words.get().push('b');
    subtask.until(159);
    expect(subtask.at().words.get()).toEqual(['a', 'b']);
  });
});

describe('entries', () => {
  it('of a list expire one by one, and those that are left move up', () => {
    const subtask = opened();
    const blobs: Buffer[] = [];
    for (const [index, word] of ['a', 'b', 'c', 'd'].entries()) {
      subtask.at().list.add(word);
      blobs.push(subtask.until((index + 1) * 30));
    }
    // A, of time 0, is gone; b is written anew in its place.
    expect([subtask.at().list.at(0), subtask.at().list.length]).toEqual(['b', 3]);
    subtask.at().list.set(0, 'B');
    subtask.at().list.add('e');
    blobs.push(subtask.until(150));
    expect([...subtask.at().list]).toEqual(['B', 'c', 'd', 'e']);
    blobs.push(subtask.until(165));
    expect([...subtask.at().list]).toEqual(['B', 'd', 'e']);
    blobs.push(subtask.until(165));
    const restored = opened();
    restored.state.load(blobs);
    restored.clock.processingMs = 165;
    expect([...restored.at().list]).toEqual(['B', 'd', 'e']);
    restored.until(190);
    expect([...restored.at().list]).toEqual(['B', 'e']);
    expect(() => restored.at().list.set(2, 'x')).toThrow('has 2 entries, and none at index 2');
  });

  it('of a map expire one by one', () => {
    const subtask = opened();
    subtask.at().map.set('a', 1);
    subtask.at().map.set('b', 2);
    subtask.until(50);
    subtask.at().map.set('a', 3);
    subtask.at().map.set('c', 4);
    subtask.until(100);
    expect([subtask.at().map.has('b'), subtask.at().map.size, [...subtask.at().map]]).toEqual([
      false,
      2,
      [
        ['a', 3],
        ['c', 4],
      ],
    ]);
  });
});

describe('of a key with a million entries of which ten change', () => {
  const count = 1_000_000;

  it('a delta of a map holds the ten: less than 2 KB', () => {
    const subtask = opened();
    const { map } = subtask.at();
    for (let index = 0; index < count; index++) map.set(`entry-${index}`, index);
    const blobs = [subtask.base()];
    subtask.clock.processingMs = 50;
    for (let index = 0; index < 10; index++) subtask.at().map.set(`entry-${index * 99_999}`, -1);
    blobs.push(subtask.until(99));
    expect(blobs[1]?.length).toBeGreaterThan(100);
    expect(blobs[1]?.length).toBeLessThan(2_048);
    const restored = opened();
    restored.state.load(blobs);
    restored.clock.processingMs = 99;
    expect([restored.at().map.size, restored.at().map.get('entry-99999')]).toEqual([count, -1]);
    restored.until(100);
    expect([restored.at().map.size, restored.at().map.get('entry-99999'), restored.at().map.get('entry-7')]).toEqual([10, -1, undefined]);
    // Ten are left: they are less than what is gone.
    expect(restored.until(0).length).toBeLessThan(2_048);
  });

  it('a delta of a list holds the ten, and not what else has expired or moved up: less than 2 KB', () => {
    const subtask = opened();
    for (let index = 0; index < 1_000; index++) subtask.at().list.add(`old-${index}`);
    subtask.until(50);
    const { list } = subtask.at();
    for (let index = 0; index < count; index++) list.add(`entry-${index}`);
    const blobs = [subtask.base()];
    subtask.clock.processingMs = 100;
    for (let index = 0; index < 5; index++) subtask.at().list.add(`new-${index}`);
    for (let index = 0; index < 5; index++) subtask.at().list.set(index * 99_999, 'other');
    blobs.push(subtask.until(149));
    expect(blobs[1]?.length).toBeGreaterThan(100);
    expect(blobs[1]?.length).toBeLessThan(2_048);
    const restored = opened();
    restored.state.load(blobs);
    restored.clock.processingMs = 149;
    const { length } = restored.at().list;
    expect([length, ...[0, 1, 99_999, count + 4].map((index) => restored.at().list.at(index))]).toEqual([
      count + 5,
      'other',
      'entry-1',
      'other',
      'new-4',
    ]);
  });
});

describe('a state with a time to live', () => {
  it('is not read as one without, nor the other way round', () => {
    const plain = new Subtask({ n: valueState(int64, 7) });
    const aging = new Subtask({ n: withTtl(valueState(int64, 7), { ttlMs: 1 }) });
    plain.at().n.set(1);
    aging.at().n.set(1);
    const [ofPlain, ofAging] = [plain.base(), aging.base()];
    expect(() => plain.state.load([ofAging])).toThrow(MalformedError);
    expect(() => aging.state.load([ofPlain])).toThrow('state n had serde int64 and has now expiring(int64)');
  });

  it('needs a clock', () => {
    const states = [declareState(withTtl(listState(utf8), { ttlMs: 1 }), 'words', 'words')];
    expect(() => new StateSet({ uid: 'op', states, maxParallelism: 1, keyGroups: { first: 0, last: 0 } })).toThrow(
      'op: state words has a time to live, and there is no clock',
    );
  });

  it('refuses what is done outside of its record, and takes nothing away then', () => {
    const subtask = opened();
    subtask.at().map.set('x', 1);
    subtask.at().list.add('x');
    subtask.until(100);
    const { n, list, map, sum } = subtask.at();
    const entries = map.entries();
    subtask.state.takeBack();
    for (const use of [() => n.get(), () => list.length, () => map.size, () => map.has('x'), () => map.keys(), () => sum.get()])
      expect(use).toThrow(OutsideRecordError);
    expect(entries.next().done).toBe(true);
  });

  it('leaves other states of the key alone', () => {
    const subtask = new Subtask({ n: withTtl(valueState(int64, 7), { ttlMs: TTL_MS }), stays: valueState(utf8) });
    subtask.at().n.set(1);
    subtask.at().stays.set('here');
    subtask.until(100);
    const restored = new Subtask({ n: withTtl(valueState(int64, 7), { ttlMs: TTL_MS }), stays: valueState(utf8) });
    restored.state.load([subtask.base()]);
    // By what was left out, not by what has expired now.
    restored.clock.processingMs = 0;
    expect([restored.at().n.get(), restored.at().stays.get(), restored.state.size]).toEqual([7, 'here', 1]);
  });
});

/** What is written, and when. */
interface Dated {
  value: number;
  atMs: number;
}

/** A key's state as anybody would write it down. */
class Model {
  value: Dated | undefined;
  sum: Dated | undefined;
  list: Dated[] = [];
  readonly map = new Map<string, Dated>();

  copy(): Model {
    const copy = new Model();
    copy.value = this.value && { ...this.value };
    copy.sum = this.sum && { ...this.sum };
    copy.list = this.list.map((each) => ({ ...each }));
    for (const [key, dated] of this.map) copy.map.set(key, { ...dated });
    return copy;
  }

  expire(nowMs: number): void {
    const lives = (dated: Dated | undefined) => dated !== undefined && nowMs - dated.atMs < MODEL_TTL_MS;
    if (!lives(this.value)) this.value = undefined;
    if (!lives(this.sum)) this.sum = undefined;
    this.list = this.list.filter(lives);
    for (const [key, dated] of this.map) if (!lives(dated)) this.map.delete(key);
  }

  isEmpty(): boolean {
    return this.value === undefined && this.sum === undefined && this.list.length + this.map.size === 0;
  }
}

const MODEL_TTL_MS = 5;
const modelSpecs = (refreshOn: 'write' | 'read-and-write') => {
  const options = { ttlMs: MODEL_TTL_MS, refreshOn };
  return {
    value: withTtl(valueState(int32), options),
    sum: withTtl(
      reducingState(int32, (one, other) => one + other),
      options,
    ),
    list: withTtl(listState(int32), options),
    map: withTtl(mapState(utf8, int32), options),
  };
};

const step = fc.record({
  key: fc.constantFrom('a', 'a', 'b', 'ü'),
  do: fc.constantFrom(
    'set',
    'get',
    'clear',
    'add',
    'sum',
    'push',
    'push',
    'push',
    'put',
    'at',
    'all',
    'length',
    'wipe',
    'enter',
    'enter',
    'find',
    'has',
    'size',
    'drop',
    'walk',
    'keys',
  ),
  entry: fc.nat(4),
});
const epoch = fc.record({
  laterMs: fc.constantFrom(0, 1, 2, 2, 3, 6),
  steps: fc.array(step, { maxLength: 12 }),
  end: fc.constantFrom('delta' as const, 'delta' as const, 'base' as const, 'fail' as const),
});

function expectHeld(subtask: Subtask<ReturnType<typeof modelSpecs>>, key: string, naive: Model): void {
  const { value, sum, list, map } = subtask.at(key);
  expect([value.get(), sum.get(), [...list]]).toEqual([naive.value?.value, naive.sum?.value, naive.list.map((each) => each.value)]);
  expect(new Map(map)).toEqual(new Map([...naive.map].map(([name, each]) => [name, each.value])));
}

test('states with a time to live are what a naive model says, through failed attempts, compaction and restores at one to four subtasks', () => {
  let value = 0;
  let seen = 0;
  fc.assert(
    fc.property(fc.constantFrom('write' as const, 'read-and-write' as const), fc.array(epoch, { maxLength: 14 }), (refreshOn, epochs) => {
      const specs = modelSpecs(refreshOn);
      /** Does it in both, and compares what is read. */
      const work = (
        subtask: Subtask<typeof specs>,
        model: Map<string, Model>,
        nowMs: number,
        steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
      ) => {
        const read = (dated: Dated | undefined) => {
          if (dated !== undefined && refreshOn === 'read-and-write') dated.atMs = nowMs;
          return dated?.value;
        };
        for (const { key, do: what, entry } of steps) {
          const of = subtask.at(key);
          const naive = model.get(key) ?? new Model();
          model.set(key, naive);
          naive.expire(nowMs);
          const [name, dated] = [`e${entry}`, { value: ++value, atMs: nowMs }];
          const inOrder = () => [...naive.map].sort(([one], [other]) => (one < other ? -1 : 1));
          if (what === 'set') {
            of.value.set(value);
            naive.value = dated;
          } else if (what === 'get') expect(of.value.get()).toBe(read(naive.value));
          else if (what === 'clear') {
            of.value.clear();
            naive.value = undefined;
          } else if (what === 'add') {
            of.sum.add(value);
            naive.sum = { value: value + (naive.sum?.value ?? 0), atMs: nowMs };
          } else if (what === 'sum') expect(of.sum.get()).toBe(read(naive.sum));
          else if (what === 'push') {
            of.list.add(value);
            naive.list.push(dated);
          } else if (what === 'put' && entry < naive.list.length) {
            of.list.set(entry, value);
            naive.list[entry] = dated;
          } else if (what === 'at') expect(of.list.at(entry)).toBe(read(naive.list[entry]));
          else if (what === 'all') expect([...of.list]).toEqual(naive.list.map(read));
          else if (what === 'length') expect(of.list.length).toBe(naive.list.length);
          else if (what === 'wipe') {
            (entry < 2 ? of.list : of.map).clear();
            if (entry < 2) naive.list = [];
            else naive.map.clear();
          } else if (what === 'enter') {
            of.map.set(name, value);
            naive.map.set(name, dated);
          } else if (what === 'find') expect(of.map.get(name)).toBe(read(naive.map.get(name)));
          else if (what === 'has') expect(of.map.has(name)).toBe(naive.map.has(name));
          else if (what === 'size') expect(of.map.size).toBe(naive.map.size);
          else if (what === 'drop') expect(of.map.delete(name)).toBe(naive.map.delete(name));
          else if (what === 'walk') expect([...of.map]).toEqual(inOrder().map(([key, each]) => [key, read(each)]));
          else if (what === 'keys') expect([...of.map.keys()]).toEqual(inOrder().map(([key]) => key));
          seen++;
        }
      };
      let subtask = new Subtask(specs);
      let blobs: Buffer[] = [];
      let model = new Map<string, Model>();
      let nowMs = 0;
      for (const { laterMs, steps, end } of epochs) {
        nowMs += laterMs;
        subtask.clock.processingMs = nowMs;
        const attempt = new Map([...model].map(([key, each]) => [key, each.copy()]));
        work(subtask, attempt, nowMs, steps);
        subtask.state.takeBack();
        if (end === 'fail') {
          subtask = new Subtask(specs);
          subtask.state.load(blobs);
          continue;
        }
        model = attempt;
        blobs = end === 'base' ? [subtask.base()] : [...blobs, subtask.until(nowMs)];
        for (const each of model.values()) each.expire(nowMs);
        const living = [...model.values()].filter((each) => !each.isEmpty()).length;
        const restored = new Subtask(specs);
        restored.state.load(blobs);
        restored.clock.processingMs = nowMs;
        for (const [key, naive] of model) expectHeld(restored, key, naive);
        if (end === 'base') expect(subtask.state.size).toBe(living);
        else expect(subtask.state.size).toBeGreaterThanOrEqual(living);
      }
      for (const each of model.values()) each.expire(nowMs);
      for (const parallelism of [1, 2, 3, 4]) {
        const shares = Array.from({ length: parallelism }, (_, index) => new Subtask(specs, index, parallelism));
        for (const share of shares) {
          share.state.load(blobs);
          share.clock.processingMs = nowMs;
        }
        for (const [key, naive] of model) {
          const group = keyGroupOf(murmur2(Buffer.from(key), 0, Buffer.byteLength(key)), MAX_PARALLELISM);
          const owner = shares.find((_, index) => {
            const { first, last } = keyGroupRange(index, parallelism, MAX_PARALLELISM);
            return first <= group && group <= last;
          });
          if (owner === undefined) throw new Error(`nobody has ${key}`);
          expectHeld(owner, key, naive);
        }
        for (const share of shares) share.base();
        const living = [...model.values()].filter((each) => !each.isEmpty()).length;
        expect(shares.reduce((size, { state }) => size + state.size, 0)).toBe(living);
      }
    }),
    { numRuns: 250 },
  );
  expect(seen).toBeGreaterThan(1_000);
});
