import { expect, test } from 'vitest';
import {
  defineJob,
  int64,
  type JobBuilder,
  kafkaSink,
  kafkaSource,
  listState,
  type Serde,
  type StateSpec,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';

interface Parts {
  readonly source?: string;
  readonly topic?: string;
  readonly key?: Serde<string>;
  readonly operator?: string;
  readonly states?: Record<string, Serde<unknown>>;
  /** Its states are lists. */
  readonly list?: boolean;
  /** They expire. */
  readonly ttlMs?: number;
  readonly sink?: string;
  readonly more?: (job: JobBuilder) => void;
}

function fingerprintOf({
  source = 'src',
  topic = 'in',
  key = utf8,
  operator = 'op',
  states = { count: int64 as Serde<unknown> },
  list = false,
  ttlMs,
  sink = 'out',
  more,
}: Parts = {}): string {
  const job = defineJob('job', (builder) => {
    builder
      .source(source, kafkaSource({ topic, value: utf8 }))
      .keyBy((line) => line, key)
      .process(operator, {
        state: Object.fromEntries(
          Object.entries(states).map(([name, serde]) => {
            const state: StateSpec<unknown> = list ? listState(serde) : valueState(serde);
            return [name, ttlMs === undefined ? state : withTtl(state, { ttlMs })];
          }),
        ),
        onRecord: () => {},
      })
      .sink(sink, kafkaSink({ topic: 'out', value: utf8 }));
    more?.(builder);
  });
  return fingerprint(describeGraph(job));
}

const before = fingerprintOf();
const OTHER_SERDE =
  'state of op: count had serde int64 and has now utf8: say how that is read (versioned({ version: 2, serde, older: { 1: { serde, migrate } } })), or keep it';

test('topics, functions and the order of states are not part of the fingerprint', () => {
  expect(fingerprintOf({ topic: 'elsewhere' })).toBe(before);
  const one = fingerprintOf({ states: { a: utf8, b: int64 } as Record<string, Serde<unknown>> });
  expect(fingerprintOf({ states: { b: int64, a: utf8 } as Record<string, Serde<unknown>> })).toBe(one);
  expect(checkCompatible(before, fingerprintOf({ topic: 'elsewhere' }))).toEqual({ outcome: 'same' });
});

test('a time to live may change, and neither come nor go', () => {
  const aging = fingerprintOf({ ttlMs: 1_000 });
  expect(fingerprintOf({ ttlMs: 5 })).toBe(aging);
  expect(checkCompatible(before, aging)).toEqual({
    outcome: 'incompatible',
    differences: [
      'state of op: count had serde int64 and has now expiring(int64): a time to live neither comes nor goes; give the state with the other one a name of its own',
    ],
  });
  expect(checkCompatible(aging, before).outcome).toBe('incompatible');
});

test('an operator without state may come and go', () => {
  const more = (job: JobBuilder) =>
    void job
      .source('src-2', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((line) => line, utf8)
      .process('stateless', { state: {}, onRecord: () => {} });
  const withIt = fingerprintOf({ more });
  expect(withIt).not.toContain('stateless');
});

test('what is new is compatible and said', () => {
  const more = (job: JobBuilder) => {
    job
      .source('src-2', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((line) => line, utf8)
      .sum('op-2', () => 1)
      .map(({ key }) => key)
      .sink('out-2', kafkaSink({ topic: 'out', value: utf8 }));
  };
  const next = fingerprintOf({ more, states: { count: int64, last: utf8 } as Record<string, Serde<unknown>> });
  expect(checkCompatible(before, next)).toEqual({
    outcome: 'changed',
    added: ['source src-2 is new', 'sink out-2 is new', 'keyed operator op-2 is new', 'state of op: last is new'],
    renamed: [],
  });
});

test.each<[string, Parts, string]>([
  [
    'a source that is gone',
    { source: 'renamed' },
    "source src is gone, and with it its offsets (if it is renamed now: { uid: 'renamed', formerly: 'src' } in place of its uid)",
  ],
  ['a sink that is gone', { sink: 'renamed' }, 'sink out is gone'],
  [
    'an operator that is gone',
    { operator: 'renamed' },
    "keyed operator op is gone, and with it its state count (if it is renamed now: { uid: 'renamed', formerly: 'op' } in place of its uid)",
  ],
  ['an operator that has no state any more', { states: {} }, 'keyed operator op is gone, and with it its state count'],
  [
    'another key serde',
    { key: { ...utf8, name: 'other' } },
    "key serde of op was utf8 and is now other: its bytes say where a key's state is, so it cannot be migrated (write the state anew: onceflow state read, state write)",
  ],
  [
    'a state that is gone',
    { states: { total: int64 as Serde<unknown> } },
    "state of op: count is gone (if it is total now: renamed(…, { formerly: 'count' }) at total)",
  ],
  ['another state serde', { states: { count: utf8 as Serde<unknown> } }, OTHER_SERDE],
])('%s is incompatible and said', (_, parts, difference) => {
  const answer = checkCompatible(before, fingerprintOf(parts));
  expect(answer).toEqual({ outcome: 'incompatible', differences: [difference] });
});

test('the fingerprint names the kind of each state', () => {
  expect(JSON.parse(before)).toMatchObject({ version: 2, operators: { op: { states: { count: { kind: 'value', serdes: ['int64'] } } } } });
});

test('a fingerprint of version 1 says the same of value states, and what differs from it is said', () => {
  const first = JSON.stringify({
    ...{ version: 1, sources: ['src'], sinks: ['out'] },
    operators: { op: { key: 'utf8', states: { count: 'int64' } } },
  });
  expect(checkCompatible(first, before)).toEqual({ outcome: 'same' });
  expect(checkCompatible(first, fingerprintOf({ states: { count: int64, last: utf8 } as Record<string, Serde<unknown>> }))).toEqual({
    outcome: 'changed',
    added: ['state of op: last is new'],
    renamed: [],
  });
  expect(checkCompatible(first, fingerprintOf({ states: { count: utf8 as Serde<unknown> } }))).toEqual({
    outcome: 'incompatible',
    differences: [OTHER_SERDE],
  });
  expect(checkCompatible(first, fingerprintOf({ list: true }))).toEqual({
    outcome: 'incompatible',
    differences: ['state of op: count was a value state and is now a list state: keep it as it was, and give the list state another name'],
  });
});

test('a fingerprint of another version is refused', () => {
  expect(() => checkCompatible('{"version":3}', before)).toThrow(
    "the job's row holds a fingerprint of version 3, and this build reads versions 1 to 2: run the build that wrote it, or a later one",
  );
});

test('an operator, or a state, with the name of what every object has is compared as any other', () => {
  const states = { count: int64 as Serde<unknown> };
  const odd = { ...states, constructor: utf8 as Serde<unknown>, toString: utf8 as Serde<unknown> };
  expect(checkCompatible(fingerprintOf({ states: odd }), fingerprintOf({ states }))).toEqual({
    outcome: 'incompatible',
    differences: ['state of op: constructor is gone', 'state of op: toString is gone'],
  });
  expect(checkCompatible(fingerprintOf({ states }), fingerprintOf({ states: odd })).outcome).toBe('changed');
  expect(checkCompatible(fingerprintOf({ operator: 'constructor' }), fingerprintOf())).toEqual({
    outcome: 'incompatible',
    differences: [
      "keyed operator constructor is gone, and with it its state count (if it is op now: { uid: 'op', formerly: 'constructor' } in place of its uid)",
    ],
  });
});
