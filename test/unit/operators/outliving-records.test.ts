import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  customSerde,
  defineJob,
  int64,
  json,
  type KeyedContext,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type ListState,
  listState,
  type MapState,
  mapState,
  type Output,
  type ReducingState,
  reducingState,
  type Serde,
  structured,
  utf8,
  type ValueState,
  valueState,
} from '../../../lib/api/index.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { UserCodeError } from '../../../lib/records/errors.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from './runtimes.ts';

/*
 * Objects and handles that user code still has when their record is done with: from the state, from the stream, from the
 * engine. Whatever is done to them later is without effect, or an error; never a change of what is counted.
 */

const context = stageContext({ partitions: 1 });
const out = (topic = 'out') => kafkaSink({ topic, value: json<unknown>() });
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [] };

/** A job whose lines are JSON: key and value. */
function job(add: (stream: KeyedStream<string, Line>) => void): JobDefinition {
  return defineJob('job', (builder) => {
    add(builder.source('src', kafkaSource({ topic: 'in', value: json<Line>() })).keyBy(({ key }) => key, utf8));
  });
}

interface Line {
  readonly key: string;
  v: number;
}

function segmentOf(of: JobDefinition, stage: string, lines: readonly unknown[]): Buffer {
  const source = createSourceRuntime(compiled(of), 'src', context);
  source.begin();
  source.consume('in', 0, recordSet(lines.map((line) => ({ value: JSON.stringify(line) }))), ALL);
  return throughBlob(partsTo(source.finish(), stage)[0] ?? []);
}

const line = (key: string, v: number): Line => ({ key, v });

/** An operator stage as functions run it: what an attempt did that fails is dropped, and the state loaded again. */
class Stage {
  readonly #job: JobDefinition;
  readonly #stage: string;
  runtime: OperatorRuntime;
  #snapshots = new Map<string, Buffer[]>();

  constructor(of: JobDefinition, stage = 'op') {
    this.#job = of;
    this.#stage = stage;
    this.runtime = createOperatorRuntime(compiled(of), stage, context, 0);
  }

