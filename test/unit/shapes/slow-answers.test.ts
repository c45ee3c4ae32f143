import { expect, test } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { SourceRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SourceRequest } from '../../../lib/protocol/requests.ts';
import type { StageDeps } from '../../../lib/stages/common.ts';
import type { Received } from '../../../lib/stages/received.ts';
import { runSource } from '../../../lib/stages/source.ts';
import { compiled, recordSet, stageContext } from '../operators/runtimes.ts';

const RECORDS = 300;
const CAPACITY = 4;

const log = recordSet(Array.from({ length: RECORDS }, () => ({ value: 'x' })));
/** It gives all, from whatever offset: what is before that is passed over. */
const kafka = {
  fetch: async (asks: Parameters<SourceRequests['fetch']>[0]) =>
    asks.map(({ topic, partition }) => ({
      ...{ topic, partition, answer: 'NONE', logStartOffset: 0, highWatermark: RECORDS, lastStableOffset: RECORDS, aborted: [] },
      records: log,
    })),
} as unknown as SourceRequests;

/** One epoch of a source whose values each take a millisecond to be answered, of a whole process. */
async function epochOf(
  from: readonly number[],
  { maxDurationMs, deadlineMs }: { readonly maxDurationMs: number; readonly deadlineMs: number },
) {
  let nowMs = 0;
  const job = defineJob('slow', (builder) => {
    builder
      .source('src', kafkaSource({ topic: 'in', value: utf8 }))
      .mapAsync(
        async (word) => {
          nowMs++;
          return word;
        },
        { capacity: CAPACITY },
      )
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const sleep = (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
  const deps = {
    kafka,
    clock: { elapsedMs: () => nowMs, sleep },
    blobs: { write: async () => ({ at: 'inline', base64: '' }) },
  } as unknown as StageDeps & { readonly kafka: SourceRequests };
  const ranges = from.map((offset, partition) => ({ topic: 'in', partition, from: offset, bound: RECORDS }));
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const request = { ask: 'read', epoch: 1, ranges, maxBytes: 8_000_000, maxDurationMs, meeting, deadlineMs };
  const runtime = createSourceRuntime(compiled(job), 'src', stageContext());
  const answer = await runSource(deps, runtime, request as unknown as Received<SourceRequest>);
  return { answer, calls: nowMs };
}

test('slow answers make an epoch small: it ends when its time is over, and the next one goes on from there', async () => {
  let offsets: readonly number[] = [0, 0];
  const made: number[] = [];
  while (offsets.some((offset) => offset < RECORDS)) {
    const { answer, calls } = await epochOf(offsets, { maxDurationMs: 100, deadlineMs: 10_000 });
    if (answer.outcome !== 'read') throw new Error(JSON.stringify(answer));
    const next = answer.reached.map((each) => each.next);
    // Each value that counts was asked for once, and no other was.
    expect(calls).toBe(next.reduce((sum, offset, partition) => sum + offset - (offsets[partition] ?? 0), 0));
    expect(Object.values(answer.edges).map(({ records }) => records)).toEqual([calls]);
    offsets = next;
    made.push(calls);
  }
  // Ten times as many wait as are asked for at once, 40: the third time 100 ms are over.
  expect(made[0]).toBe(120);
  expect(Math.max(...made)).toBeLessThan(100 + 40);
});

test('what cannot be answered in the time of the epoch fails it, and says what to change', async () => {
  const { answer, calls } = await epochOf([0], { maxDurationMs: 100, deadlineMs: 20 });
  expect(answer).toMatchObject({
    outcome: 'failed',
    kind: 'transient',
    message: expect.stringMatching(
      /^mapAsync \(node 1\) behind src: the time of the epoch is over, and \d+ of 40 values were not asked for yet: .*\(capacity\).*ONCEFLOW_MAX_EPOCH_BYTES/,
    ),
  });
  expect(calls).toBeLessThan(20 + CAPACITY);
});
