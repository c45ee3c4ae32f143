import { expect, it } from 'vitest';
import type { KafkaAnswer, ProducerIdentity, TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { prepareTransaction } from '../../../../lib/sinks/kafka/prepare.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';

interface Answers {
  readonly initProducerId?: KafkaAnswer;
  readonly produce?: KafkaAnswer;
  readonly baseOffsets?: readonly number[];
  readonly refused?: string;
}

/** Prepares one record of epoch 3 while requests are answered so, from `nowMs` of a clock whose deadline is 1 s. */
async function prepare(answers: Answers, nowMs = 0) {
  const asked: string[] = [];
  const kafka = {
    initProducerId: async (id: string) => {
      asked.push(`begin ${id}`);
      return { answer: answers.initProducerId ?? 'NONE', producerId: '7', producerEpoch: 4 };
    },
    addPartitions: async () => 'NONE',
    // As a client that had not heard of any partition but of those that are said to have been seen.
    leaders: async (_topic: string, seen = 0) => Array.from({ length: seen }, () => 1),
    forgetLeaders: () => {},
    produce: async (_who: unknown, leader: number) => ({
      answer: leader === 1 ? (answers.produce ?? 'NONE') : 'NOT_LEADER_OR_FOLLOWER',
      baseOffsets: answers.baseOffsets ?? [10],
      refused: answers.refused,
    }),
    endTxn: async ({ producerEpoch }: ProducerIdentity, commit: boolean) => {
      await new Promise((resolve) => setImmediate(resolve));
      asked.push(`${commit ? 'commit' : 'abort'} of epoch ${producerEpoch}`);
      return 'NONE';
    },
  } as unknown as TransactionRequests;
  const clock = { now: () => 0, elapsedMs: () => nowMs, sleep: async () => {} };
  const batches = encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 }, ['x']);
  const outcome = await prepareTransaction(
    { kafka, clock, random: { id: () => '', fraction: () => 0.5 }, deadlineMs: 1_000 },
    {
      ...{ job: 'job', incarnation: 'inc', sink: 'write', subtask: 0, epoch: 3, topics: ['out'], transactionTimeoutMs: 60_000 },
      staged: async () => [{ topic: 'out', partition: 0, batches }],
    },
  );
  return { outcome, asked };
}

const ID = 'job-inc-write-0-1';

it('a prepared transaction is open, and what would commit it is told with where its records are', async () => {
  const { outcome, asked } = await prepare({});
  expect(outcome).toEqual({
    outcome: 'prepared',
    committable: {
      ...{ sink: 'write', subtask: 0, epoch: 3, transactionalId: ID, producerId: '7', producerEpoch: 4 },
      written: [{ topic: 'out', partition: 0, first: 10, last: 10 }],
    },
  });
  expect(asked).toEqual([`begin ${ID}`]);
});

it.each([
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', true, undefined, 'the attempt is repeated'],
  ['UNKNOWN_TOPIC_OR_PARTITION', false, undefined, 'topic out does not exist any more, '],
  ['TOPIC_AUTHORIZATION_FAILED', false, undefined, 'grant READ, WRITE and DESCRIBE_CONFIGS on topic out '],
  ['INVALID_RECORD', true, 'INVALID_RECORD', 'the topic takes no such record '],
] as const)('a send that is answered %s is aborted, and may succeed later: %s', async (answer, retriable, ofRecord, why) => {
  const { outcome, asked } = await prepare({ produce: answer });
  expect(outcome).toMatchObject({ outcome: 'failed', retriable, ofRecord });
  expect(outcome).toHaveProperty('message', expect.stringContaining(`transaction ${ID}: Produce was answered ${answer}: ${why}`));
  expect(asked).toEqual([`begin ${ID}`, 'abort of epoch 4']);
});

it('which record a topic refuses, and why, is said where the broker says it', async () => {
  const { outcome } = await prepare({ produce: 'INVALID_RECORD', refused: 'record 3: no key' });
  expect(outcome).toHaveProperty('message', expect.stringContaining('Produce was answered INVALID_RECORD (record 3: no key): the topic'));
});

it.each([[[]], [[-1]]])(
  'records of which the broker does not say where they are, %j, are not prepared: there would be no evidence of them',
  async (baseOffsets) => {
    const { outcome, asked } = await prepare({ baseOffsets });
    expect(outcome).toMatchObject({ outcome: 'failed', retriable: true, message: expect.stringContaining('UNKNOWN_SERVER_ERROR') });
    expect(asked).toEqual([`begin ${ID}`, 'abort of epoch 4']);
  },
);

it('a transaction that a newer attempt has fenced is left to it', async () => {
  const { outcome, asked } = await prepare({ produce: 'PRODUCER_FENCED' });
  expect(outcome).toMatchObject({ retriable: true, message: expect.stringContaining('a newer attempt or another coordinator owns it') });
  expect(asked).toEqual([`begin ${ID}`]);
});

it('an id that is refused needs a person, and nothing is sent under it', async () => {
  const { outcome, asked } = await prepare({ initProducerId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' });
  expect(outcome).toMatchObject({
    retriable: false,
    message: expect.stringMatching(/InitProducerId was answered TRANSACTIONAL_ID_AUTHORIZATION_FAILED: grant WRITE and DESCRIBE /),
  });
  expect(asked).toEqual([`begin ${ID}`]);
});

it('an attempt whose deadline is over does not begin: it would fence the next one', async () => {
  expect(await prepare({}, 999)).toMatchObject({ outcome: { outcome: 'prepared' } });
  const { outcome, asked } = await prepare({}, 1_000);
  expect(outcome).toMatchObject({ outcome: 'failed', retriable: true });
  expect(asked).toEqual([]);
});
