import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readJob } from '../../../host/job/configured-job.ts';
import { openStageHost } from '../../../host/process.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { idlePollMs } from '../../../lib/epoch/failure/backoff.ts';
import { BATCH } from '../../../lib/format/batch-layout.ts';
import { bytesOf } from '../../../lib/format/blob.ts';
import { connectKafka } from '../../../lib/kafka/connect.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SourceRequest } from '../../../lib/protocol/requests.ts';
import type { Received } from '../../../lib/stages/received.ts';
import { createSourceServer } from '../../../lib/stages/serve.ts';
import { type Blobs, createBlobs } from '../../../lib/storage/blobs.ts';
import { recrc } from '../format/record-sets.ts';
import { recordSet } from '../operators/runtimes.ts';

const required = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'localhost:9092', ONCEFLOW_BLOBS: 'file:///var/blobs' };

describe('the job', () => {
  it('is the module that ONCEFLOW_JOB names', async () => {
    expect((await readJob(required)).job.name).toBe('word-count');
    await expect(readJob({ ...required, ONCEFLOW_JOB: './lib/epoch/failure/backoff.ts' })).rejects.toThrow(
      'ONCEFLOW_JOB=./lib/epoch/failure/backoff.ts: the module has no default export made by defineJob',
    );
  });

  it('has the name that ONCEFLOW_JOB_NAME gives it', async () => {
    const { job, plan } = await readJob({ ...required, ONCEFLOW_JOB_NAME: 'second' });
    expect([job.name, plan.job]).toEqual(['second', 'second']);
  });

  it('reads and writes the topics of ONCEFLOW_TOPICS', async () => {
    const { plan } = await readJob({ ...required, ONCEFLOW_TOPICS: 'read-lines=in,write-counts=out' });
    expect(plan.stages).toContainEqual(expect.objectContaining({ id: 'read-lines', topic: 'in' }));
    expect(plan.stages).toContainEqual(expect.objectContaining({ id: 'write-counts', to: { kind: 'kafka', topics: ['out'] } }));
  });

  it('has ONCEFLOW_PARALLELISM subtasks in each stage, but for those in ONCEFLOW_STAGE_PARALLELISM', async () => {
    const env = { ...required, ONCEFLOW_PARALLELISM: '2', ONCEFLOW_STAGE_PARALLELISM: 'count-words=4' };
    expect((await readJob(env)).parallelism).toMatchObject({ 'read-lines': 2, 'count-words': 4, 'write-counts': 2 });
  });

  it('is refused with more subtasks than ONCEFLOW_MAX_PARALLELISM', async () => {
    const env = { ...required, ONCEFLOW_PARALLELISM: '5', ONCEFLOW_MAX_PARALLELISM: '4' };
    await expect(readJob(env)).rejects.toThrow(/ONCEFLOW_MAX_PARALLELISM/);
  });
});

it('ONCEFLOW_BROKERS that are no addresses are refused before anything is connected', async () => {
  const clock = { now: () => 0, elapsedMs: () => 0, sleep: () => Promise.resolve() };
  await expect(connectKafka({ brokers: ['nowhere'], clientId: 'x', clock })).rejects.toThrow(
    /ONCEFLOW_BROKERS is "nowhere": it must be host:port/,
  );
});

it('a blob up to ONCEFLOW_INLINE_BLOB_BYTES travels in its reference, and a larger one is stored', async () => {
  const stored: number[] = [];
  const store = { put: async (_name: string, ...parts: readonly Uint8Array[]) => void stored.push(bytesOf(parts)) } as unknown as BlobStore;
  const blobs = createBlobs(store, { id: () => 'nonce', fraction: () => 0 });
  const place = { job: 'job', incarnation: 'inc', stage: 'count', subtask: 0, epoch: 1 };
  const write = (bytes: number) => blobs.write(place, 'output', 'output', [Buffer.alloc(bytes - 16)], 100);
  expect(await write(100)).toMatchObject({ at: 'inline' });
  expect(stored).toEqual([]);
  expect(await write(101)).toMatchObject({ at: 'store', bytes: 101 });
  expect(stored).toEqual([101]);
});

it('a batch that unpacks to more than ONCEFLOW_MAX_UNPACKED_BATCH_BYTES stops the job, which names the option and the place', async () => {
  const plain = recordSet([{ value: 'x'.repeat(2_000_000) }]);
  const fetched = { topic: 'flink_kafka', partition: 0, answer: 'NONE', aborted: [], records: packed(plain) };
  const request = {
    ask: 'read',
    maxParallelism: 128,
    stage: 'read-lines',
    ranges: [{ topic: 'flink_kafka', partition: 0, from: 0, bound: 1 }],
    maxBytes: 1,
  };
  const read = async (bytes: string) => {
    const env = { ...required, ONCEFLOW_MAX_UNPACKED_BATCH_BYTES: bytes };
    const host = await openStageHost(env);
    const blobs = { write: async () => ({ at: 'inline', base64: '' }) } as unknown as Blobs;
    const tools = { ...host, kafka: { fetch: async () => [fetched] } as unknown as KafkaRequests, blobs };
    const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
    const asked = { ...request, epoch: 1, meeting, maxDurationMs: 1, deadlineMs: Number.MAX_SAFE_INTEGER, parallelism: {}, sinkFacts: {} };
    return createSourceServer()(tools, asked as unknown as Received<SourceRequest>);
  };
  expect(await read('4000000')).toMatchObject({ outcome: 'read', recordsIn: 1 });
  expect(await read('1048576')).toMatchObject({
    outcome: 'failed',
    kind: 'fatal',
    message: expect.stringMatching(
      /^topic flink_kafka, partition 0: a zstd batch that unpacks to more than 1048576 bytes \(ONCEFLOW_MAX_UNPACKED_BATCH_BYTES\)/,
    ),
  });
});

it('ONCEFLOW_STATE_MEMORY_BYTES bounds the state of operators; without it there is no bound, and nothing is put out to disk', async () => {
  const { stateBound } = await openStageHost({ ...required, ONCEFLOW_STATE_MEMORY_BYTES: '1048576' });
  expect(stateBound).toMatchObject({ boundBytes: 1_048_576 });
  stateBound?.openRows().close();
  expect((await openStageHost(required)).stateBound).toBeUndefined();
  expect(() => readConfig({ ...required, ONCEFLOW_STATE_MEMORY_BYTES: '1048575' })).toThrow(/1048576/);
});

it('pauses between looks for input grow by a quarter up to ONCEFLOW_IDLE_POLL_MAX_MS', () => {
  expect([0, 1, 2, 8, 9, 500].map((looks) => idlePollMs(looks, 500, 3_000))).toEqual([500, 625, 781, 2_980, 3_000, 3_000]);
});

it('ONCEFLOW_BENCH_DIR is a folder that only benchmarks use', () => {
  expect(readConfig({ ...required, ONCEFLOW_BENCH_DIR: '/var/bench' }).benchDir).toBe('/var/bench');
  expect(readConfig(required).benchDir).toBeUndefined();
});

/** A record set of one batch, compressed. */
function packed(batch: Buffer): Buffer {
  const changed = Buffer.concat([batch.subarray(0, BATCH.records), zstdCompressSync(batch.subarray(BATCH.records))]);
  changed.writeInt32BE(changed.length - BATCH.lengthEnd, BATCH.length);
  changed.writeInt16BE(4, BATCH.attributes);
  return recrc(changed);
}
