import { expect, it, vi } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { BlobMissingError, type BlobStore } from '../../../lib/ports/blob-store.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import type { OperatorRequest } from '../../../lib/protocol/requests.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, type StageTools } from '../../../lib/stages/serve.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { compiled, topicFacts } from '../operators/runtimes.ts';

const job = defineJob('job', (of) => {
  of.source('src', kafkaSource({ topic: 'in', value: utf8 }))
    .keyBy((line) => line, utf8)
    .process('op', {
      state: { n: valueState(int64, 0) },
      onRecord(line, { n }, out: Output<string>) {
        out.emit(`${line} ${n.update((of) => of + 1)}`);
      },
    })
    .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
});

/** A process of the operator, whose blobs are all gone; how many files on the disk it has open. */
function world() {
  let open = 0;
  const held: (() => void)[] = [];
  let isHeld = false;
  const put = () => (isHeld ? new Promise<void>((resolve) => held.push(resolve)) : Promise.resolve());
  const openRows = () => {
    const rows = openSpilledRows();
    open++;
    return Object.assign(Object.create(rows) as typeof rows, {
      close() {
        open--;
        rows.close();
      },
    });
  };
  const gone = async (name: string) => {
    throw new BlobMissingError(name, 'the store');
  };
  const random = { id: () => 'a'.repeat(32), fraction: () => 0 };
  const store = { put, get: gone } as unknown as BlobStore;
  const tools = {
    ...{ ...compiled(job), build: 'b', blobs: createBlobs(store, random), random, inlineBlobBytes: 0 },
    ...{ clock: { elapsedMs: () => 0 }, stateBound: { boundBytes: 1_000, openRows } },
  } as unknown as StageTools;
  const server = createOperatorServer();
  const ask = (incarnation: string, snapshots: readonly SnapshotRef[] = []) => {
    const place = { job: 'job', incarnation, stage: 'op', subtask: 0, epoch: 1 };
    const request = {
      ...{ ask: 'process', ...place, keyGroups: { first: 0, last: 15 }, maxParallelism: 16, inputs: [], parallelism: { op: 1 } },
      ...{ timeoutMs: 1_000, decisionId: 'd', sinkFacts: { out: topicFacts({ partitions: 1 }) } },
      ...{ meeting: { exchanges: 1, staged: 1, snapshots: 1 }, snapshots: { op: snapshots } },
    };
    return server(tools, received(request as unknown as OperatorRequest, 0));
  };
  /** Asks, and lets nothing that it writes come to its end before `letGo`. */
  const heldUp = async (incarnation: string) => {
    isHeld = true;
    const answer = ask(incarnation);
    await vi.waitFor(() => expect(held.length).toBeGreaterThan(0));
    isHeld = false;
    return {
      letGo: () => {
        for (const go of held) go();
        return answer;
      },
    };
  };
  return { ask, heldUp, open: () => open };
}

it('an attempt whose snapshots cannot be read leaves no file on the disk', async () => {
  const { ask, open } = world();
  const base = { at: 'store', name: 'job/inc/state/op/op-0-000000000001-00', bytes: 1_000 } as const;
  const answer = await ask('inc', [{ id: 's', keyGroups: { first: 0, last: 15 }, base, deltas: [] }]);
  expect(answer).toMatchObject({ outcome: 'failed', kind: 'fatal' });
  expect(open()).toBe(0);
});

it('state of a shape that is asked for no more leaves no file on the disk', async () => {
  const { ask, open } = world();
  expect(await ask('first')).toMatchObject({ outcome: 'processed' });
  expect(open()).toBe(1);
  expect(await ask('second')).toMatchObject({ outcome: 'processed' });
  expect(open()).toBe(1);
});

it('of two requests that are worked on at once one keeps its state, and the other leaves no file on the disk', async () => {
  const { ask, open } = world();
  await Promise.all([ask('inc'), ask('inc')]);
  expect(open()).toBe(1);
});

it('what is worked on for longer than its shape is asked for ends well, also beside another of it that has ended', async () => {
  const { ask, heldUp, open } = world();
  const slow = await heldUp('first');
  expect(await ask('first')).toMatchObject({ outcome: 'processed' });
  expect(await ask('second')).toMatchObject({ outcome: 'processed' });
  expect(open()).toBe(2);
  expect(await slow.letGo()).toMatchObject({ outcome: 'processed' });
});
