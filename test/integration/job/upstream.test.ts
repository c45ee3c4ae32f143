import { expect, it } from 'vitest';
import { runKafkaTool } from '../../../local/stack/java.ts';
import { manifestOf } from '../../support/epochs.ts';
import { commitOffsets } from '../../support/group-offsets.ts';
import { brokers, endsOf } from '../../support/kafka-wire.ts';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic, send, uniqueName, withAdmin } from '../../support/topics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

const PRODUCERS = 3;
const ROUNDS = 12;

/** What producers write in transactions that are open at the same time, of which they abort every third. */
async function writeInterleaved(topic: string): Promise<string[]> {
  const committed: string[] = [];
  const producers = await Promise.all(Array.from({ length: PRODUCERS }, (_, which) => newProducer(uniqueName(`upstream-${which}`))));
  for (let round = 0; round < ROUNDS; round++) {
    const transactions = await Promise.all(producers.map((producer) => producer.transaction()));
    const chunks = transactions.map((_, which) => someLines(9, 100 * round + which));
    for (const part of [0, 1, 2]) {
      for (const [which, transaction] of transactions.entries())
        await send(transaction, topic, (chunks[which] ?? []).slice(3 * part, 3 * part + 3));
    }
    // Ended in the reverse order, so that the broker's lists of aborted transactions are not in order either.
    for (const [which, transaction] of [...transactions.entries()].reverse()) {
      if ((round * PRODUCERS + which) % 3 === round % 3) {
        await transaction.abort();
      } else {
        await transaction.commit();
        committed.push(...(chunks[which] ?? []));
      }
    }
  }
  return committed;
}

it('counts only what upstream producers committed, when they abort every third transaction', async () => {
  const count = await newWordCount();
  const run = count.job.start();
  await run.event('starting-offsets');
  const committed = await writeInterleaved(count.input);
  await waitFor('the markers of the last transactions', async () => (await count.inputLines()).length >= committed.length);
  await count.expectExact(run);
  // Behind the last marker, which is no record.
  expect((await manifestOf(count.job.name)).offsets).toEqual({ 'read-lines': { [count.input]: await endsOf(count.input, 'committed') } });
});

it('reads up to the last stable offset and no further while an upstream transaction is open', async () => {
  const count = await newWordCount();
  await count.write(someLines(30));
  const open = await (await newProducer(uniqueName('upstream'))).transaction();
  await send(open, count.input, someLines(6, 2));
  await count.write(someLines(30, 3));
  const run = count.job.start();
  // Everything before the open transaction: 30 lines over three partitions.
  const stable = [10, 10, 10];
  expect(await endsOf(count.input, 'committed')).toEqual(stable);
  await run.event('committed');
  expect((await manifestOf(count.job.name)).offsets).toEqual({ 'read-lines': { [count.input]: stable } });
  await open.commit();
  await waitFor('the marker of the transaction', async () => (await count.inputLines()).length === 66);
  await count.expectExact(run);
  const ends = await endsOf(count.input, 'uncommitted');
  expect((await manifestOf(count.job.name)).offsets).toEqual({ 'read-lines': { [count.input]: ends } });
  // For lag tools.
  const [group] = await withAdmin((admin) => admin.fetchOffsets({ groupId: count.job.name, topics: [count.input] }));
  const offsets = [...(group?.partitions ?? [])].sort((one, other) => one.partition - other.partition).map(({ offset }) => Number(offset));
  expect(offsets).toEqual(ends);
});

it('that starts at offsets of a group behind the last stable one waits for the transaction, and counts what comes after them, once', async () => {
  const count = await newWordCount({ env: { ONCEFLOW_STARTING_OFFSETS: 'group:earliest' } });
  await count.write(['before']);
  const open = await (await newProducer(uniqueName('upstream'))).transaction();
  await open.send({ topic: count.input, messages: [0, 1, 2].map((partition) => ({ value: 'held up', partition })) });
  // Where a consumer of the group that reads uncommitted records would stand.
  const ends = await endsOf(count.input, 'uncommitted');
  await commitOffsets(count.job.name, count.input, ends);
  const run = count.job.start();
  await run.event('starting-offsets');
  await count.write(['after']);
  await open.commit();
  await run.event('committed');
  await run.stop();
  await count.reader.readOn();
  expect(count.reader.values).toEqual(['after:::1']);
  expect(run.eventsOf('warning')).toEqual([]);
});

it("is checked by a reader that sees what Kafka's own consumer sees", async () => {
  const topic = await newTopic('interleaved');
  const committed = await writeInterleaved(topic);
  const [mine, uncommitted] = [new TopicReader(topic), new TopicReader(topic, 'uncommitted')];
  await mine.readUntil(({ records }) => records.length >= committed.length);
  await uncommitted.readOn();
  const { stdout } = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers().join(',')],
    ...['--topic', topic, '--from-beginning', '--isolation-level', 'read_committed', '--max-messages', String(committed.length)],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true', '--timeout-ms', '20000'],
  ]);
  const theirs = stdout.trimEnd().split('\n').sort();
  expect(mine.records.map(({ partition, offset, value }) => `Partition:${partition}\tOffset:${offset}\t${value}`).sort()).toEqual(theirs);
  expect(mine.values.sort()).toEqual(committed.sort());
  expect(uncommitted.records.length).toBe(PRODUCERS * ROUNDS * 9);
});
