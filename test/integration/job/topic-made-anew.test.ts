import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../support/epochs.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { endsOf } from '../../support/kafka-wire.ts';
import { newProducer, send, withAdmin } from '../../support/topics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { countWords, someLines, totalOf } from '../../support/word-counts.ts';

const ANOTHER =
  /topic \S+, partition \d: the job has read up to offset 10 of the topic with id [\w-]{22}, and the topic has id [\w-]{22} now: it was made anew/;

/** Deletes the topic and makes it anew, with these lines in it. */
async function makeAnew(topic: string, lines: readonly string[]): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic));
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
  });
  await waitFor('its leaders', async () => String(await endsOf(topic, 'uncommitted').catch(() => '')) === '0,0,0');
  await send(await newProducer(), topic, lines);
}

describe('a source topic that is made anew and has more in it by then than the job had read', () => {
  const ten = ['ant', 'bee', 'cow'].flatMap((word) => Array.from({ length: 10 }, () => word));

  it('stops the job that finds it at its start, which says so with both ids', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(ten);
    await count.expectExact(count.job.start());
    const { topicIds } = await manifestOf(count.job.name);
    await makeAnew(count.input, someLines(60));
    const { end, message } = await count.job.start().ended;
    expect({ end, message }).toEqual({ end: 'failed', message: expect.stringMatching(ANOTHER) });
    expect(message).toContain(topicIds?.['read-lines']?.[count.input] ?? 'an id');
    expect(message).toMatch(/The job stops and skips nothing \(ONCEFLOW_ON_DATA_LOSS=stop\): give the topic back/);
  });

  it('stops one that runs, too', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(ten);
    const run = count.job.start();
    await count.allCounted(run);
    await makeAnew(count.input, someLines(60));
    expect(await run.ended).toMatchObject({ end: 'failed', message: expect.stringMatching(ANOTHER) });
  });

  it('is counted from its beginning with ONCEFLOW_ON_DATA_LOSS=earliest', async () => {
    const count = await newWordCount({ env: { ...SHORT_TRANSACTIONS, ONCEFLOW_ON_DATA_LOSS: 'earliest' } });
    await count.write(ten);
    await count.expectExact(count.job.start());
    const anew = someLines(60);
    await makeAnew(count.input, anew);
    const run = count.job.start();
    const lost = await run.event('data-loss');
    expect(lost).toMatchObject({ from: 10, to: 0, count: 0, message: expect.stringMatching(ANOTHER) });
    await count.reader.readUntil(({ records }) => records.length >= ten.length + totalOf(countWords(anew)));
    await run.stop();
    await count.reader.readOn();
    expect(count.reader.records).toHaveLength(ten.length + totalOf(countWords(anew)));
    expect(run.eventsOf('data-loss')).toHaveLength(3);
  });
});
