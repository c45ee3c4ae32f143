import { expect, it } from 'vitest';
import {
  customSerde,
  defineJob,
  int64,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type Output,
  type Serde,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import type { OperatorRequest } from '../../../lib/protocol/requests.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, type StageTools } from '../../../lib/stages/serve.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { compiled, partsTo, recordSet, stageContext, topicFacts } from '../operators/runtimes.ts';

/*
 * What a record's own content causes names the operator, and is of the kind that is searched: never a passing failure, which
 * would be repeated without end.
 */

let ids = 0;
const random = { id: () => `id-${ids++}`, fraction: () => 0 };
const blobs = createBlobs({} as BlobStore, random);
const keyGroups = { first: 0, last: 127 };
const empty: SnapshotRef = { id: 'empty', keyGroups, base: undefined, deltas: [] };

function keyed(add: (words: KeyedStream<string, string>) => void, value: Serde<string> = utf8): JobDefinition {
  return defineJob('job', (builder) => {
    add(builder.source('src', kafkaSource({ topic: 'in', value: utf8 })).keyBy((word) => word.slice(0, 1), utf8, { value }));
  });
}

/** Snapshots that were read. */
let restored = 0;
const counting: typeof blobs = {
  ...blobs,
  read(kind, ref) {
    if (kind === 'state') restored += 1;
    return blobs.read(kind, ref);
  },
};

async function process(
  job: JobDefinition,
  words: readonly string[],
  server = createOperatorServer(),
  snapshot = empty,
  parallelism: Readonly<Record<string, number>> = {},
) {
  const source = createSourceRuntime(compiled(job), 'src', stageContext());
  source.begin();
  source.consume('in', 0, recordSet(words.map((word) => ({ value: word }))), { from: 0, to: words.length, aborted: [] });
  const place = { job: 'job', incarnation: 'inc', stage: 'op', subtask: 0, epoch: 1 };
  const segment = partsTo(source.finish(), 'op')[0] ?? [];
  const inputs = [{ edge: 'src>op.0', input: 0, ref: await blobs.write(place, 'exchange', 'exchange', segment, 1_000_000) }];
  const tools = { ...compiled(job), build: 'b', blobs: counting, random, inlineBlobBytes: 1_000_000 } as unknown as StageTools;
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const request = {
    ask: 'process',
    ...place,
    keyGroups,
    maxParallelism: 128,
    meeting,
    inputs,
    snapshots: { op: [snapshot] },
    parallelism,
    sinkFacts: { out: topicFacts({ partitions: 1 }) },
  };
  return server(tools, received(request as unknown as OperatorRequest, 0));
}

const ofUserCode = (message: RegExp) =>
  expect.objectContaining({
    outcome: 'failed',
    kind: 'user-code',
    message: expect.stringMatching(message),
    fault: expect.objectContaining({ operator: 'op' }),
  });

const set = <T>(serde: Serde<T>, value: (word: string) => unknown) =>
  keyed((words) =>
    words.process('op', {
      state: { kept: valueState(serde) },
      onRecord: (word, { kept }) => kept.set(value(word) as T),
    }),
  );

it.each<[string, JobDefinition, RegExp]>([
  [
    'half an emoji in utf8',
    set(utf8, () => '\ud83d'),
    /^op: StateValueError: state kept holds a value that its serde utf8 cannot encode: .*half a surrogate/,
  ],
  ['half a number in int64', set(int64, () => 1.5), /^op: StateValueError: state kept holds .* int64 cannot encode/],
  ['a bigint in JSON', set(json<unknown>(), () => ({ n: 5n })), /^op: StateValueError: state kept .*BigInt/],
  ['a value within itself', set(json<unknown>(), () => circle()), /^op: StateValueError: state kept .*circular/],
  ['a Map in JSON', set(json<unknown>(), () => new Map([[1, 2]])), /^op: StateValueError: state kept .*got Map/],
  [
    'a text where a custom serde gives bytes',
    set(customSerde<string>({ name: 'mine', serialize: (text) => text as never, deserialize: String }), (word) => word),
    /^op: StateValueError: state kept .*mine: expected a Uint8Array from serialize, got string/,
  ],
])('a state that its serde refuses (%s) is a failure of user code', async (_what, job, message) => {
  expect(await process(job, ['a'])).toEqual(ofUserCode(message));
});

it('an exchange that its serde does not read back is a failure of user code', async () => {
  const strict: Serde<string> = { ...utf8, name: 'strict', read: (...from) => refuse(utf8.read(...from)) };
  const sum = (words: KeyedStream<string, string>) => void words.sum('op', () => 1);
  expect(await process(keyed(sum, strict), ['bad'])).toEqual(
    ofUserCode(/^op: TypeError: inline exchange: serde strict cannot read a value of the segment: no bad/),
  );
});

it('a key that its serde does not read back is a failure of user code too, in the stage that reads it', async () => {
  let strict = false;
  const lax: Serde<string> = { ...utf8, name: 'lax', read: (...from) => (strict ? refuse(utf8.read(...from)) : utf8.read(...from)) };
  const job = defineJob('job', (builder) => {
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word, lax, { value: utf8 })
      .sum('op', () => 1);
  });
  const server: ReturnType<typeof createOperatorServer> = (tools, request) => {
    strict = true;
    return createOperatorServer()(tools, request);
  };
  expect(await process(job, ['bad'], server)).toEqual(
    ofUserCode(/^op: TypeError: inline exchange: serde lax cannot read key 0 of the segment: no bad$/),
  );
});

