import { beforeAll, describe, expect, it } from 'vitest';
import type { KafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { brokerUnderTest, committedValues, type KafkaUnderTest } from '../../contracts/kafka-transactions.ts';
import { EPOCH, type Steps, stepsOn } from '../../contracts/transaction-steps.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { newProducer } from '../../support/topics.ts';

/*
 * An epoch that a build before evidence decided and did not commit: its transactions have a commit marker, a group offset that
 * was committed with them. As that build did it, with kafkajs's own producer.
 */
describe('a transaction that an earlier version left decided and not committed', () => {
  let under: KafkaUnderTest;
  let steps: Steps;

  beforeAll(async () => {
    under = await brokerUnderTest(brokers());
    steps = stepsOn(under);
    return () => under.kafka.close();
  });

  /** `markers`: epochs whose transactions of this id were committed before, with their markers. */
  async function left(markers: readonly number[], change: Partial<NonNullable<KafkaCommittable['marker']>> = {}) {
    const [id, topic] = [under.newName(), await under.newTopic()];
    const producer = await newProducer(id);
    const write = async (epoch: number, value: string) => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value, partition: 0 }] });
      await transaction.sendOffsets({ consumerGroupId: id, topics: [{ topic, partitions: [{ partition: 0, offset: String(epoch) }] }] });
      return transaction;
    };
    for (const epoch of markers) await (await write(epoch, `of ${epoch}`)).commit();
    const open = await write(EPOCH, 'a');
    const [described] = await under.kafka.describeTransactions([id]);
    const { producerId = '', producerEpoch = -1 } = described ?? {};
    const marker = { topic, startedAtMs: Date.now(), previousUseAtMs: markers.length === 0 ? undefined : 1, ...change };
    const committable: KafkaCommittable = {
      sink: 'write',
      subtask: 0,
      epoch: EPOCH,
      transactionalId: id,
      producerId,
      producerEpoch,
      written: [],
      marker,
    };
    return { topic, committable, open };
  }

  it('is committed from its committable, and seen to be by its marker', async () => {
    const { topic, committable } = await left([]);
    await expect.poll(async () => (await steps.commit(committable)).outcome).toBe('committed');
    expect(await steps.resolve(committable, topic, { 0: ['a'] })).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 2)).toEqual(['a']);
  });

  it.each([[[]], [[2]]])('and was aborted since is sent again, with evidence from then on (markers before: %j)', async (markers) => {
    const { topic, committable, open } = await left(markers);
    await open.abort();
    expect(await steps.commit(committable)).toMatchObject({ outcome: 'doubtful' });
    const resolved = await steps.resolve(committable, topic, { 0: ['a'] });
    if (resolved.outcome !== 'sent-again') throw new Error(JSON.stringify(resolved));
    expect(resolved.committable).toMatchObject({ written: [{ topic, partition: 0 }] });
    expect(resolved.committable.marker).toBeUndefined();
    expect(await steps.commit(resolved.committable)).toEqual({ outcome: 'committed' });
    expect((await committedValues(under, topic, markers.length * 2 + 4)).at(-1)).toBe('a');
  });

  it('and whose marker is gone, though it was there before, is left to a person', async () => {
    const { topic, committable, open } = await left([], { previousUseAtMs: 1 });
    await open.abort();
    expect(await steps.resolve(committable, topic, { 0: ['a'] })).toMatchObject({
      outcome: 'no-evidence',
      message: expect.stringMatching(/its commit marker is gone .* ONCEFLOW_ON_MISSING_EVIDENCE/s),
    });
  });
});
