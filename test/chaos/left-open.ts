import { beforeAll, describe, expect, it } from 'vitest';
import type { TransactionRequests } from '../../lib/ports/kafka-requests.ts';
import { committedValues, type KafkaUnderTest } from '../contracts/kafka-transactions.ts';
import { type Steps, stepsOn } from '../contracts/transaction-steps.ts';

/**
 * What a broker leaves behind that forgets the end of a transaction in some of its partitions (KAFKA-20734): records that are
 * open under a producer id whose transaction coordinator knows nothing of them. It is made by not telling the coordinator of
 * those partitions: a broker that does not verify (`transaction.partition.verification.enable=false`) takes them all the same.
 */
export function leftOpenTests(open: () => Promise<KafkaUnderTest>): void {
  describe('a broker that forgets the end of a transaction', () => {
    let under: KafkaUnderTest;
    let steps: Steps;
    /** What the coordinator is told of in place of what it is to forget, so that it answers OK. */
    let told: string;

    beforeAll(async () => {
      under = await open();
      steps = stepsOn(under);
      told = await under.newTopic();
      return () => under.kafka.close();
    });

    const forgetting = (forgotten: readonly number[]): TransactionRequests => ({
      ...under.kafka,
      addPartitions: (who, partitions) =>
        under.kafka.addPartitions(who, [
          ...partitions.filter(({ partition }) => !forgotten.includes(partition)),
          { topic: told, partition: 0 },
        ]),
    });
    const values = { 0: ['a'], 1: ['b'], 2: ['c'] };
    const seen = (topic: string, ends: readonly number[]) =>
      Promise.all(ends.map((end, partition) => committedValues(under, topic, end, partition)));

    // At one time: each waits for seconds, for the broker.
    it('in none, some or all of three partitions does not lose or double its output: what was committed stays, the rest is sent again', async () => {
      const results = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]].map(async (forgotten) => {
        const [job, topic] = [under.newName(), await under.newTopic(3)];
        const decided = await steps.prepare(job, topic, values, forgetting(forgotten));
        expect(await steps.check(decided)).toEqual({ outcome: 'sound' });
        const of = `forgotten: ${forgotten.join(', ')}`;
        expect((await steps.commit(decided)).outcome, of).toBe(forgotten.length === 0 ? 'committed' : 'doubtful');
        expect(await steps.resolveUntilCommitted(decided, topic, values), of).toBe(forgotten.length === 0 ? 0 : 1);
        // The record and its end; where it was forgotten, its abort, and both once more.
        const ends = [0, 1, 2].map((partition) => (forgotten.includes(partition) ? 4 : 2));
        expect(await seen(topic, ends), of).toEqual([['a'], ['b'], ['c']]);
      });
      await Promise.all(results);
    });

    it('that sends an epoch again does not double it: what was sent again has its own evidence', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const lost = await steps.prepare(job, topic, { 0: ['a'] });
      await steps.settle(lost.transactionalId, topic);
      const again = await steps.resolve(lost, topic, { 0: ['a'] }, forgetting([0]));
      if (again.outcome !== 'sent-again') throw new Error(again.outcome);
      expect(await steps.commit(again.committable)).toMatchObject({ outcome: 'doubtful', why: expect.stringMatching(/undecided/) });
      expect(await steps.resolveUntilCommitted(again.committable, topic, { 0: ['a'] })).toBe(1);
      expect(await committedValues(under, topic, 6)).toEqual(['a']);
    });

    it('whose resolver dies after it has fenced, or after it has aborted, loses nothing', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const decided = await steps.prepare(job, topic, { 0: ['a'] }, forgetting([0]));
      await steps.commit(decided);
      const dying = { ...under.kafka, addPartitions: async () => 'NO_ANSWER', endTxn: async () => 'NO_ANSWER' };
      await under.kafka.initProducerId(decided.transactionalId, 60_000);
      expect(await steps.resolve(decided, topic, { 0: ['a'] }, { ...dying, addPartitions: async () => 'INVALID_TXN_STATE' })).toMatchObject(
        {
          outcome: 'unsettled',
        },
      );
      expect(await steps.resolve(decided, topic, { 0: ['a'] })).toMatchObject({ outcome: 'unsettled' });
      expect(await steps.ended(decided)).toEqual(['aborted']);
      expect(await steps.resolveUntilCommitted(decided, topic, { 0: ['a'] })).toBe(1);
      expect(await committedValues(under, topic, 4)).toEqual(['a']);
    });

    it('of a decided epoch, which an attempt that woke up has joined, shows nothing of that attempt and loses nothing', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const decided = await steps.prepare(job, topic, { 0: ['a'] }, forgetting([0]));
      expect(await steps.commit(decided)).toMatchObject({ outcome: 'doubtful' });
      const zombie = await steps.prepare(job, topic, { 0: ['zombie'] });
      expect(await steps.check(zombie)).toMatchObject({ outcome: 'unsound', message: expect.stringMatching(/has joined records/) });
      expect(await steps.resolveUntilCommitted(decided, topic, { 0: ['a'] })).toBe(1);
      expect(await committedValues(under, topic, 5)).toEqual(['a']);
    });

    it('of a decided epoch, which an attempt that woke up has aborted, loses nothing', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const decided = await steps.prepare(job, topic, { 0: ['a'] }, forgetting([0]));
      await steps.commit(decided);
      await steps.settle(decided.transactionalId, topic);
      expect(await steps.ended(decided)).toEqual(['aborted']);
      expect(await steps.resolveUntilCommitted(decided, topic, { 0: ['a'] })).toBe(1);
      expect(await committedValues(under, topic, 4)).toEqual(['a']);
    });

    it('of an attempt that failed: the next one that joins its records is not decided, and the one after it is clean', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      await steps.abort(await steps.prepare(job, topic, { 0: ['dropped'] }, forgetting([0])));
      const joined = await steps.prepare(job, topic, { 0: ['decided'] });
      expect(await steps.check(joined)).toMatchObject({ outcome: 'unsound' });
      expect(await steps.abort(joined)).toBe('NONE');
      const clean = await steps.prepare(job, topic, { 0: ['decided'] });
      expect(await steps.check(clean)).toEqual({ outcome: 'sound' });
      expect(await steps.commit(clean)).toEqual({ outcome: 'committed' });
      expect(await committedValues(under, topic, 5)).toEqual(['decided']);
    });

    it('of an attempt that failed, in a partition that the next one does not write to, is found by that one', async () => {
      const [job, topic] = [under.newName(), await under.newTopic(2)];
      await steps.abort(await steps.prepare(job, topic, { 1: ['dropped'] }, forgetting([1])));
      const next = await steps.prepare(job, topic, { 0: ['decided'] });
      expect(await steps.check(next)).toMatchObject({
        outcome: 'unsound',
        leftOpen: [{ of: next, partitions: [{ topic, partition: 1 }] }],
      });
    });

    it('under an id that nobody uses any more holds up no reader once the pool is settled', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const { transactionalId } = await steps.prepare(job, topic, { 0: ['dropped'] }, forgetting([0]));
      expect(await steps.settle(transactionalId, topic)).toEqual({ outcome: 'settled', unasked: [], barred: [], others: [] });
      expect(await committedValues(under, topic, 2)).toEqual([]);
    });
  });
}
