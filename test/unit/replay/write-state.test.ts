import { expect, it } from 'vitest';
import {
  aggregatingState,
  defineJob,
  float64,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  tumblingWindows,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { overlayOf } from '../../../lib/replay/read-only.ts';
import { readStates } from '../../../lib/replay/read-state.ts';
import { stateOwners } from '../../../lib/replay/state-of.ts';
import { StateLineError, writeStates } from '../../../lib/replay/write-state.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { openSpool } from '../../../lib/storage/spool.ts';

const MAX_PARALLELISM = 128;

const job = defineJob('accounts', (draft) => {
  const keyed = draft
    .source('read', kafkaSource({ topic: 'lines', value: utf8, eventTime: { maxOutOfOrdernessMs: 0 } }))
    .keyBy((line) => line, utf8);
  keyed
    .process('keep', {
      state: {
        balance: valueState(int64, 0),
        ratio: valueState(float64),
        owners: listState(utf8),
        limits: mapState(utf8, int64),
        highest: reducingState(int64, (one, other) => Math.max(one, other)),
        mean: aggregatingState(json<{ sum: number; n: number }>(), {
          initial: { sum: 0, n: 0 },
          add: ({ sum, n }, price: number) => ({ sum: sum + price, n: n + 1 }),
          result: ({ sum, n }) => sum / n,
        }),
      },
      onRecord(_line, _state, _out: Output<string>, { timers }) {
        timers.setEventTime(0);
      },
      onTimer() {},
    })
    .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  keyed
    .window(tumblingWindows({ sizeMs: 1_000 }))
    .aggregate('count', { accumulator: int64, initial: 0, add: (n) => n + 1, result: (n) => `${n}` })
    .sink('write-counts', kafkaSink({ topic: 'counts', value: utf8 }));
});

const LINES = [
  { operator: 'keep', key: 'ann', state: 'balance', kind: 'value', value: 12 },
  { operator: 'keep', key: 'ann', state: 'ratio', kind: 'value', value: { number: 'NaN' } },
  { operator: 'keep', key: 'ann', state: 'owners', kind: 'list', value: ['x', 'y'] },
  {
    operator: 'keep',
    key: 'bob',
    state: 'limits',
    kind: 'map',
    value: [
      ['a', 1],
      ['b', -2],
    ],
  },
  { operator: 'keep', key: 'bob', state: 'highest', kind: 'reducing', value: 9 },
  { operator: 'keep', key: 'bob', state: 'mean', kind: 'aggregating', value: { sum: 6, n: 3 } },
  { operator: 'keep', key: 'bob', state: '@timers', kind: 'timers', value: { event: [5, 7], processing: [] } },
  {
    operator: 'count',
    key: 'ann',
    state: '@windows',
    kind: 'map',
    value: [[1_000, { count: 2, wasGiven: false, firstMs: 0, lastMs: 0, accumulator: 2 }]],
  },
];

let ids = 0;
const random = { id: () => (ids++).toString(16).padStart(32, '0'), fraction: () => 0 };

async function written(lines: readonly string[]) {
  const blobs = createBlobs(overlayOf({ get: (name) => Promise.reject(new Error(name)) }), random);
  const spool = openSpool();
  try {
    const place = { job: 'accounts', incarnation: 'new', processingMs: 5, maxParallelism: MAX_PARALLELISM };
    const all = (async function* () {
      yield* lines;
    })();
    return { blobs, ...(await writeStates({ owners: stateOwners(job), ...place, blobs, random, spool }, all)) };
  } finally {
    spool.close();
  }
}

it('what lines say is what is read of the snapshots that are made of them: of every kind', async () => {
  const { blobs, state, lines } = await written([...LINES.map((line) => JSON.stringify(line)), '']);
  expect(lines).toBe(LINES.length);
  const read = await Array.fromAsync(readStates({ blobs, maxParallelism: MAX_PARALLELISM }, stateOwners(job), { state }, {}));
  const byPlace = (all: readonly { operator: string; key: unknown; state: string }[]) =>
    all.toSorted((one, other) =>
      JSON.stringify([one.operator, one.key, one.state]).localeCompare(JSON.stringify([other.operator, other.key, other.state])),
    );
  expect(byPlace(read)).toEqual(byPlace(LINES));
  // Each key is in the snapshot of its key group, and the timers are known to be due.
  expect(state['keep']?.filter(({ due }) => due !== undefined)).toMatchObject([{ due: { eventMs: 5 } }]);
  expect(state['keep']?.[0]?.keyGroups.first).toBe(0);
  expect(state['keep']?.at(-1)?.keyGroups.last).toBe(MAX_PARALLELISM - 1);
});

it('an operator of which nothing is said keeps nothing', async () => {
  expect(Object.keys((await written([JSON.stringify(LINES[0])])).state)).toEqual(['keep']);
});

it.each([
  ['no JSON', 'ann', 'line 2: it is no JSON: '],
  ['another object', '{"key":"ann"}', 'line 2: it must be {"operator": …, "key": …, "state": …, "value": …}'],
  [
    'an operator that is not there',
    { operator: 'other', key: 'a', state: 's', value: 1 },
    'line 2: the job has no operator other that keeps state; it has keep, count',
  ],
  ['a state that is not there', { operator: 'keep', key: 'a', state: 's', value: 1 }, 'line 2: operator keep keeps no s by key'],
  [
    'no key',
    { operator: 'keep', key: null, state: 'balance', value: 1 },
    'line 2: operator keep keeps no balance of what is broadcast to it (key null)',
  ],
  [
    'a key of another type',
    { operator: 'keep', key: 7, state: 'balance', value: 1 },
    'line 2: its key is none that operator keep can have: ',
  ],
  [
    'a value of another type',
    { operator: 'keep', key: 'a', state: 'balance', value: 'much' },
    'line 2: state balance of operator keep cannot hold this value: ',
  ],
  [
    'a map that is no list of entries',
    { operator: 'keep', key: 'a', state: 'limits', value: { a: 1 } },
    'line 2: state limits of operator keep cannot hold this value: {"a":1} is no list',
  ],
  ['the same twice', LINES[0], 'line 2: state balance of this key was said by a line before'],
])('%s is refused with the number of the line', async (_what, line, message) => {
  const lines = [JSON.stringify(LINES[0]), typeof line === 'string' ? line : JSON.stringify(line)];
  const failed = await written(lines).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(StateLineError);
  expect((failed as Error).message).toContain(message);
});
