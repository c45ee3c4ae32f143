import { expect, it } from 'vitest';
import { type FetchedPartition, type KafkaAnswer, KafkaProblem, type LogRequests } from '../../../lib/ports/kafka-requests.ts';
import { asCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { rowsInLog, writtenInLog } from '../../../lib/sinks/read-output.ts';
import { encodeBatch } from '../../simulation/models/wire.ts';

const OWN = 7n;

function batch(offset: number, values: readonly string[], producerId = OWN): Buffer {
  const bytes = encodeBatch({ producerId, producerEpoch: 3, transactional: true, timestampMs: 1_000 }, values);
  bytes.writeBigInt64BE(BigInt(offset));
  return bytes;
}

/** Of an epoch that wrote offsets 5 to 9 of `out`, without 7. */
const committable = asCommittable({
  ...{ sink: 'write', subtask: 0, epoch: 5, transactionalId: 'id', producerId: `${OWN}`, producerEpoch: 3 },
  written: [{ topic: 'out', partition: 2, first: 5, last: 9 }],
});
const log = [
  batch(3, ['x', 'y']),
  batch(5, ['a', 'b']),
  batch(7, ['of another'], 8n),
  batch(8, ['c', 'd']),
  batch(10, ['of a later epoch']),
];

/** The rows as a broker gives them that answers each request with one batch, and a part of the next. */
function rows(answer: KafkaAnswer = 'NONE', held: readonly Buffer[] = log) {
  const kafka = {
    fetch: async ([ask]: Parameters<LogRequests['fetch']>[0]): Promise<FetchedPartition[]> => {
      const from = held.findIndex((each) => Number(each.readBigInt64BE()) + each.readInt32BE(23) >= (ask?.offset ?? 0));
      const next = held[from + 1]?.subarray(0, 70) ?? Buffer.alloc(0);
      const records = from < 0 ? Buffer.alloc(0) : Buffer.concat([held[from] ?? Buffer.alloc(0), next]);
      return [{ topic: 'out', partition: 2, answer, logStartOffset: 0, highWatermark: 20, lastStableOffset: 20, aborted: [], records }];
    },
  } as unknown as LogRequests;
  return rowsInLog(kafka, committable, { target: { kind: 'kafka', topics: ['out'] }, spec: undefined });
}

it('what an epoch wrote to a partition is read from its log: its own records between its offsets, and no others', async () => {
  const read = await rows();
  expect(read?.map(({ place, value }) => [place, value])).toEqual(['a', 'b', 'c', 'd'].map((value) => ['out-2', value]));
});

it('of what retention has taken a part of nothing is said', async () => {
  expect(await rows('OFFSET_OUT_OF_RANGE')).toBeUndefined();
});

it.each<[string, Parameters<typeof rows>, RegExp]>([
  ['is not answered', ['NOT_LEADER_OR_FOLLOWER'], /out, partition 2, offset 5: Fetch was answered NOT_LEADER_OR_FOLLOWER/],
  ['has nothing where it was written', ['NONE', log.slice(0, 3)], /offset 8: nothing comes behind it, up to 9/],
])('a log that %s is a problem that says where', async (_what, of, message) => {
  const reading = rows(...of);
  await expect(reading).rejects.toThrow(KafkaProblem);
  await expect(reading).rejects.toThrow(message);
});

it('where an epoch wrote is known of the transactions of Kafka alone, and not of those that only have a marker', () => {
  expect(writtenInLog(committable)).toEqual([{ topic: 'out', partition: 2, first: 5, last: 9 }]);
  expect(writtenInLog({ ...committable, connector: 'files' })).toBeUndefined();
  const marker = { topic: 'out', startedAtMs: 1 };
  expect(writtenInLog({ ...committable, token: { ...committable.token, written: [], marker } })).toBeUndefined();
});
