import { expect, it } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { Lacks, NotPreparedError } from '../../../lib/format/not-prepared.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { SourceRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SourceRequest } from '../../../lib/protocol/requests.ts';
import type { StageDeps } from '../../../lib/stages/common.ts';
import type { Received } from '../../../lib/stages/received.ts';
import { runSource } from '../../../lib/stages/source.ts';
import { compiled, recordSet, stageContext } from '../operators/runtimes.ts';

const PARTITIONS = 3;
const RECORDS = 52;

/** One record a batch, all of one size: an offset's place in the log is a multiple of it. */
const log = recordSet(Array.from({ length: RECORDS }, () => ({ value: 'x'.repeat(200_000) })));
const batchBytes = log.length / RECORDS;

const job = defineJob('job', (builder) => {
  builder
    .source('src', kafkaSource({ topic: 'in', value: utf8 }))
    .map((text) => text.slice(0, 1))
    .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
});

/**
 * A broker whose partitions all hold that log. As Kafka does, it cuts the last batch off where the bytes asked for end, but
 * gives one whole batch of the partition that is asked for first.
 */
const kafka = {
  fetch: async (asks: Parameters<SourceRequests['fetch']>[0]) =>
    asks.map(({ topic, partition, offset, maxBytes }, index) => {
      const start = offset * batchBytes;
      const records = log.subarray(start, start + (index === 0 ? Math.max(maxBytes, batchBytes) : maxBytes));
      return {
        topic,
        partition,
        answer: 'NONE',
        logStartOffset: 0,
        highWatermark: RECORDS,
        lastStableOffset: RECORDS,
        aborted: [],
        records,
      };
    }),
} as unknown as SourceRequests;

const deps = {
  kafka,
  clock: { elapsedMs: () => 0 },
  blobs: { write: async () => ({ at: 'inline', base64: '' }) },
} as unknown as StageDeps & { readonly kafka: SourceRequests };

async function readEpoch(epoch: number, maxBytes: number, from: readonly number[]) {
  const ranges = from.map((offset, partition) => ({ topic: 'in', partition, from: offset, bound: RECORDS }));
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const request = { ask: 'read', epoch, ranges, maxBytes, maxDurationMs: 1, meeting, deadlineMs: 1 } as unknown as Received<SourceRequest>;
  const answer = await runSource(deps, createSourceRuntime(compiled(job), 'src', stageContext()), request);
  if (answer.outcome !== 'read') throw new Error(JSON.stringify(answer));
  return answer;
}

it.each([1_000_000, 8_000_000, 20_000_000])(
  'an epoch bound to %i bytes reads no more than a batch of each partition beyond',
  async (maxBytes) => {
    const { bytesIn } = await readEpoch(1, maxBytes, new Array(PARTITIONS).fill(0));
    expect(bytesIn).toBeGreaterThanOrEqual(maxBytes);
    expect(bytesIn).toBeLessThan(maxBytes + PARTITIONS * batchBytes);
  },
);

it('an epoch that has read as many bytes as it may asks for no more', async () => {
  const ofOneFetch = (await readEpoch(1, 1, [0])).bytesIn;
  expect((await readEpoch(1, ofOneFetch, [0])).bytesIn).toBe(ofOneFetch);
  expect((await readEpoch(1, ofOneFetch + 1, [0])).bytesIn).toBeGreaterThan(ofOneFetch);
});

it('partitions whose batches are larger than what small epochs ask for are all read, in turn', async () => {
  let offsets: number[] = new Array(PARTITIONS).fill(0);
  for (let epoch = 1; epoch <= 2 * PARTITIONS; epoch++) offsets = (await readEpoch(epoch, 1, offsets)).reached.map(({ next }) => next);
  for (const offset of offsets) expect(offset).toBeGreaterThan(0);
});

