import { expect, it } from 'vitest';
import type { ProduceAnswer, TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { sendStaged } from '../../../../lib/sinks/kafka/send-staged.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';

it('where the records of a partition are is known whichever of two requests is answered first', async () => {
  const answers: ((answer: ProduceAnswer) => void)[] = [];
  const kafka = {
    leaders: async () => [0],
    forgetLeaders: () => {},
    addPartitions: async () => 'NONE',
    produce: () => new Promise<ProduceAnswer>((resolve) => answers.push(resolve)),
  } as unknown as TransactionRequests;
  const asking = {
    kafka,
    clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
    random: { id: () => '', fraction: () => 0 },
    deadlineMs: 1_000,
  };
  const header = { producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 };
  const sections = [
    ['a', 'b'],
    ['c', 'd'],
  ].map((values) => ({ topic: 'out', partition: 0, batches: encodeBatch(header, values) }));
  const sending = sendStaged(asking, { transactionalId: 'id', producerId: '1', producerEpoch: 0 }, sections);
  while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answers[1]?.({ answer: 'NONE', baseOffsets: [42] });
  await new Promise((resolve) => setImmediate(resolve));
  answers[0]?.({ answer: 'NONE', baseOffsets: [40] });
  expect(await sending).toEqual({ sent: true, written: [{ topic: 'out', partition: 0, first: 40, last: 43 }] });
});
