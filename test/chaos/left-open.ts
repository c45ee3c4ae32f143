import { beforeAll, describe, expect, it } from 'vitest';
import type { Committable } from '../../lib/format/manifest.ts';
import type { ProducerIdentity } from '../../lib/ports/kafka-requests.ts';
import { commitTransaction } from '../../lib/transactions/commit.ts';
import { prepareTransaction } from '../../lib/transactions/prepare.ts';
import { resolveTransaction } from '../../lib/transactions/resolve.ts';
import { retried } from '../../lib/transactions/retry.ts';
import { settleTransactions } from '../../lib/transactions/settle.ts';
import { committedValues, type KafkaUnderTest } from '../contracts/kafka-transactions.ts';
import { encodeBatch } from '../simulation/models/wire.ts';

const PATIENCE_MS = 20_000;
const TIMEOUT_MS = 60_000;
const EPOCH = 4;
const PLACE = { incarnation: 'one', sink: 'write', subtask: 0, epoch: EPOCH };
const permit = { epoch: EPOCH, decisionId: 'decision', generation: 1, decided: true } as const;

/**
 * What a broker leaves behind that forgot the markers of a transaction (KAFKA-20734): records, and a commit marker, that
 * are open, under a transactional id whose coordinator knows of nothing. A broker that does not verify
 * (`transaction.partition.verification.enable=false`) takes them without a transaction.
 */
export function leftOpenTests(open: () => Promise<KafkaUnderTest>): void {
  describe('what a broker has left open', () => {
    let under: KafkaUnderTest;

    beforeAll(async () => {
      under = await open();
      return () => under.kafka.close();
    });

    const timing = {
      clock: { now: () => under.nowMs(), elapsedMs: () => under.nowMs(), sleep: (ms: number) => under.sleep(ms) },
      random: { id: () => '', fraction: Math.random },
    };
    const deadlineMs = (patienceMs = PATIENCE_MS) => under.nowMs() + patienceMs;
    const batchOf = (value: string, who?: ProducerIdentity) =>
      encodeBatch(
        {
          producerId: BigInt(who?.producerId ?? -1),
          producerEpoch: who?.producerEpoch ?? -1,
          transactional: true,
          timestampMs: under.nowMs(),
          baseSequence: 0,
        },
        [value],
      );

    async function leave(transactionalId: string, topic: string, value: string): Promise<Committable> {
      const begun = await retried(timing, deadlineMs(), () => under.kafka.initProducerId(transactionalId, TIMEOUT_MS));
      const who = { transactionalId, producerId: begun.producerId, producerEpoch: begun.producerEpoch };
      const [leader = -1] = await under.kafka.leaders(topic);
      expect(await under.kafka.produce(who, leader, [{ topic, partition: 0, batch: batchOf(value, who) }])).toBe('NONE');
      const marker = { topic, partition: 0, offset: EPOCH, metadata: 'decision' };
      const marked = await retried(timing, deadlineMs(), async () => ({
        answer: await under.kafka.txnOffsetCommit(who, transactionalId, marker),
      }));
      expect(marked.answer).toBe('NONE');
      return { sink: 'write', subtask: 0, epoch: EPOCH, topic, ...who };
    }

    const staged = (topic: string, value: string) => async () => [{ topic, partition: 0, batches: batchOf(value) }];

    const resolve = (committable: Committable, value: string) =>
      resolveTransaction(under.kafka, timing, {
        permit,
        committable,
        transactionTimeoutMs: TIMEOUT_MS,
        deadlineMs: deadlineMs(2_000),
        sinkStartedAtMs: under.nowMs(),
        previousUseAtMs: undefined,
        markerRetentionMs: 7 * 24 * 3_600_000,
        staged: staged(committable.topic, value),
      });

    it('of a decided epoch is committed where it is, once, whoever asks and how often', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const left = await leave(`${job}-one-write-0-0`, topic, 'a');
      expect(await commitTransaction(under.kafka, timing, deadlineMs(), permit, left)).toMatchObject({ outcome: 'doubtful' });
      expect(await resolve(left, 'a')).toEqual({ outcome: 'committed' });
      expect(await resolve(left, 'a')).toEqual({ outcome: 'committed' });
      expect(await committedValues(under, topic, 2)).toEqual(['a']);
    });

    it('of a decided epoch, and aborted since by an attempt that woke up, is published again, once', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const left = await leave(`${job}-one-write-0-0`, topic, 'a');
      expect(await prepare(job, topic, 'zombie')).toMatchObject({ outcome: 'failed', retriable: true });
      expect(await resolve(left, 'a')).toEqual({ outcome: 'republished' });
      expect(await committedValues(under, topic, 4)).toEqual(['a']);
    });

    it('of an attempt that failed is aborted before the next one begins', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      await leave(`${job}-one-write-0-0`, topic, 'dropped');
      const first = await prepare(job, topic, 'decided');
      expect(first).toMatchObject({
        outcome: 'failed',
        retriable: true,
        message: expect.stringMatching(/left records of an earlier attempt open/),
      });
      const second = await prepare(job, topic, 'decided');
      if (second.outcome !== 'prepared') throw new Error(second.message);
      expect(await commitTransaction(under.kafka, timing, deadlineMs(), permit, second.committable)).toEqual({ outcome: 'committed' });
      expect(await committedValues(under, topic, 4)).toEqual(['decided']);
    });

    it('under an id that nobody uses any more holds up no reader once the pool is settled', async () => {
      const [job, topic] = [under.newName(), await under.newTopic()];
      const { transactionalId } = await leave(`${job}-one-write-0-0`, topic, 'dropped');
      const ids = [{ transactionalId, topic }];
      expect(await settleTransactions(under.kafka, timing, deadlineMs(), TIMEOUT_MS, ids)).toEqual({ outcome: 'settled' });
      expect(await committedValues(under, topic, 2)).toEqual([]);
    });

    const prepare = (job: string, topic: string, value: string) =>
      prepareTransaction(under.kafka, timing, {
        ...PLACE,
        job,
        topic,
        decisionId: 'decision',
        transactionTimeoutMs: TIMEOUT_MS,
        deadlineMs: deadlineMs(),
        staged: staged(topic, value),
      });
  });
}
