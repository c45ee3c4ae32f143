import { describe, expect, it } from 'vitest';
import { kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { runKafkaTool } from '../../../local/stack/java.ts';
import { manifestOf } from '../../support/epochs.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { newProducer } from '../../support/topics.ts';
import { preparedId, stateOf } from '../../support/transactions.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const EPOCH = 3;
describe('the output of a decided epoch whose transaction', () => {
  it('the broker aborted, because the coordinator slept longer than the transaction timeout, is published again, once', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    const frozen = planFault({ ...afterDecision(EPOCH), does: 'stop-itself' });
    const feed = count.feed();
    const run = count.job.start(frozen.env);
    const coordinator = await frozen.happened();
    await feed.stop();
    const transactionalId = await preparedId(count.job.name, EPOCH);
    await waitFor('the broker to abort the transaction', async () => (await stateOf(transactionalId)) === 'CompleteAbort');
    process.kill(coordinator, 'SIGCONT');
    expect(await run.event('committed', ({ epoch }) => epoch === EPOCH)).toMatchObject({ republished: 1 });
    await count.expectExact(run);
  });

  it('a zombie fenced and so aborted is published again, once', async () => {
    const count = await newWordCount();
    const frozen = planFault({ ...afterDecision(EPOCH), does: 'stop-itself' });
    const feed = count.feed();
    const run = count.job.start(frozen.env);
    const coordinator = await frozen.happened();
    await feed.stop();
    const transactionalId = await preparedId(count.job.name, EPOCH);
    await fence(transactionalId);
    process.kill(coordinator, 'SIGCONT');
    expect(await run.event('doubtful')).toMatchObject({ epoch: EPOCH, names: { transactionalId }, resolution: 'republished' });
    expect(await run.event('committed', ({ epoch }) => epoch === EPOCH)).toMatchObject({ republished: 1 });
    await count.expectExact(run);
  });

  it('was terminated by hand (kafka-transactions forceTerminateTransaction) while the job was dead is published again, once', async () => {
    const count = await newWordCount();
    const killed = planFault({ ...afterDecision(EPOCH), does: 'kill-all' });
    const feed = count.feed();
    await count.job.start(killed.env).ended;
    await killed.happened();
    await feed.stop();
    const transactionalId = await preparedId(count.job.name, EPOCH);
    const tool = await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', [
      '--bootstrap-server',
      brokers().join(','),
      'forceTerminateTransaction',
      '--transactionalId',
      transactionalId,
    ]);
    expect(tool).toMatchObject({ exitCode: 0, stderr: '' });
    const run = count.job.start();
    expect(await run.event('recovered')).toMatchObject({ epoch: EPOCH, committed: 1, republished: 1 });
    await count.expectExact(run);
  });

  it('was committed before a zombie fenced it is not published again', async () => {
    const count = await newWordCount();
    const killed = planFault({ role: 'sink', request: 'EndTxn', when: 'answered', nth: EPOCH, does: 'kill-all' });
    const feed = count.feed();
    await count.job.start(killed.env).ended;
    await killed.happened();
    await feed.stop();
    const { committables } = await manifestOf(count.job.name);
    const [transactionalId = ''] = committables.map((committable) => kafkaCommittable(committable).transactionalId);
    await fence(transactionalId);
    const run = count.job.start();
    expect(await run.event('recovered')).toMatchObject({ epoch: EPOCH, committed: 1, republished: 0 });
    await count.expectExact(run);
  });
});

/** What an attempt that woke up too late would do: InitProducerId. */
async function fence(transactionalId: string): Promise<void> {
  const zombie = await newProducer(transactionalId);
  await (await zombie.transaction()).abort();
}
