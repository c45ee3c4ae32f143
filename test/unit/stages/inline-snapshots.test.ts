import { expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { BlobRef, SnapshotRef } from '../../../lib/protocol/references.ts';
import type { OperatorRequest } from '../../../lib/protocol/requests.ts';
import type { StageDeps } from '../../../lib/stages/common.ts';
import { writeOutput } from '../../../lib/stages/common.ts';
import { inlineBytes } from '../../../lib/stages/inline.ts';
import { runOperator, type WarmOperator } from '../../../lib/stages/operator.ts';
import { received } from '../../../lib/stages/received.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { compiled, recordSet, stageContext } from '../operators/runtimes.ts';

const LARGEST = 1_048_576;

const job = defineJob('job', (builder) => {
  builder
    .source('src', kafkaSource({ topic: 'in', value: utf8 }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word} ${count.update((n) => n + 1)}`);
      },
    })
    .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
});

const empty = (first: number, last: number): SnapshotRef => ({
  id: `of ${first}`,
  keyGroups: { first, last },
  base: undefined,
  deltas: [],
});

interface Setting {
  readonly subtasks?: number;
  readonly inlineBlobBytes?: number;
  readonly words?: number;
  readonly before?: readonly SnapshotRef[];
}

/** What begins with a base. */
const ofTwoSubtasks = [empty(0, 63), empty(64, 127)];

/** Inline bytes of the one snapshot, and of the output, after each of twelve epochs of so many new words each, from `before` on. */
async function epochsAt({ subtasks = 1, inlineBlobBytes = LARGEST, words: count = 1_000, before = [empty(0, 127)] }: Setting) {
  let ids = 0;
  const stored = new Map<string, Buffer>();
  const store = {
    put: async (name: string, ...parts: readonly Uint8Array[]) => void stored.set(name, Buffer.concat(parts)),
    get: async (name: string) => stored.get(name),
  } as unknown as BlobStore;
  const random = { id: () => `${ids++}`.padStart(32, '0'), fraction: () => 0 };
  const deps = { blobs: createBlobs(store, random), random, inlineBlobBytes } as unknown as StageDeps;
  const meeting = { exchanges: subtasks, staged: subtasks, snapshots: subtasks };
  const place = { job: 'job', incarnation: 'inc', stage: 'count', subtask: 0, meeting };
  const keyGroups = { first: 0, last: 127 };
  const warm: WarmOperator = { runtime: undefined, snapshotIds: {} };
  let snapshots = before;
  const told: { base: number; snapshot: number; output: number; exchange: number }[] = [];
  for (let epoch = 1; epoch <= 12; epoch++) {
    const source = createSourceRuntime(compiled(job), 'src', stageContext());
    source.begin(undefined, undefined);
    const words = Array.from({ length: count }, (_, index) => `w${epoch}x${index}`).join(' ');
    source.consume('in', 0, recordSet([{ value: words }]), { from: 0, to: 1, aborted: [] });
    const { edges } = await writeOutput(deps, { ...place, epoch }, source.finish());
    const inputs = Object.entries(edges).flatMap(([edge, { parts }]) =>
      parts.flatMap((ref) => (ref === null ? [] : [{ edge, input: 0, ref }])),
    );
    const request = { ask: 'process', ...place, epoch, keyGroups, inputs, snapshots: { count: snapshots } } as unknown as OperatorRequest;
    const answer = await runOperator(
      deps,
      warm,
      () => createOperatorRuntime(compiled(job), 'count', stageContext(), 0),
      received(request, 0),
    );
    if (answer.outcome !== 'processed') throw new Error(JSON.stringify(answer));
    const snapshot = answer.snapshots['count'];
    if (snapshot === undefined) throw new Error('no snapshot');
    snapshots = [snapshot];
    const inlineIn = (refs: readonly (BlobRef | null | undefined)[]) => refs.reduce((sum, ref) => sum + inlineBytes(ref ?? undefined), 0);
    told.push({
      base: inlineIn([snapshot.base]),
      snapshot: inlineIn([snapshot.base, ...snapshot.deltas]),
      output: inlineIn(Object.values(answer.edges).flatMap(({ parts }) => parts)),
      exchange: inlineIn(inputs.map(({ ref }) => ref)),
    });
  }
  return told;
}

it.each<[string, Setting]>([
  ['1 subtask', {}],
  ['16 subtasks', { subtasks: 16 }],
  ['64 subtasks', { subtasks: 64 }],
  ['16 subtasks, and a base', { subtasks: 16, before: ofTwoSubtasks }],
])('of %s none takes more than its share of a request, its base and all deltas together', async (_of, setting) => {
  const told = await epochsAt(setting);
  const share = LARGEST / (setting.subtasks ?? 1);
  for (const each of told) for (const bytes of Object.values(each)) expect(bytes).toBeLessThanOrEqual(share);
  // What fits is inline still.
  if (share > 20_000) expect(Math.max(...told.map(({ snapshot }) => snapshot))).toBeGreaterThan(share / 6);
});

it.each([
  [1_500, true],
  [2_500, false],
])('a base of %i words, of which a half of the room of one holds 1900, is inline: %s', async (words, isInline) => {
  const [first] = await epochsAt({ subtasks: 16, words, before: ofTwoSubtasks });
  expect(first?.base !== 0).toBe(isInline);
});

it.each([17_000, 20_000])('at %i bytes for one blob all deltas of a snapshot take at most four times that', async (inlineBlobBytes) => {
  const deltas = Math.max(...(await epochsAt({ inlineBlobBytes })).map(({ snapshot }) => snapshot));
  // Each is about 17 000 bytes.
  expect(deltas).toBeGreaterThan(3 * inlineBlobBytes);
  expect(deltas).toBeLessThanOrEqual(4 * inlineBlobBytes);
});
