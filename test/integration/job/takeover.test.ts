import { describe, expect, it } from 'vitest';
import { jobRow, testEpochs } from '../../support/epochs.ts';
import { planFault } from '../../support/faults.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const EPOCH = 3;

describe('a second coordinator takes over while the first is stopped, and the first, when it wakes,', () => {
  it.each([
    { where: 'about to decide an epoch', when: 'before' as const, mostCommitted: EPOCH - 1 },
    // It may see in the log that the epoch is committed before it hears of its successor, who has committed it.
    { where: 'about to commit the epoch that it decided', when: 'answered' as const, mostCommitted: EPOCH },
  ])('$where, writes nothing and ends as superseded', async ({ when, mostCommitted }) => {
    const count = await newWordCount();
    const frozen = planFault({ role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when, nth: EPOCH + 1, does: 'stop-itself' });
    const feed = count.feed();
    const first = count.job.start(frozen.env);
    const coordinator = await frozen.happened();
    const second = count.job.start();
    const { generation } = await second.event('lease-taken');
    await second.event('committed');
    await feed.stop();
    await count.allCounted(second);
    await waitFor('the last commit to be recorded', async () => {
      const { lastCompleted, lastCommitted } = await jobRow(count.job.name);
      return lastCompleted?.epoch === lastCommitted;
    });

    const before = await everythingWritten(count.job.name);
    process.kill(coordinator, 'SIGCONT');
    expect(await first.ended).toMatchObject({ end: 'superseded' });
    const committed = first.eventsOf('committed').map(({ epoch }) => epoch);
    expect(committed).toEqual(Array.from({ length: Math.max(committed.length, EPOCH - 1) }, (_, index) => index + 1));
    expect(committed.length).toBeLessThanOrEqual(mostCommitted);
    expect(await everythingWritten(count.job.name)).toEqual(before);
    expect(await jobRow(count.job.name)).toMatchObject({ generation, desired: 'running' });
    await count.expectExact(second);
  });
});

/** The job's rows but for the lease, which the holder renews. */
async function everythingWritten(job: string): Promise<object> {
  const { leaseExpiresAtMs: _, ...row } = await jobRow(job);
  return { row, epochs: await testEpochs().listEpochs(job, row.incarnation, -1) };
}