it('a partition that is far enough ahead of the others is not read on in the epoch, whatever was asked for before', async () => {
  const ahead = defineJob('job', (builder) => {
    builder
      // The number of the batch is not in its value: the records' times are all 1000.
      .source('src', kafkaSource({ topic: 'in', value: utf8, eventTime: { maxOutOfOrdernessMs: 0, alignWithinMs: 1 } }))
      .map((text) => text.slice(0, 1))
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const ranges = [0, 1].map((partition) => ({ topic: 'in', partition, from: 0, bound: RECORDS }));
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const read = async (upToMs: number | undefined) => {
    const time = { processingMs: 2_000, upToMs };
    const request = { ask: 'read', epoch: 1, ranges, maxBytes: 8_000_000, maxDurationMs: 1, meeting, deadlineMs: 1, time };
    const runtime = createSourceRuntime(compiled(ahead), 'src', stageContext());
    const answer = await runSource(deps, runtime, request as unknown as Received<SourceRequest>);
    if (answer.outcome !== 'read') throw new Error(JSON.stringify(answer));
    const seen = answer.seen?.toSorted((one, other) => one.partition - other.partition);
    return { reached: answer.reached.map(({ next }) => next), records: answer.recordsIn, seen };
  };
  const seen = [0, 1].map((partition) => ({ topic: 'in', partition, watermarkMs: 999 }));
  expect(await read(998)).toEqual({ reached: [1, 1], records: 2, seen });
  const free = await read(999);
  expect(Math.min(...free.reached)).toBeGreaterThan(5);
  expect(free.records).toBe(free.reached.reduce((sum, next) => sum + next, 0));
});

it('a record whose serde lacks something is read again when that is fetched, and nothing but it', async () => {
  const fetched: number[] = [];
  let [reads, tries] = [0, 0];
  const lacking = {
    ...utf8,
    read: (...of: Parameters<typeof utf8.read>) => {
      reads++;
      // The tenth record is the first of its kind. It is tried three times at most: a stage that fetches nothing ends too.
      if (reads > 9 && fetched.length === 0 && tries++ < 3)
        throw new NotPreparedError('a schema', async () => {
          fetched.push(reads);
        });
      return utf8.read(...of);
    },
  };
  const asking = defineJob('job', (builder) => {
    builder.source('src', kafkaSource({ topic: 'in', value: lacking })).sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const ranges = [{ topic: 'in', partition: 0, from: 0, bound: RECORDS }];
  const request = { ask: 'read', epoch: 1, ranges, maxBytes: 1e9, maxDurationMs: 1, meeting, deadlineMs: 1 } as unknown;
  const lacks = new Lacks();
  const runtime = createSourceRuntime(compiled(asking), 'src', stageContext());
  const answer = await runSource(deps, runtime, request as Received<SourceRequest>, lacks);
  lacks.close();
  expect(answer).toMatchObject({ outcome: 'read', reached: [{ next: RECORDS }], recordsIn: RECORDS });
  expect({ fetched, reads, any: lacks.any }).toEqual({ fetched: [10], reads: RECORDS + 1, any: false });
});

it('an epoch that waits for answers goes on behind them while it has time, and leaves the rest to the next one when it has none', async () => {
  let nowMs = 0;
  const clock = { ...{ now: () => nowMs, elapsedMs: () => nowMs }, sleep: () => new Promise<void>(() => {}) };
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const ranges = [0, 1].map((partition) => ({ topic: 'in', partition, from: 0, bound: RECORDS }));
  const request = { ask: 'read', epoch: 1, ranges, maxBytes: 1_000_000, maxDurationMs: 100, meeting, deadlineMs: 10_000 } as unknown;
  const reached = async (answersTakeMs: number) => {
    nowMs = 0;
    const waiting = defineJob('job', (builder) => {
      builder
        .source('src', kafkaSource({ topic: 'in', value: utf8 }))
        .mapAsync(async () => {
          nowMs = answersTakeMs;
          return 'answer';
        })
        .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
    });
    const runtime = createSourceRuntime(compiled(waiting), 'src', stageContext());
    const answer = await runSource({ ...deps, clock }, runtime, request as Received<SourceRequest>);
    return answer.outcome === 'read' ? answer.reached.map(({ next }) => next > 0) : answer;
  };
  expect(await reached(99)).toEqual([true, true]);
  expect((await reached(100)) as boolean[]).toEqual(expect.arrayContaining([true, false]));
});
