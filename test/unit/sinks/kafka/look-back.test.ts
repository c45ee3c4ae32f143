import { expect, it } from 'vitest';
import type { FetchedPartition, FetchLimits, FetchRange, TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { lookBackAt } from '../../../../lib/sinks/kafka/look.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';

const written = [{ topic: 'out', partition: 0, first: 10, last: 19 }];
const committable = { sink: 'sink', subtask: 0, epoch: 3, transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3, written };

/** Ten records from offset 10 on, by this producer. */
function tenBy(producerId: bigint, producerEpoch: number): Buffer {
  const ten = Array.from({ length: 10 }, () => 'x');
  const batch = encodeBatch({ producerId, producerEpoch, transactional: true, timestampMs: 0 }, ten);
  batch.writeBigInt64BE(10n, 0);
  return batch;
}
const ours = tenBy(7n, 3);

/** Looks at a log in which `there` is where our records were, and of which a reader from behind them is answered `behind`. */
async function look(behind: Partial<FetchedPartition>, there: Partial<FetchedPartition>, compacted: readonly string[] = []) {
  const kafka = {
    fetch: async (ranges: readonly FetchRange[], { isolation }: FetchLimits) =>
      ranges.map(({ topic, partition, offset, maxBytes }) => ({
        ...{ topic, partition, answer: 'NONE', logStartOffset: 0, highWatermark: 40, lastStableOffset: 40, aborted: [] },
        records: Buffer.alloc(0),
        ...(isolation === 'read_uncommitted' ? (offset === 19 ? there : {}) : behind),
        // A broker that may send nothing sends no records.
        ...(maxBytes === 0 && { records: Buffer.alloc(0) }),
      })),
    leaders: async () => [1],
    describeProducers: async () => ({ answer: 'NONE', producers: [] }),
    forgetLeaders: () => {},
  } as unknown as TransactionRequests;
  const clock = { now: () => 0, elapsedMs: () => 0, sleep: async () => {} };
  const asking = { kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 1_000 };
  return (await lookBackAt(asking, committable, new Set(compacted))).map(({ fate, answer }) => [fate, answer]);
}

const records = Buffer.from('records');

it.each<[string, string, Partial<FetchedPartition>]>([
  ['committed', 'NONE', { records }],
  ['aborted', 'NONE', { records, aborted: [{ producerId: 7n, firstOffset: 10 }] }],
  ['undecided', 'NONE', { lastStableOffset: 10 }],
  // It has ended, and its end is not in what can be read yet.
  ['unknown', 'OFFSET_NOT_AVAILABLE', {}],
])('a log says "%s" of a transaction only while that one is what is there', async (fate, answer, behind) => {
  expect(await look(behind, { records: ours })).toEqual([[fate, answer]]);
  for (const another of [tenBy(8n, 3), tenBy(7n, 4), Buffer.alloc(0)])
    expect((await look(behind, { records: another }))[0]?.[0]).toBe('no-evidence');
});

it('whether it is there cannot be told of a log that is shorter, or at a leader that does not show it yet', async () => {
  expect((await look({ records }, { answer: 'OFFSET_OUT_OF_RANGE' }))[0]?.[0]).toBe('no-evidence');
  expect(await look({ records }, { records: ours, highWatermark: 19 })).toEqual([['unknown', 'OFFSET_NOT_AVAILABLE']]);
  expect(await look({ records }, { records: ours, highWatermark: 20 })).toEqual([['committed', 'NONE']]);
  expect(await look({ records }, { answer: 'NOT_LEADER_OR_FOLLOWER' })).toEqual([['unknown', 'NOT_LEADER_OR_FOLLOWER']]);
});

it('in a compacted topic a record that is gone says nothing', async () => {
  expect(await look({ lastStableOffset: 10 }, {}, ['out'])).toEqual([['undecided', 'NONE']]);
});
