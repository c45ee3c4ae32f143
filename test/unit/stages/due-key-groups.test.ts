import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { BlobStore, ByteRange } from '../../../lib/ports/blob-store.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import type { OperatorRequest } from '../../../lib/protocol/requests.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, type StageTools } from '../../../lib/stages/serve.ts';
import { decodeHead } from '../../../lib/state/snapshot/head.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { compiled, partsTo, recordSet, stageContext, topicFacts } from '../operators/runtimes.ts';

/* A process with a bound begins with what was kept: of timers it reads the key groups in which some are due. */

const GROUPS = 16;
const KEYS = 400;
const keyGroups = { first: 0, last: GROUPS - 1 };

interface Row {
  readonly k: string;
  /** A timer is set so long after the epoch, or deleted with a minus. */
  readonly ms: number;
}

const job = defineJob('job', (builder) => {
  builder
    .source('src', kafkaSource({ topic: 'in', value: json<Row>() }))
    .keyBy(({ k }) => k, utf8, { value: json<Row>() })
    .process('op', {
      timers: 'processing-time',
      state: { seen: valueState(int64, 0) },
      onRecord({ ms }, { seen }, out: Output<string>, { timers, key, processingTimeMs }) {
        if (ms < 0) timers.deleteProcessingTime(-ms);
        else timers.setProcessingTime(processingTimeMs + ms);
        out.emit(`${key} ${seen.update((n) => n + 1)}`);
      },
      onTimer({ timeMs }, { seen }, out: Output<string>, { key }) {
        out.emit(`${key} at ${timeMs}: ${seen.get()}`);
      },
    })
    .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
});

/** One subtask in one process after the other, and what they read of state. */
class Subtask {
  snapshot: SnapshotRef = { id: 'empty', keyGroups, deltas: [] };
  stateBytesRead = 0;
  readonly #stored = new Map<string, Buffer>();
  #ids = 0;
  #epoch = 0;
  #server = createOperatorServer();

  startProcess(): void {
    this.#server = createOperatorServer();
    this.stateBytesRead = 0;
  }

  /** What a build before has left. */
  adopt({ snapshot, blobs }: { readonly snapshot: SnapshotRef; readonly blobs: Readonly<Record<string, string>> }): void {
    this.snapshot = snapshot;
    for (const [name, base64] of Object.entries(blobs)) this.#stored.set(name, Buffer.from(base64, 'base64'));
  }

