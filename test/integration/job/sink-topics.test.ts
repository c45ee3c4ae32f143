import { describe, expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../../local/stack/kafka.ts';
import { openKeeper } from '../../../local/stack/kept-process.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { withAdmin } from '../../support/topics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

describe("a sink's topic that changes while the job runs", () => {
  it('and has fewer partitions when it was made anew is written to without a restart', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(['ant bee cow auk bat cat']);
    const run = count.job.start();
    await count.allCounted(run);
    // A commit that is still looked at would find no evidence in the topic that is made anew.
    const ended = () => run.eventsOf('committed').length === run.eventsOf('decided').length || undefined;
    await run.until('what was decided to be committed', ended);
    const { output: topic } = count;
    await withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic));
      // kafkajs's own wait fails when the broker that it asks has not heard of the topic yet.
      await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    });
    await count.write(['ant bee cow auk bat cat']);
    await run.until('an attempt that failed', () => run.eventsOf('attempt-failed').length > 0 || undefined);
    await waitFor('the counts', async () => {
      const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic)).catch(() => []);
      // Six records and the end of their transaction.
      return offsets.length === 1 && Number(offsets[0]?.high) >= 7;
    });
    await run.stop();
    expect(await run.ended).toMatchObject({ end: 'stopped' });
  });

  it('and takes only smaller batches from then on is written to in such, without a restart', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(someLines(3));
    const run = count.job.start();
    await count.allCounted(run);
    const lower = { type: 2, name: count.output, configEntries: [{ name: 'max.message.bytes', value: '600' }] };
    await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [lower] }));
    await waitFor('a batch that is refused', async () => {
      await count.write(someLines(60));
      return run.eventsOf('attempt-failed').some(({ message }) => message.includes('MESSAGE_TOO_LARGE'));
    });
    await count.expectExact(run);
  });
});

describe("a sink's topic with a limit of its own", () => {
  it('below a kilobyte takes what fits, and a record that does not stops the job with the topic and the mend', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS, outputSettings: { 'max.message.bytes': '600' } });
    await count.write(someLines(30));
    await count.expectExact(count.job.start());
    await count.write(['x'.repeat(700)]);
    expect(await count.job.start().ended).toMatchObject({
      end: 'failed',
      message: expect.stringMatching(
        /a record takes \d+ bytes in a batch of its own, and the limit is 525: raise the sink topic's max\.message\.bytes/,
      ),
    });
  });

  it('above what a broker takes in one request is written in requests that the broker takes', { timeout: 180_000 }, async () => {
    const keeper = await openKeeper();
    onTestFinished(() => keeper.close());
    const kafka = await startKafka(keeper, { settings: { 'socket.request.max.bytes': 1_200_000 } });
    const at = [kafka.bootstrap];
    const limit = { 'max.message.bytes': '10000000' };
    const count = await newWordCount({ at, outputSettings: limit, env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: '2000' } });
    // More than that of output for each partition, and one epoch that takes all of it.
    const long = 'x'.repeat(150);
    for (let part = 0; part < 8; part++)
      await count.write(
        Array.from({ length: 30 }, (_, line) => Array.from({ length: 100 }, (_of, word) => `${long}${part}-${line}-${word}`).join(' ')),
      );
    const run = count.job.start();
    await count.expectExact(run);
    expect(run.eventsOf('attempt-failed')).toEqual([]);
  });
});
