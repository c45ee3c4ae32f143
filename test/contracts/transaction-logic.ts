import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Committable } from '../../lib/format/manifest.ts';
import type { StagedSection } from '../../lib/format/staged-output.ts';
import { commitTransaction } from '../../lib/transactions/commit.ts';
import { prepareTransaction } from '../../lib/transactions/prepare.ts';
import { resolveTransaction } from '../../lib/transactions/resolve.ts';
import { settleTransactions } from '../../lib/transactions/settle.ts';
import { encodeBatch } from '../simulation/models/wire.ts';
import { committedValues, type KafkaUnderTest } from './kafka-transactions.ts';

const PATIENCE_MS = 20_000;
const TIMEOUT_MS = 60_000;
const EPOCH = 4;
const permit = { epoch: EPOCH, decisionId: 'decision', generation: 1, decided: true } as const;

/** The engine's transactions, from prepare to resolve, on a broker: what becomes visible, and how often. */
export function transactionLogicContract(open: () => Promise<KafkaUnderTest>): void {
  let under: KafkaUnderTest;

  beforeAll(async () => {
    under = await open();
  });

  afterAll(() => under?.kafka.close());

  const timing = {
    clock: { now: () => under.nowMs(), elapsedMs: () => under.nowMs(), sleep: (ms: number) => under.sleep(ms) },
    random: { id: () => '', fraction: Math.random },
  };
  const deadlineMs = () => under.nowMs() + PATIENCE_MS;

  /** As a sink gets it: who sends it is not in it yet. */
  const staged = (topic: string, value: string) => async (): Promise<StagedSection[]> => [
    {
      topic,
      partition: 0,
      batches: encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: under.nowMs() }, [value]),
    },
  ];

  async function prepare(job: string, topic: string, value: string): Promise<Committable> {
    const place = { job, incarnation: 'one', sink: 'write', subtask: 0 };
    const prepared = await prepareTransaction(under.kafka, timing, {
      ...place,
      topic,
      epoch: EPOCH,
      decisionId: permit.decisionId,
      transactionTimeoutMs: TIMEOUT_MS,
      deadlineMs: deadlineMs(),
      staged: staged(topic, value),
    });
    if (prepared.outcome !== 'prepared') throw new Error(prepared.message);
    return prepared.committable;
  }

  const commit = (committable: Committable) => commitTransaction(under.kafka, timing, deadlineMs(), permit, committable);

  const resolve = (committable: Committable, value: string) =>
    resolveTransaction(under.kafka, timing, {
      permit,
      committable,
      transactionTimeoutMs: TIMEOUT_MS,
      deadlineMs: deadlineMs(),
      sinkStartedAtMs: under.nowMs(),
      previousUseAtMs: undefined,
      markerRetentionMs: 7 * 24 * 3_600_000,
      staged: staged(committable.topic, value),
    });

  const zombie = async ({ transactionalId, topic }: Committable) =>
    expect(await settleTransactions(under.kafka, timing, deadlineMs(), TIMEOUT_MS, [{ transactionalId, topic }])).toEqual({
      outcome: 'settled',
    });

  it('an attempt has in its transaction nothing of the attempt before, which the same process prepared', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const dropped = await prepare(job, topic, 'dropped');
    const decided = await prepare(job, topic, 'decided');
    expect(await commit(decided)).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 4)).toEqual(['decided']);
    expect(await commit(dropped)).toMatchObject({ outcome: 'doubtful' });
  });

  it('a decided transaction that was lost is published again, once, whoever asks and how often', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const lost = await prepare(job, topic, 'a');
    await zombie(lost);
    expect(await commit(lost)).toMatchObject({ outcome: 'doubtful' });
    expect(await resolve(lost, 'a')).toEqual({ outcome: 'republished' });
    expect(await resolve(lost, 'a')).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 4)).toEqual(['a']);
  });

  it('a decided transaction that was committed is not published again, though its producer was fenced since', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const done = await prepare(job, topic, 'a');
    expect(await commit(done)).toEqual({ outcome: 'committed' });
    await zombie(done);
    expect(await commit(done)).toMatchObject({ outcome: 'doubtful' });
    expect(await resolve(done, 'a')).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 2)).toEqual(['a']);
  });
}
