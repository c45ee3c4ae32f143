import { expect, it } from 'vitest';
import type { KafkaAnswer } from '../../../../lib/ports/kafka-requests.ts';
import { asCommittable } from '../../../../lib/sinks/kafka/committable.ts';
import { coordinateKafka, type KafkaClients } from '../../../../lib/sinks/kafka/coordination.ts';

const prepared = asCommittable({
  ...{ sink: 'write', subtask: 0, epoch: 3, transactionalId: 'id', producerId: '7', producerEpoch: 4 },
  written: [{ topic: 'out', partition: 0, first: 5, last: 9 }],
});

/** Of an epoch whose check is answered so. */
function problem(answer: KafkaAnswer) {
  const kafka = { leaders: async () => [1], forgetLeaders: () => {}, describeProducers: async () => ({ answer, producers: [] }) };
  const clock = { elapsedMs: () => 0, now: () => 0, sleep: async () => {} };
  const clients = { kafka, clock, random: { id: () => '', fraction: () => 0 } } as unknown as KafkaClients;
  return coordinateKafka(clients, { transactionTimeoutMs: 1 }).problemOf({ ...clients, deadlineMs: 0 }, [prepared]);
}

it('what is prepared and may not be looked at is refused, with what to grant; what cannot be looked at now fails the attempt alone', async () => {
  expect(await problem('TOPIC_AUTHORIZATION_FAILED')).toEqual({
    outcome: 'failed',
    kind: 'refused',
    message: expect.stringMatching(/DescribeProducers of topic out was answered TOPIC_AUTHORIZATION_FAILED: grant READ, .* on topic out /),
  });
  expect(await problem('NOT_LEADER_OR_FOLLOWER')).toEqual({
    outcome: 'failed',
    kind: 'transient',
    message: 'DescribeProducers of topic out was answered NOT_LEADER_OR_FOLLOWER',
  });
});
