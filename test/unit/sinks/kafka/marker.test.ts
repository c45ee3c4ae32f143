import { describe, expect, it } from 'vitest';
import { type KafkaAnswer, KafkaProblem, type TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { commitTransaction } from '../../../../lib/sinks/kafka/commit.ts';
import { markerVerdict } from '../../../../lib/sinks/kafka/marker.ts';
import { resolveTransaction } from '../../../../lib/sinks/kafka/resolve.ts';
import { settleTransactions } from '../../../../lib/sinks/kafka/settle.ts';
import { Dice } from '../../../simulation/kernel/dice.ts';
import { Broker } from '../../../simulation/models/kafka-broker.ts';
import { type Carry, modelKafka } from '../../../simulation/models/kafka-requests.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';
import { permitOf } from '../../../support/decided.ts';

it('an epoch of version 1 whose end is forgotten in a partition that has no leader is not taken for committed', async () => {
  const dice = new Dice(1);
  const carry: Carry = async (_api, _about, _failure, execute) => execute(dice);
  let nowMs = 1_000;
  let due: { readonly atMs: number; readonly run: () => void }[] = [];
  const broker = new Broker({
    nowMs: () => nowMs,
    later: (delayMs, run) => due.push({ atMs: nowMs + delayMs, run }),
    markerDelayMs: () => 3,
    shuffled: (items) => [...items],
  });
  const sleep = async (ms: number) => {
    const untilMs = nowMs + ms;
    for (;;) {
      const next = due.filter(({ atMs }) => atMs <= untilMs).sort((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined) break;
      due = due.filter((each) => each !== next);
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
    }
    nowMs = untilMs;
  };
  const kafka = modelKafka(broker, carry, { broker: new Map(), topic: new Map(), nowMs: () => nowMs });
  const clock = { now: () => nowMs, elapsedMs: () => nowMs, sleep };
  const asking = (forMs: number) => ({ kafka, clock, random: { id: () => '', fraction: () => 0.5 }, deadlineMs: nowMs + forMs });

  broker.createTopic('out', 2);
  const id = 'job-one-write-0-0';
  const { producerId, producerEpoch } = broker.transactions.initProducerId(id, 60_000);
  const who = { transactionalId: id, producerId, producerEpoch };
  const both = [0, 1].map((partition) => ({ topic: 'out', partition }));
  expect(broker.transactions.addPartitions(who, both)).toBe('NONE');
  for (const at of both) {
    const header = { producerId: BigInt(producerId), producerEpoch, transactional: true, timestampMs: nowMs, baseSequence: 0 };
    broker.produce(who, at.partition, [{ ...at, batch: encodeBatch(header, [`value ${at.partition}`]) }]);
  }
  // The leader of partition 0 goes for a second, and its transaction ends meanwhile: its group offset is committed.
  broker.partition('out', 0)?.loseLeader((run) => due.push({ atMs: nowMs + 1_000, run }));
  broker.groups.commit(id, 'out', [{ partition: 0, offset: 4 }], '');
  const committable = { sink: 'write', subtask: 0, epoch: 4, ...who, written: [], marker: { topic: 'out', startedAtMs: nowMs } };
  const permit = permitOf(4, 'd');
  const first = await commitTransaction(asking(5_000), permit, committable, { compacted: new Set(), isOld: true });
  const resolve = {
    permit,
    onMissingEvidence: 'stop',
    committable,
    transactionTimeoutMs: 60_000,
    compacted: new Set<string>(),
    staged: async () => [],
  } as const;
  const outcome = first.outcome === 'committed' ? first : await resolveTransaction(asking(5_000), resolve);
  // What a recovery does next.
  const settled = await settleTransactions(asking(10_000), 60_000, [{ transactionalId: id, topics: ['out'] }]);
  expect(settled.outcome).toBe('settled');
  await sleep(2_000);
  expect({ outcome: outcome.outcome, abortedIn0: broker.partition('out', 0)?.aborted.length }).not.toEqual({
    outcome: 'committed',
    abortedIn0: 1,
  });
});

describe('the marker of an epoch of version 1', () => {
  const NOW = 1_000_000_000;
  const HALF_A_DAY_MS = 12 * 3_600_000;
  const committable = { sink: 'write', subtask: 0, epoch: 4, transactionalId: 'id', producerId: '7', producerEpoch: 1, written: [] };

  interface Found {
    readonly offset?: number;
    readonly answer?: KafkaAnswer;
    readonly leaders?: readonly number[] | 'TOPIC_AUTHORIZATION_FAILED';
    /** Whose transaction is open in the topic. */
    readonly openOf?: string;
    readonly ageMs?: number;
    readonly previousUseAtMs?: number;
  }

  function verdict({ offset, answer = 'NONE', leaders = [1, 1], openOf, ageMs = 0, previousUseAtMs }: Found) {
    const kafka = {
      offsetFetch: async () => ({ answer, offset }),
      leaders: async () => {
        if (typeof leaders === 'string') throw new KafkaProblem(leaders, 'no right', false);
        return leaders;
      },
      forgetLeaders: () => {},
      describeProducers: async (_leader: number, _topic: string, [partition = 0]: readonly number[]) => ({
        answer: 'NONE',
        producers: openOf === undefined ? [] : [{ partition, producerId: openOf, producerEpoch: 1, lastTimestampMs: 0, openSince: 3 }],
      }),
    } as unknown as TransactionRequests;
    const clock = { now: () => NOW, elapsedMs: () => 0, sleep: async () => {} };
    const asking = { kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 0 };
    return markerVerdict(asking, committable, { topic: 'out', startedAtMs: NOW - ageMs, previousUseAtMs }, NOW);
  }

  it.each<[string, Found]>([
    ['committed', { offset: 4 }],
    // A later epoch has used the id since.
    ['committed', { offset: 6 }],
    ['not-committed', { offset: 3 }],
    ['not-committed', { ageMs: HALF_A_DAY_MS - 1 }],
    // It may have expired.
    ['no-evidence', { ageMs: HALF_A_DAY_MS }],
    ['no-evidence', { previousUseAtMs: NOW }],
    ['committed', { offset: 4, openOf: '8' }],
    ['forgotten', { offset: 4, openOf: '7' }],
    ['unsettled', { offset: 4, leaders: [1, -1] }],
    ['unsettled', { offset: 4, leaders: 'TOPIC_AUTHORIZATION_FAILED' }],
    ['unsettled', { answer: 'GROUP_AUTHORIZATION_FAILED' }],
  ])('says "%s" when what is found is %j', async (expected, found) => {
    expect((await verdict(found)).verdict).toBe(expected);
  });

  it('that says nothing for sure says why', async () => {
    expect(await verdict({ offset: 4, leaders: [1, -1] })).toHaveProperty(
      'message',
      'epoch 4, decided by an earlier version, transaction id: partitions 1 of topic out have no leader',
    );
    expect(await verdict({ answer: 'GROUP_AUTHORIZATION_FAILED' })).toHaveProperty(
      'message',
      expect.stringMatching(/its commit marker could not be read \(GROUP_AUTHORIZATION_FAILED, NONE\)$/),
    );
    expect(await verdict({ offset: 4, openOf: '7' })).toHaveProperty(
      'message',
      expect.stringMatching(/forgot the end in partitions 0 of topic out/),
    );
  });
});
