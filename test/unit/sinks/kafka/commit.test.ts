import { expect, it } from 'vitest';
import type { TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { commitTransaction } from '../../../../lib/sinks/kafka/commit.ts';
import { permitOf } from '../../../support/decided.ts';

it('a permit covers the committables of its own epoch alone: of another nothing is asked of a broker', async () => {
  const committable = { sink: 's', subtask: 0, epoch: 3, transactionalId: 'id', producerId: '7', producerEpoch: 1, written: [] };
  const asking = {
    kafka: { endTxn: () => expect.fail('EndTxn was sent') } as unknown as TransactionRequests,
    clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
    random: { id: () => '', fraction: () => 0 },
    deadlineMs: 1_000,
  };
  const rules = { compacted: new Set<string>(), isOld: false };
  await expect(commitTransaction(asking, permitOf(4, 'd'), committable, rules)).rejects.toThrow(
    'the permit for epoch 4 does not cover the committable of epoch 3',
  );
});
