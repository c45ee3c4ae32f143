import { describe, expect, it } from 'vitest';
import {
  aggregatingState,
  type DataStream,
  defineJob,
  int64,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  type StateSpec,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { isAt } from '../../../lib/graph/kinds.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { BlobStore, ByteRange } from '../../../lib/ports/blob-store.ts';
import type { OperatorAnswer } from '../../../lib/protocol/answers.ts';
import type { BlobRef, KeyGroupRange, SnapshotRef } from '../../../lib/protocol/references.ts';
import type { OperatorRequest } from '../../../lib/protocol/requests.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, type StageTools } from '../../../lib/stages/serve.ts';
import { readSnapshotBlobs } from '../../../lib/stages/snapshot-blobs.ts';
import { readSnapshot } from '../../../lib/state/snapshot/reader.ts';
import { StateSet } from '../../../lib/state/state-set.ts';
import { storedStates } from '../../../lib/state/stored-state.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { Dice } from '../../simulation/kernel/dice.ts';
import { compiled, partsTo, recordSet, stageContext, topicFacts } from '../operators/runtimes.ts';

const MAX_PARALLELISM = 16;
/** Of a dozen keys, where there are a hundred. */
const TINY_BYTES = 3_000;

interface Row {
  readonly k: string;
  /** Event time. */
  readonly t: number;
  readonly do: string;
  readonly n: number;
}

interface Epoch {
  readonly rows: readonly Row[];
  readonly afterMs: number;
  readonly processingMs: number;
  /** Does it begin in new processes? */
  readonly isCold: boolean;
  readonly subtasks: number;
}

type Operator = (keyed: KeyedStream<string, Row>) => DataStream<string>;

function jobOf(operator: Operator): JobDefinition {
  return defineJob('job', (job) => {
    const eventTime = { timestamp: ({ t }: Row) => t, maxOutOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY };
    const keyed = job
      .source('src', kafkaSource({ topic: 'in', value: json<Row>(), eventTime }))
      .keyBy(({ k }) => k, utf8, { value: json<Row>() });
    operator(keyed).sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
}

const ofStates = (expires: boolean): Operator => {
  const of = <Handle>(spec: StateSpec<Handle>): StateSpec<Handle> => (expires ? withTtl(spec, { ttlMs: 300 }) : spec);
  return (keyed) =>
    keyed.process('op', {
      state: {
        number: of(valueState(int64, 0)),
        object: of(valueState(json<{ n: number }>(), { n: 0 })),
        list: of(listState(int64)),
        map: of(mapState(int64, json<{ n: number }>())),
        least: of(reducingState(int64, (one, other) => Math.min(one, other))),
        sum: of(aggregatingState(json<{ n: number }>(), { initial: { n: 0 }, add: (sum, n: number) => ({ n: sum.n + n }) })),
      },
      onRecord({ k, do: what, n }, { number, object, list, map, least, sum }, out: Output<string>) {
        if (what === 'number') number.update((before) => before + n);
        if (what === 'object') object.get().n += n;
        if (what === 'list') list.add(n);
        if (what === 'entry') map.set(n % 7, { n });
        if (what === 'delete') map.delete(n % 7);
        if (what === 'add') least.add(n);
        if (what === 'add') sum.add(n);
        if (what === 'clear') for (const state of [number, object, list, map, least, sum]) state.clear();
        const all = [number.get(), object.get(), [...list], [...map], least.get(), sum.get()];
        out.emit(`${k} ${JSON.stringify(all)}`);
      },
    });
};

const operators: Readonly<Record<string, Operator>> = {
  'states of every kind': ofStates(false),
  'states that expire': ofStates(true),
  timers: (keyed) =>
    keyed.process('op', {
      state: { seen: valueState(int64, 0) },
      onRecord({ k, t, do: what, n }, { seen }, out: Output<string>, { timers, processingTimeMs }) {
        const count = seen.update((before) => before + 1);
        if (what === 'clear') seen.clear();
        if (what === 'number') timers.setEventTime(t + n * 10);
        if (what === 'list') timers.setProcessingTime(processingTimeMs + n * 10);
        if (what === 'delete') timers.deleteEventTime(t + n * 10);
        out.emit(`${k} ${count}`);
      },
      onTimer({ domain, timeMs }, { seen }, out: Output<string>, { key, timers }) {
        out.emit(`${key} ${domain} ${timeMs} ${seen.update((before) => before + 100)}`);
        if (timeMs % 3 === 0) timers.setEventTime(timeMs + 40);
      },
    }),
  'rows in order of time': (keyed) =>
    keyed.process('op', {
      inTimeOrder: true,
      state: { seen: listState(int64) },
      onRecord({ k, n }, { seen }, out: Output<string>) {
        seen.add(n);
        out.emit(`${k} ${[...seen].join(',')}`);
      },
    }),
  'tumbling windows': (keyed) => counted(keyed.window(tumblingWindows({ sizeMs: 100 }))),
  'sliding windows': (keyed) => counted(keyed.window(slidingWindows({ sizeMs: 200, slideMs: 50 }))),
  sessions: (keyed) => counted(keyed.window(sessionWindows({ gapMs: 60 }))),
};

function counted(windowed: ReturnType<KeyedStream<string, Row>['window']>): DataStream<string> {
  return windowed
    .aggregate('op', {
      accumulator: int64,
      initial: 0,
      add: (sum: number, { n }: Row) => sum + n,
      merge: (one: number, other: number) => one + other,
    })
    .map((sum) => `${sum}`);
}

function drawn(seed: number): Epoch[] {
  const dice = new Dice(seed);
  let [afterMs, processingMs, subtasks] = [0, 1_000, 1];
  return Array.from({ length: 60 }, (_, epoch) => {
    afterMs += dice.whole(0, 60);
    processingMs += dice.whole(1, 80);
    if (dice.chance(0.05)) subtasks = dice.whole(1, 3);
    const isIdle = dice.chance(0.1);
    return {
      afterMs,
      processingMs,
      subtasks,
      isCold: epoch > 0 && dice.chance(0.15),
      rows: Array.from({ length: isIdle ? 0 : dice.whole(1, 25) }, () => ({
        // Some keys are met again and again, and most are not.
        k: dice.chance(0.3) ? `hot${dice.whole(0, 3)}` : `key${dice.whole(0, 120)}`,
        t: afterMs + dice.whole(-40, 150),
        do: dice.pick(['number', 'number', 'object', 'list', 'entry', 'entry', 'delete', 'add', 'clear', 'read']),
        n: dice.whole(1, 50),
      })),
    };
  });
}

/** The operator's stage over these epochs, as its functions run it. Answers what it has given, and what its state is at the end. */
async function ran(job: JobDefinition, epochs: readonly Epoch[], boundBytes: number | undefined) {
  let ids = 0;
  let opened = 0;
  const stored = new Map<string, Buffer>();
  const store = {
    put: async (name: string, ...parts: readonly Uint8Array[]) => void stored.set(name, Buffer.concat(parts)),
    get: async (name: string, range?: ByteRange) => Buffer.from(stored.get(name)?.subarray(range?.start, range?.end) ?? []),
  } as unknown as BlobStore;
  const random = { id: () => `${ids++}`.padStart(32, '0'), fraction: () => 0 };
  const blobs = createBlobs(store, random);
  const openRows = () => {
    opened++;
    return openSpilledRows();
  };
  const tools = {
    ...{ ...compiled(job), build: 'b', blobs, random, inlineBlobBytes: 0 },
    clock: { elapsedMs: () => 0 },
    stateBound: boundBytes === undefined ? undefined : { boundBytes, openRows },
  } as unknown as StageTools;
  const given: string[] = [];
  let partsOfBases = 0;
  let before = epochs[0];
  let server = createOperatorServer();
  let snapshots: readonly SnapshotRef[] = rangesOf(1).map((keyGroups) => ({ id: 'empty', keyGroups, deltas: [] }));
  for (const [number, epoch] of epochs.entries()) {
    if (epoch.isCold) server = createOperatorServer();
    const { subtasks } = epoch;
    const context = stageContext({ parallelism: subtasks, maxParallelism: MAX_PARALLELISM, partitions: 1 });
    const source = createSourceRuntime(compiled(job), 'src', context);
    source.begin(undefined, undefined, { processingMs: epoch.processingMs });
    const records = epoch.rows.map((row) => ({ value: JSON.stringify(row) }));
    if (records.length > 0) source.consume('in', 0, recordSet(records), { from: 0, to: records.length, aborted: [] });
    const parts = partsTo(source.finish(), 'op');
    const after = await Promise.all(
      rangesOf(subtasks).map(async (keyGroups, subtask) => {
        const place = { job: 'job', incarnation: 'inc', stage: 'op', subtask, epoch: number + 1 };
        const part = parts[subtask];
        const inputs =
          part === undefined ? [] : [{ edge: 'src>op.0', input: 0, ref: await blobs.write(place, 'exchange', 'exchange', part, 0) }];
        const request = {
          ...{ ask: 'process', ...place, keyGroups, inputs, parallelism: { op: subtasks }, maxParallelism: MAX_PARALLELISM },
          ...{ timeoutMs: 1_000, decisionId: `d${number}`, sinkFacts: { out: topicFacts({ partitions: 1 }) } },
          meeting: { exchanges: 1, staged: 1, snapshots: 1 },
          snapshots: { op: snapshots.filter(({ keyGroups: { first, last } }) => first <= keyGroups.last && last >= keyGroups.first) },
          time: { beforeMs: number === 0 ? undefined : before?.afterMs, afterMs: epoch.afterMs, processingMs: epoch.processingMs },
        };
        return processed(await server(tools, received(request as unknown as OperatorRequest, 0)));
      }),
    );
    before = epoch;
    for (const { edges, snapshots: taken } of after) {
      for (const { parts: refs } of Object.values(edges)) for (const ref of refs) given.push(await textOf(blobs, ref));
      partsOfBases += taken['op']?.baseParts ?? 0;
    }
    given.push(`epoch ${number}, due ${JSON.stringify(after.map(({ snapshots: taken }) => taken['op']?.due))}`);
    snapshots = after.flatMap(({ snapshots: taken }) => taken['op'] ?? []);
  }
  return { given, state: await contentsOf(job, snapshots, blobs), opened, partsOfBases };
}

const rangesOf = (subtasks: number): KeyGroupRange[] =>
  Array.from({ length: subtasks }, (_, subtask) => ({
    first: Math.ceil((subtask * MAX_PARALLELISM) / subtasks),
    last: Math.ceil(((subtask + 1) * MAX_PARALLELISM) / subtasks) - 1,
  }));

function processed(
  answer: Awaited<ReturnType<ReturnType<typeof createOperatorServer>>>,
): Extract<OperatorAnswer, { outcome: 'processed' }> {
  if (answer.outcome !== 'processed') throw new Error(JSON.stringify(answer));
  return answer;
}

async function textOf(blobs: ReturnType<typeof createBlobs>, ref: BlobRef | null): Promise<string> {
  return ref === null ? '' : (await blobs.read('output', ref)).toString('latin1');
}

/** By key what each state holds. */
async function contentsOf(job: JobDefinition, snapshots: readonly SnapshotRef[], blobs: ReturnType<typeof createBlobs>) {
  const states = job.nodes.filter((node) => isAt(node, 'keyed')).flatMap((node) => node.states);
  const keyGroups = { first: 0, last: MAX_PARALLELISM - 1 };
  const clock = { processingMs: 0 };
  const set = new StateSet({ uid: 'op', states, maxParallelism: MAX_PARALLELISM, keyGroups, clock });
  for (const ref of snapshots) set.load(await readSnapshotBlobs({ blobs, inlineBlobBytes: 0 }, ref, keyGroups));
  const contents = new Map<string, (string | undefined)[]>();
  readSnapshot(Buffer.concat(set.takeBase()), 'test', storedStates(states), keyGroups, ({ bytes, start, end, starts, ends }) => {
    const held = starts.map((from, index) => (from < 0 ? undefined : bytes.toString('latin1', from, ends[index])));
    contents.set(bytes.toString('latin1', start, end), held);
  });
  return Object.fromEntries([...contents].sort(([one], [other]) => (one < other ? -1 : 1)));
}

describe.each(Object.entries(operators))('%s', (_name, operator) => {
  it.each([1, 2, 3, 4])('give and hold the same with a bound of a few keys and without one: history %i', async (seed) => {
    const job = jobOf(operator);
    const epochs = drawn(seed);
    const free = await ran(job, epochs, undefined);
    const bound = await ran(job, epochs, TINY_BYTES);
    expect(bound.given).toEqual(free.given);
    expect(bound.state).toEqual(free.state);
    expect(Object.keys(free.state).length).toBeGreaterThan(10);
    expect([free.opened > 0, bound.opened > 0]).toEqual([false, true]);
    expect([free.partsOfBases > 0, bound.partsOfBases > 0]).toEqual([false, true]);
  });
});