  epoch(lines: readonly unknown[], ...more: (readonly unknown[])[]): unknown[] {
    try {
      this.runtime.begin();
      for (const part of [lines, ...more]) this.runtime.consume(segmentOf(this.#job, this.#stage, part));
      const output = this.runtime.finish();
      for (const [uid, state] of this.runtime.states)
        this.#snapshots.set(uid, [...(this.#snapshots.get(uid) ?? []), Buffer.concat(state.takeDelta())]);
      return stagedValues(output, 'out').map((text) => JSON.parse(text ?? 'null'));
    } catch (error) {
      this.restart();
      throw error;
    }
  }

  restart(): void {
    this.runtime = createOperatorRuntime(compiled(this.#job), this.#stage, context, 0);
    for (const [uid, payloads] of this.#snapshots) this.runtime.states.get(uid)?.load(payloads);
  }
}

const collecting = (onRecord: (value: Line, list: ValueState<number[], number[]>) => void, initial: number[] | (() => number[]) = []) =>
  job((stream) =>
    stream
      .process('op', {
        state: { list: valueState(json<number[]>(), initial) },
        onRecord(value, { list }, output: Output<number[]>) {
          onRecord(value, list);
          output.emit(list.get());
          if (value.v < 0) throw new Error('asked');
        },
      })
      .sink('out', out()),
  );

const pushAndReturn = collecting(({ v }, list) => {
  list.update((values) => {
    values.push(v);
    return values;
  });
});
const pushAndSet = collecting(({ v }, list) => {
  const values = list.get();
  values.push(v);
  list.set(values);
});
const pushAlone = collecting(({ v }, list) => void list.get().push(v));
const pushToFresh = collecting(
  ({ v }, list) => void list.get().push(v),
  () => [],
);

describe.each([
  ['in update', pushAndReturn],
  ['and set', pushAndSet],
  ['and not set', pushAlone],
  ['and not set, and the initial one is made by a function', pushToFresh],
])('a value that is changed in place (%s)', (_how, definition) => {
  it('is of its key alone, the initial one too', () => {
    const stage = new Stage(definition);
    expect(stage.epoch([line('a', 1), line('b', 2), line('a', 3), line('c', 4)])).toEqual([[1], [2], [1, 3], [4]]);
    expect(stage.epoch([line('d', 5), line('b', 6)])).toEqual([[5], [2, 6]]);
  });

  it('is changed once when the first attempt fails, and what that did is gone', () => {
    const stage = new Stage(definition);
    expect(() => stage.epoch([line('a', 1), line('a', -2)])).toThrow('op: Error: asked');
    expect(stage.epoch([line('a', 1), line('a', 2)])).toEqual([[1], [1, 2]]);
    expect(() => stage.epoch([line('a', 3), line('b', 9), line('b', -1)])).toThrow('asked');
    expect(stage.epoch([line('a', 3), line('b', 9)])).toEqual([[1, 2, 3], [9]]);
  });

  it('is there after a restart', () => {
    const stage = new Stage(definition);
    stage.epoch([line('a', 1)], [line('a', 2), line('b', 3)]);
    stage.restart();
    expect(stage.epoch([line('a', 4), line('b', 5)])).toEqual([
      [1, 2, 4],
      [3, 5],
    ]);
  });
});

describe('a value that is only read', () => {
  it('is not written again, and the initial one leaves nothing', () => {
    const stage = new Stage(collecting(() => {}));
    stage.epoch([line('a', 1)]);
    expect(stage.runtime.states.get('op')?.size).toBe(0);
    const kept = new Stage(collecting(({ v }, list) => void (v > 0 && list.set([v]))));
    kept.epoch([line('a', 1)]);
    kept.runtime.begin();
    kept.runtime.consume(segmentOf(pushAlone, 'op', [line('a', 0)]));
    expect(kept.runtime.states.get('op')?.changed()).toBe(false);
  });
});

describe('an object that is kept beyond its record', () => {
  it('is frozen when its part of the epoch is done with: who changes it later is told, and the state is as it was', () => {
    let held: number[] | undefined;
    const definition = collecting(({ v }, list) => {
      if (v === 2) held?.push(99);
      held = list.update((values) => [...values, v]);
    });
    const stage = new Stage(definition);
    stage.epoch([line('a', 1)]);
    expect(() => stage.epoch([line('b', 2)])).toThrow(/^op: TypeError: Cannot add property 1, object is not extensible/);
    expect(stage.epoch([line('a', 3)])).toEqual([[1, 3]]);
  });

  it('that came from a serde of bytes or of classes changes nothing', () => {
    class Counter {
      n: number;
      constructor(n: number) {
        this.n = n;
      }
    }
    const serde = customSerde<Counter>({
      name: 'counter',
      serialize: ({ n }) => Buffer.from([n]),
      deserialize: (from) => new Counter(from[0] ?? 0),
    });
    const held: Counter[] = [];
    const definition = job((stream) =>
      stream
        .process('op', {
          state: { counter: valueState(serde, () => new Counter(0)) },
          onRecord(_, { counter }, output: Output<number>) {
            for (const each of held) each.n = 77;
            const value = counter.get();
            value.n++;
            output.emit(value.n);
            held.push(value);
          },
        })
        .sink('out', out()),
    );
    const stage = new Stage(definition);
    expect(stage.epoch([line('a', 1)])).toEqual([1]);
    expect(stage.epoch([line('a', 1)])).toEqual([2]);
    stage.restart();
    expect(stage.epoch([line('a', 1)])).toEqual([3]);
  });

  it('of the original initial value changes no key', () => {
    const initial: number[] = [];
    const stage = new Stage(collecting(({ v }, list) => void list.get().push(v), initial));
    stage.epoch([line('a', 1)]);
    initial.push(99);
    expect(stage.epoch([line('b', 2)])).toEqual([[2]]);
  });

  it('that a function gives again and again is of no two keys, and stays as it is', () => {
    const initial: number[] = [];
    const stage = new Stage(
      collecting(
        ({ v }, list) => void list.get().push(v),
        () => initial,
      ),
    );
    expect(stage.epoch([line('a', 1), line('b', 2)])).toEqual([[1], [2]]);
    expect(stage.epoch([line('c', 3), line('a', 4)])).toEqual([[3], [1, 4]]);
    expect(initial).toEqual([]);
  });
});

describe('what is behind a keyed operator', () => {
  it('may change what it gets, and the state does not change with it', () => {
    const definition = job((stream) =>
      stream
        .reduce('op', (sum, each) => ({ ...sum, v: sum.v + each.v }), json<Line>())
        .map((value) => {
          value.v *= 100;
          return value.v;
        })
        .sink('out', out()),
    );
    const stage = new Stage(definition);
    expect(stage.epoch([line('a', 1), line('a', 2)])).toEqual([100, 300]);
    expect(stage.epoch([line('a', 4)])).toEqual([700]);
  });

  it('may change what it gets through a union too', () => {
    const definition = job((stream) => {
      const sums = stream.reduce('op', (sum, each) => ({ ...sum, v: sum.v + each.v }), json<Line>());
      sums
        .union(sums.filter(() => false))
        .map((value) => {
          value.v *= 100;
          return value.v;
        })
        .sink('out', out());
    });
    const stage = new Stage(definition);
    expect(stage.epoch([line('a', 1), line('a', 2)])).toEqual([100, 300]);
    expect(stage.epoch([line('a', 4)])).toEqual([700]);
  });

  it('gets the value as it was emitted, whatever the operator does to it afterwards', () => {
    const definition = job((stream) =>
      stream
        .process('op', {
          state: {},
          onRecord(value, _, output: Output<Line>) {
            output.emit(value);
            value.v++;
            output.emit(value);
          },
        })
        .sink('out', out()),
    );
    expect(new Stage(definition).epoch([line('a', 1)])).toEqual([line('a', 1), line('a', 2)]);
  });
});

describe('of several that read a stream', () => {
  it('none sees what another changed: branches of a source', () => {
    const definition = defineJob('job', (builder) => {
      const stream = builder.source('src', kafkaSource({ topic: 'in', value: json<{ list: number[]; when?: Date }>() }));
      const changed = stream.map((value) => {
        value.list.push(1);
        return value;
      });
      changed.sink('first', out('first'));
      stream
        .filter((value) => {
          value.list.push(2);
          return true;
        })
        .sink('second', out('second'));
      changed.map((value) => value.list.push(3)).sink('third', out('third'));
      stream.sink('fourth', out('fourth'));
    });
    const source = createSourceRuntime(compiled(definition), 'src', context);
    source.begin();
    source.consume('in', 0, recordSet([{ value: '{"list":[0]}' }]), ALL);
    const output = source.finish();
    const of = (uid: string) => JSON.parse(stagedValues(output, uid)[0] ?? 'null');
    expect(['first', 'second', 'third', 'fourth'].map(of)).toEqual([{ list: [0, 1] }, { list: [0, 2] }, 3, { list: [0] }]);
  });

  it('none sees what another changed: branches that go through a union', () => {
    const definition = defineJob('job', (builder) => {
      const stream = builder.source('src', kafkaSource({ topic: 'in', value: json<{ list: number[] }>() }));
      const more = builder.source('more', kafkaSource({ topic: 'more', value: json<{ list: number[] }>() }));
      stream
        .union(more)
        .union(more.map((value) => value))
        .map((value) => value.list.push(1))
        .sink('first', out('first'));
      stream.sink('second', out('second'));
    });
    const source = createSourceRuntime(compiled(definition), 'src', context);
    source.begin();
    source.consume('in', 0, recordSet([{ value: '{"list":[0]}' }]), ALL);
    const output = source.finish();
    const of = (uid: string) => JSON.parse(stagedValues(output, uid)[0] ?? 'null');
    expect(['first', 'second'].map(of)).toEqual([2, { list: [0] }]);
  });

  it('none sees what another changed: operators of one keyBy, of the value and of the key', () => {
    const definition = defineJob('job', (builder) => {
      const stream = builder
        .source('src', kafkaSource({ topic: 'in', value: json<{ k: { n: number }; list: number[] }>() }))
        .keyBy(({ k }) => k, structured as Serde<{ n: number }>);
      for (const uid of ['op', 'op-2']) {
        stream
          .process(uid, {
            state: { seen: valueState(int64, 0) },
            onRecord(value, { seen }, output: Output<unknown>, keyed) {
              value.list.push(seen.update((n) => n + 1));
              output.emit([keyed.key.n, value.list]);
              (keyed.key as { n: number }).n = 99;
            },
          })
          .sink(uid === 'op' ? 'out' : 'out-2', out(uid));
      }
    });
    const stage = new Stage(definition);
    stage.runtime.begin();
    stage.runtime.consume(
      segmentOf(definition, 'op', [
        { k: { n: 1 }, list: [] },
        { k: { n: 1 }, list: [7] },
      ]),
    );
    const output = stage.runtime.finish();
    const of = (uid: string) => stagedValues(output, uid).map((text) => JSON.parse(text ?? ''));
    const expected = [
      [1, [1]],
      [1, [7, 2]],
    ];
    expect([of('out'), of('out-2')]).toEqual([expected, expected]);
  });
});

/** A job that does something later, by `later`, in the way that a job's author would not see. */
function lateJob(late: (handles: Handles) => void, later: (run: () => void) => void): JobDefinition {
  return job((stream) =>
    stream
      .process('op', {
        state: {
          n: valueState(int64, 0),
          list: valueState(json<number[]>(), []),
          items: listState(int64),
          map: mapState(utf8, int64),
          sum: reducingState(int64, (one, other) => one + other),
        },
        onRecord(value, { n, list, items, map, sum }, output: Output<unknown>, keyed) {
          n.update((count) => count + 1);
          map.set('entry', 1);
          const entries = map.entries();
          if (value.v < 0) later(() => late({ n, list, items, map, entries, sum, output, keyed }));
        },
      })
      .sink('out', out()),
  );
}

interface Handles {
  readonly n: ValueState<number, number>;
  readonly list: ValueState<number[], number[]>;
  readonly items: ListState<number>;
  readonly map: MapState<string, number>;
  readonly entries: IteratorObject<unknown>;
  readonly sum: ReducingState<number>;
  readonly output: Output<unknown>;
  readonly keyed: KeyedContext<string>;
}

const uses: readonly [string, (handles: Handles) => void][] = [
  ['out.emit', ({ output }) => output.emit('late')],
  ['state n', ({ n }) => void n.get()],
  ['state n', ({ n }) => n.set(5)],
  ['state n', ({ n }) => void n.update((count) => count + 1)],
  ['state n', ({ n }) => n.clear()],
  ['state list', ({ list }) => void list.get()],
  ['state list', ({ list }) => list.set([1])],
  ['state list', ({ list }) => list.clear()],
  ['state items', ({ items }) => items.add(1)],
  ['state map', ({ map }) => map.set('late', 1)],
  ['state map', ({ map }) => void map.delete('entry')],
  ['state map', ({ map }) => map.clear()],
  ['state map', ({ map }) => void [...map.keys()]],
  ['iterator of state map', ({ entries }) => void entries.next()],
  ['state sum', ({ sum }) => sum.add(1)],
  ['context.key', ({ keyed }) => void keyed.key],
  ['context.timestamp', ({ keyed }) => void keyed.timestamp],
];

describe.each(uses)('%s, used outside of its record', (what, use) => {
  /** The error that the late use throws in user code. */
  async function lateUse(wait: () => Promise<void>): Promise<{ readonly stage: Stage; readonly thrown: Promise<unknown> }> {
    let told: (error: unknown) => void = () => {};
    const thrown = new Promise((resolve) => {
      told = resolve;
    });
    const stage = new Stage(
      lateJob(use, (run) => {
        void wait()
          .then(run)
          .then(() => told(undefined), told);
      }),
    );
    return { stage, thrown };
  }

  it('throws, and the attempt fails as user code that names the operator, also behind the last row', async () => {
    const { stage, thrown } = await lateUse(() => Promise.resolve());
    stage.runtime.begin();
    stage.runtime.consume(segmentOf(pushAlone, 'op', [line('a', -1)]));
    expect(await thrown).toEqual(expect.objectContaining({ name: 'OutsideRecordError', operator: 'op' }));
    expect(() => stage.runtime.finish()).toThrow(
      expect.objectContaining({
        name: 'UserCodeError',
        operator: 'op',
        message: expect.stringContaining(`${what} was used outside of its record`),
      }),
    );
  });

  it('fails the attempt that is under way when it comes, if its own is over', async () => {
    const { stage, thrown } = await lateUse(() => sleep(5));
    stage.epoch([line('a', -1), line('a', 1)]);
    const before = Buffer.concat(stage.runtime.states.get('op')?.takeBase() ?? []);
    expect(await thrown).toBeInstanceOf(OutsideRecordError);
    expect(Buffer.concat(stage.runtime.states.get('op')?.takeBase() ?? []).equals(before)).toBe(true);
    expect(() => stage.epoch([line('a', 1)])).toThrow(UserCodeError);
    expect(stage.epoch([line('a', 1)])).toEqual([]);
  });
});

it('a use that user code hides fails the attempt all the same', async () => {
  const stage = new Stage(
    lateJob(
      ({ output }) => {
        try {
          output.emit('late');
        } catch {}
      },
      (run) => void Promise.resolve().then(run),
    ),
  );
  stage.runtime.begin();
  stage.runtime.consume(segmentOf(pushAlone, 'op', [line('a', -1)]));
  await setImmediate();
  expect(() => stage.runtime.checkStray()).toThrow(/op: OutsideRecordError: out.emit/);
  expect(() => stage.runtime.checkStray()).not.toThrow();
});

describe('a promise where a value should be', () => {
  const thenable = Object.fromEntries([['then', (done: (value: number) => void) => done(1)]]);

  it.each<[string, unknown]>([
    ['a promise', Promise.resolve(1)],
    ['what has a then', thenable],
  ])('is refused from out.emit, map and flatMap: %s', (_what, promise) => {
    const emitting = job((stream) =>
      stream.process('op', { state: {}, onRecord: (_line, _state, output: Output<unknown>) => output.emit(promise) }).sink('out', out()),
    );
    expect(() => new Stage(emitting).epoch([line('a', 1)])).toThrow(/^op: TypeError: the function returned a promise/);
    for (const add of ['map', 'flatMap'] as const) {
      const definition = defineJob('job', (builder) => {
        const stream = builder.source('src', kafkaSource({ topic: 'in', value: utf8 }));
        (add === 'map' ? stream.map(() => promise) : stream.flatMap(() => ['a', promise])).sink('out', out());
      });
      const source = createSourceRuntime(compiled(definition), 'src', context);
      source.begin();
      expect(() => source.consume('in', 0, recordSet([{ value: 'x' }]), ALL)).toThrow(/returned a promise/);
    }
  });
});

it('sum takes numbers alone: a text would be put behind the sum, and NaN would stay for ever', () => {
  for (const given of ['12', undefined, null, Number.NaN, 12n]) {
    const definition = job((stream) =>
      stream
        .sum('op', () => given as number)
        .map(({ sum }) => sum)
        .sink('out', out()),
    );
    const stage = new Stage(definition);
    expect(() => stage.epoch([line('a', 1)])).toThrow(/^op: TypeError: the selector of sum gave .* which is no number/);
  }
});
