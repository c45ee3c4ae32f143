import { expect, it } from 'vitest';
import { commitTransaction } from '../../../../lib/sinks/kafka/commit.ts';
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
  const { producerId, producerEpoch } = broker.initProducerId(id, 60_000);
  const who = { transactionalId: id, producerId, producerEpoch };
  const both = [0, 1].map((partition) => ({ topic: 'out', partition }));
  expect(broker.addPartitions(who, both)).toBe('NONE');
  for (const at of both) {
    const header = { producerId: BigInt(producerId), producerEpoch, transactional: true, timestampMs: nowMs, baseSequence: 0 };
    broker.produce(who, at.partition, [{ ...at, batch: encodeBatch(header, [`value ${at.partition}`]) }]);
  }
  // The leader of partition 0 goes for a second, and its transaction ends meanwhile: its group offset is committed.
  broker.partition('out', 0)?.loseLeader((run) => due.push({ atMs: nowMs + 1_000, run }));
  broker.commitGroupOffsets(id, 'out', [{ partition: 0, offset: 4 }], '');
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
