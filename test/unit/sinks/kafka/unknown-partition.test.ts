import { expect, it } from 'vitest';
import type { TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { sendPlain, sendStaged } from '../../../../lib/sinks/kafka/send-staged.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';

const kafka = {
  leaders: async () => [0, 0],
  forgetLeaders: () => {},
  addPartitions: async () => 'NONE',
} as unknown as TransactionRequests;
const asking = {
  kafka,
  clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
  random: { id: () => '', fraction: () => 0 },
  deadlineMs: 1_000,
};
const header = { producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 };
const sections = [{ topic: 'out', partition: 2, batches: encodeBatch(header, ['value']) }];

async function thrownBy(sending: Promise<unknown>): Promise<unknown> {
  return sending.then(
    () => undefined,
    (error: unknown) => error,
  );
}

it('a broker that does not know a partition which was just taken into the transaction will know it: the attempt is repeated', async () => {
  const who = { transactionalId: 'id', producerId: '1', producerEpoch: 0 };
  expect(await thrownBy(sendStaged(asking, who, sections))).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true });
});

it('outside of a transaction nobody says that the partition is there: a person is told what to do', async () => {
  expect(await thrownBy(sendPlain(asking, sections, new Map()))).toMatchObject({
    retriable: false,
    message: 'output is for partition 2 of topic out, which has 2 partitions now: give it the partitions that it had',
  });
});
