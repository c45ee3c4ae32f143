import { expect, it } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { countsOf } from '../../../lib/epoch/attempt/attempt.ts';
import type { EdgeOutput } from '../../../lib/operators/epoch-output.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { StageDeps } from '../../../lib/stages/common.ts';
import { writeOutput } from '../../../lib/stages/common.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { compiled, recordSet, stageContext } from '../operators/runtimes.ts';

/** A source with one sink and one keyBy. */
const job = compiled(
  defineJob('job', (builder) => {
    const lines = builder.source('lines', kafkaSource({ topic: 'in', value: utf8 }));
    lines.sink('copy', kafkaSink({ topic: 'copies', value: utf8 }));
    lines.keyBy((line) => line, utf8).sum('count', () => 1);
  }),
  'dead',
);

it('three records in are three out, of a stage that has a sink and an exchange: what is exchanged is not put out', async () => {
  const random = { id: () => 'id', fraction: () => 0 };
  const deps = { blobs: createBlobs({} as BlobStore, random), random, inlineBlobBytes: 1_000_000 } as unknown as StageDeps;
  const runtime = createSourceRuntime(job, 'lines', stageContext());
  runtime.begin({ job: 'job', epoch: 1, nowMs: 0 });
  runtime.consume('in', 0, recordSet(['a', 'b', 'a'].map((value) => ({ value }))), { from: 0, to: 3, aborted: [] });
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const place = { job: 'job', incarnation: 'inc', stage: 'lines', subtask: 0, epoch: 1, meeting };
  const written = await writeOutput(deps, place, runtime.finish());
  const inline = { at: 'inline', base64: expect.any(String) };
  expect(written).toEqual({
    recordsIn: 3,
    edges: {
      'lines>copy.0': { parts: [inline], records: 3 },
      'lines>count.0': { parts: [inline], records: 3 },
      'lines#errors>dead-letters.0': { parts: [null], records: 0 },
    },
  });
  const done = { outcome: 'read', reached: [], bytesIn: 1, ...written } as const;
  const attempt = { sources: new Map([['lines', [done]]]), operators: new Map() };
  expect(countsOf(attempt, job.plan)).toEqual({ recordsIn: 3, recordsOut: 3, deadLetters: 0 });
});

it('of writes that fail beside each other each is heard: one that nobody waits for would end the process', async () => {
  const unheard: unknown[] = [];
  const take = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', take);
  try {
    const edgeOf = (name: string): [string, EdgeOutput] => [name, { how: 'sink', parts: [[Buffer.from(name)]], records: 1 }];
    const output = { recordsIn: 1, edges: new Map(['slow', 'soon'].map(edgeOf)) };
    const write = async (_place: unknown, _folder: string, _kind: string, [part]: readonly Buffer[]) => {
      if (String(part) === 'slow') await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error(`${part}`);
    };
    const deps = { blobs: { write }, inlineBlobBytes: 0 } as unknown as StageDeps;
    const place = {
      job: 'job',
      incarnation: 'inc',
      stage: 'lines',
      subtask: 0,
      epoch: 1,
      meeting: { exchanges: 1, staged: 1, snapshots: 1 },
    };
    await expect(writeOutput(deps, place, output)).rejects.toThrow('soon');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', take);
  }
});
