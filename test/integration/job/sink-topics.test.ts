import { describe, expect, it } from 'vitest';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { withAdmin } from '../../support/topics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';

describe("a sink's topic that changes while the job runs", () => {
  it('and has fewer partitions when it was made anew is written to without a restart', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(['ant bee cow auk bat cat']);
    const run = count.job.start();
    await count.allCounted(run);
    const { output: topic } = count;
    await withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic));
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    });
    await count.write(['ant bee cow auk bat cat']);
    await run.until('an attempt that failed', () => run.eventsOf('attempt-failed').length > 0 || undefined);
    await waitFor('the counts', async () => {
      const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic));
      // Six records and the end of their transaction.
      return offsets.length === 1 && Number(offsets[0]?.high) >= 7;
    });
    await run.stop();
    expect(await run.ended).toMatchObject({ end: 'stopped' });
  });
});