it.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /^op: undefined$/],
  ['an object that is no text', Object.create(null), /^op: \[object Object\]$/],
  ['a symbol', Symbol('s'), /^op: Symbol\(s\)$/],
  [
    'an error whose words throw',
    Object.defineProperty(new Error('x'), 'message', { get: () => refuse('bad') }),
    /^op: Error: an error that does not say/,
  ],
  ['an error without a name', Object.assign(new Error('x'), { name: undefined }), /^op: undefined: x$/],
])('whatever user code throws is a failure of user code: %s', async (_what, thrown, message) => {
  const job = keyed((words) =>
    words.process('op', {
      state: {},
      onRecord: () => {
        throw thrown;
      },
    }),
  );
  const answer = await process(job, ['a']);
  expect(answer).toEqual(ofUserCode(message));
  expect(JSON.parse(JSON.stringify(answer)).fault).toMatchObject({ errorClass: expect.any(String), message: expect.any(String) });
});

it('an output that a promise sends when the rows are done with fails the attempt as user code, and a later one the next', async () => {
  let late: Promise<unknown> = Promise.resolve();
  const job = keyed((words) =>
    words
      .process('op', {
        state: { n: valueState(int64, 0) },
        onRecord(word, { n }, out: Output<string>) {
          n.update((count) => count + 1);
          if (word === 'a') return;
          const wait = word === 'soon' ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 5));
          late = wait.then(() => out.emit(word)).catch((error: unknown) => error);
        },
      })
      .sink('out', kafkaSink({ topic: 'out', value: utf8 })),
  );
  const stray = ofUserCode(/^op: OutsideRecordError: out\.emit was used outside of its record/);
  const server = createOperatorServer();
  expect(await process(job, ['soon'], server)).toEqual(stray);
  const done = await process(job, ['later'], server);
  expect(done).toMatchObject({ outcome: 'processed', edges: { 'op>out.0': { parts: [null], records: 0 } } });
  expect(await late).toMatchObject({ name: 'OutsideRecordError' });
  const next = 'snapshots' in done ? done.snapshots['op'] : undefined;
  expect(await process(job, ['a'], server, next)).toEqual(stray);
  expect(await process(job, ['a'], server, next)).toMatchObject({ outcome: 'processed' });
});

it('state is kept from one epoch to the next, unless the subtask has other keys in it or cuts its exchange for others', async () => {
  const server = createOperatorServer();
  const job = set(utf8, (word) => word);
  const run = async (snapshot: typeof empty, parallelism: Readonly<Record<string, number>>) => {
    restored = 0;
    const done = await process(job, ['j'], server, snapshot, parallelism);
    if (done.outcome !== 'processed') throw new Error(JSON.stringify(done));
    return { restored, snapshot: done.snapshots['op'] ?? empty };
  };
  const first = await run(empty, {});
  const kept = await run(first.snapshot, { src: 2, out: 3 });
  expect(kept.restored).toBe(0);
  const changed = await run(kept.snapshot, { op: 2 });
  expect(changed.restored).toBeGreaterThan(0);
  // What was kept at one subtask is gone: it would only take room.
  expect((await run(kept.snapshot, {})).restored).toBeGreaterThan(0);
});

function refuse(word: string): string {
  if (word.startsWith('b')) throw new Error(`no ${word}`);
  return word;
}

function circle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}