  /** Answers what timers have given out. */
  async run(processingMs: number, rows: readonly Row[], boundBytes: number | 'none' = 1_000_000): Promise<readonly string[]> {
    const random = { id: () => `${this.#ids++}`.padStart(32, '0'), fraction: () => 0 };
    const store = {
      put: async (name: string, ...parts: readonly Uint8Array[]) => void this.#stored.set(name, Buffer.concat(parts)),
      get: async (name: string, range?: ByteRange) => {
        const bytes = Buffer.from(this.#stored.get(name)?.subarray(range?.start, range?.end) ?? []);
        if (name.includes('/state/')) this.stateBytesRead += bytes.length;
        return bytes;
      },
    } as unknown as BlobStore;
    const blobs = createBlobs(store, random);
    const place = { job: 'job', incarnation: 'inc', stage: 'op', subtask: 0, epoch: ++this.#epoch };
    const context = stageContext({ maxParallelism: GROUPS, partitions: 1 });
    const source = createSourceRuntime(compiled(job), 'src', context);
    source.begin(undefined, undefined, { processingMs });
    const records = rows.map((row) => ({ value: JSON.stringify(row) }));
    if (records.length > 0) source.consume('in', 0, recordSet(records), { from: 0, to: records.length, aborted: [] });
    const part = partsTo(source.finish(), 'op')[0];
    const ref = part === undefined ? [] : [await blobs.write(place, 'exchange', 'exchange', part, 0)];
    const request = {
      ...{ ask: 'process', ...place, keyGroups, parallelism: {}, maxParallelism: GROUPS, timeoutMs: 1_000, decisionId: `d${this.#epoch}` },
      inputs: ref.map((each) => ({ edge: 'src>op.0', input: 0, ref: each })),
      meeting: { exchanges: 1, staged: 1, snapshots: 1 },
      snapshots: { op: [this.snapshot] },
      sinkFacts: { out: topicFacts({ partitions: 1 }) },
      time: { processingMs },
    };
    const tools = {
      ...{ ...compiled(job), build: 'b', blobs, random, inlineBlobBytes: 0, clock: { elapsedMs: () => 0 } },
      stateBound: boundBytes === 'none' ? undefined : { boundBytes, openRows: openSpilledRows },
    } as unknown as StageTools;
    const answer = await this.#server(tools, received(request as unknown as OperatorRequest, 0));
    if (answer.outcome !== 'processed') throw new Error(JSON.stringify(answer));
    this.snapshot = answer.snapshots['op'] as SnapshotRef;
    const given: string[] = [];
    for (const { parts } of Object.values(answer.edges))
      for (const output of parts) if (output !== null) given.push((await blobs.read('output', output)).toString('latin1'));
    return given.flatMap((text) => [...text.matchAll(/key\d+ at \d+: \d+/g)].map(([each]) => each)).sort();
  }

  /** What the newest blob says of key groups. */
  said(): boolean {
    const ref = this.snapshot.deltas.at(-1) ?? this.snapshot.base;
    if (ref?.at !== 'store') throw new Error('no blob');
    return decodeHead(this.#stored.get(ref.name)?.subarray(16) ?? Buffer.alloc(0), 'it').head.saysDue;
  }
}

const rowsOf = (ms: (key: number) => number): Row[] => Array.from({ length: KEYS }, (_, key) => ({ k: `key${key}`, ms: ms(key) }));
/** Far away, but for one key. */
const alarm = (key: number) => (key === 7 ? 500 : 1_000_000 + key);

it('a process that begins reads no key group in which nothing is due, and says what is due as before', async () => {
  const subtask = new Subtask();
  await subtask.run(1_000, rowsOf(alarm));
  expect(subtask.said()).toBe(true);
  const all = subtask.snapshot.deltas.reduce((sum, ref) => sum + (ref.at === 'store' ? ref.bytes : 0), 0);
  subtask.startProcess();
  expect(await subtask.run(1_499, [])).toEqual([]);
  const head = subtask.stateBytesRead;
  expect(head).toBeLessThan(all / 6);
  expect(subtask.snapshot.due).toEqual({ processingMs: 1_500 });
  subtask.startProcess();
  expect(await subtask.run(1_500, [])).toEqual(['key7 at 1500: 1']);
  // That of the timer, and the one with the next.
  expect(subtask.stateBytesRead).toBeLessThan(all / 4);
  expect(subtask.snapshot.due).toEqual({ processingMs: 1_001_000 });
  subtask.startProcess();
  expect(await subtask.run(2_000_000, [])).toHaveLength(KEYS - 1);
});

it('the newest snapshot of a key group counts: what was deleted is waited for no more, and what came earlier is', async () => {
  const subtask = new Subtask();
  await subtask.run(1_000, rowsOf(alarm));
  await subtask.run(1_100, [{ k: 'key7', ms: -1_500 }]);
  subtask.startProcess();
  expect(await subtask.run(1_600, [])).toEqual([]);
  expect(subtask.snapshot.due).toEqual({ processingMs: 1_001_000 });
  await subtask.run(1_700, [{ k: 'key9', ms: 10 }]);
  subtask.startProcess();
  expect(await subtask.run(1_710, [])).toEqual(['key9 at 1710: 2']);
});

it('a base says it too, of keys on disk as well', async () => {
  const subtask = new Subtask();
  const tiny = 3_000;
  await subtask.run(1_000, rowsOf(alarm), tiny);
  for (let epoch = 0; epoch < 21; epoch++) await subtask.run(1_010 + epoch, [{ k: 'key1', ms: 1_000_000 }], tiny);
  expect([subtask.snapshot.base !== undefined, subtask.said()]).toEqual([true, true]);
  subtask.startProcess();
  expect(await subtask.run(1_500, [], tiny)).toEqual(['key7 at 1500: 1']);
});

it('of snapshots that do not say it all is read at once, as they were written without a bound or by a build before', async () => {
  const subtask = new Subtask();
  await subtask.run(1_000, rowsOf(alarm), 'none');
  expect(subtask.said()).toBe(false);
  const all = subtask.snapshot.deltas.reduce((sum, ref) => sum + (ref.at === 'store' ? ref.bytes : 0), 0);
  subtask.startProcess();
  expect(await subtask.run(1_499, [])).toEqual([]);
  expect(subtask.stateBytesRead).toBeGreaterThan(all * 0.9);
  expect(subtask.snapshot.due).toEqual({ processingMs: 1_500 });
  // What is written from here on says it, and what was not read since does not.
  await subtask.run(1_499, [{ k: 'key3', ms: 20 }]);
  subtask.startProcess();
  expect(await subtask.run(1_600, [])).toEqual(['key3 at 1519: 2', 'key7 at 1500: 1']);
});

it('a base and a delta of the last build that did not say it are read, all at once, and what comes then says it', async () => {
  const subtask = new Subtask();
  subtask.adopt(JSON.parse(readFileSync(new URL('../../fixtures/formats-4.json', import.meta.url), 'utf8')));
  expect(subtask.said()).toBe(false);
  expect(await subtask.run(1_499, [])).toEqual([]);
  expect(subtask.stateBytesRead).toBeGreaterThan(1_392);
  expect(subtask.snapshot.due).toEqual({ processingMs: 1_500 });
  expect(await subtask.run(1_500, [])).toEqual(['key7 at 1500: 1']);
  expect([subtask.said(), subtask.snapshot.due]).toEqual([true, { processingMs: 1_730 }]);
  subtask.startProcess();
  expect(await subtask.run(1_730, [])).toEqual(['key9 at 1730: 2']);
});
