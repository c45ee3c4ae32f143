import { expect, it } from 'vitest';
import type { PartitionBatch, TransactionRequests } from '../../../lib/ports/kafka-requests.ts';
import type { Staged } from '../../../lib/sinks/connector.ts';
import { encodeStagedOutput } from '../../../lib/sinks/kafka/staged-output.ts';
import { serveWriteAhead } from '../../../lib/sinks/write-ahead/server.ts';
import { encodeBatch } from '../../simulation/models/wire.ts';
import { permitOf } from '../../support/decided.ts';

const committable = { sink: 'write', connector: 'write-ahead', subtask: 0, epoch: 5, token: {} };
const clock = { now: () => 0, elapsedMs: () => 0, sleep: async () => {} };
const until = { clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 1_000 };

function staged(partitions: readonly number[]): Staged {
  const header = { producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 };
  const sections = partitions.map((partition) => ({ topic: 'out', partition, batches: encodeBatch(header, ['x']) }));
  return { isEmpty: false, read: async () => [{ payload: Buffer.concat(encodeStagedOutput(sections)), name: 'blob' }] };
}

/** Partition 0 takes what it is given; partition 1, which another broker leads, answers this. */
function answering(answer: string, refused?: string): TransactionRequests {
  return {
    leaders: async () => [1, 2],
    forgetLeaders: () => {},
    produce: async (_who: undefined, leader: number, batches: readonly PartitionBatch[]) => ({
      answer: leader === 1 ? 'NONE' : answer,
      baseOffsets: batches.map(() => 0),
      refused: leader === 1 ? undefined : refused,
    }),
  } as unknown as TransactionRequests;
}

it.each([
  ['TOPIC_AUTHORIZATION_FAILED', 'refused', /was answered TOPIC_AUTHORIZATION_FAILED.*: \S/],
  ['MESSAGE_TOO_LARGE', 'refused', /was answered MESSAGE_TOO_LARGE.*: \S/],
  ['NOT_ENOUGH_REPLICAS', 'transient', /was answered NOT_ENOUGH_REPLICAS(?!.*: )/],
])('output that is answered %s is %s, and what was acknowledged is not sent again', async (answer, kind, message) => {
  const served = serveWriteAhead(answering(answer));
  const place = { job: 'job', incarnation: 'i', sink: 'write', subtask: 0, epoch: 5 };
  const ask = { place, staged: staged([0, 1]), done: undefined };
  const delivered = await served.deliver(until, permitOf(5, 'five'), committable, ask);
  expect(delivered).toMatchObject({ outcome: 'failed', kind, done: { acknowledged: { 'out 0': 1 } } });
  expect(delivered).toMatchObject({ message: expect.stringMatching(message) });
});

it.each([
  ['INVALID_RECORD', 'record 3 of its batch: it has no key', /was answered INVALID_RECORD \(record 3 of its batch: it has no key\): \S/],
  ['INVALID_RECORD', undefined, /was answered INVALID_RECORD: \S/],
])('that it is answered %s says which record was refused, and why, where the broker does (%s)', async (answer, refused, message) => {
  const served = serveWriteAhead(answering(answer, refused));
  const place = { job: 'job', incarnation: 'i', sink: 'write', subtask: 0, epoch: 5 };
  const ask = { place, staged: staged([1]), done: undefined };
  expect(await served.deliver(until, permitOf(5, 'five'), committable, ask)).toMatchObject({ message: expect.stringMatching(message) });
});
