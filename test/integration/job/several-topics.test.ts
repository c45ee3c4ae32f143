import { describe, expect, it } from 'vitest';
import { jobRow } from '../../support/epochs.ts';
import { afterDecision, type Fault, planFault } from '../../support/faults.ts';
import { newJob, SHORT_TRANSACTIONS } from '../../support/job.ts';
import { endsOf } from '../../support/kafka-wire.ts';
import { onceflow } from '../../support/onceflow.ts';
import { ASTRAY, TOPICS, topicOf } from '../../support/routing-job.ts';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic, send } from '../../support/topics.ts';
import { openTransactions } from '../../support/transactions.ts';
import { waitFor } from '../../support/wait-for.ts';
import { countWords, someLines, totalOf } from '../../support/word-counts.ts';

async function newRouting(env: Readonly<Record<string, string>> = {}) {
  const [input, odd, even, threes, producer] = await Promise.all([
    newTopic('lines'),
    newTopic('odd'),
    // Another number of partitions: a key is elsewhere in it.
    newTopic('even', { partitions: 5 }),
    newTopic('threes', { partitions: 1 }),
    newProducer(),
  ]);
  const topics = { 'read-lines': input, 'write-counts/odd': odd, 'write-counts/even': even, 'write-counts/threes': threes };
  const job = await newJob('test/support/routing-job.ts', topics, {
    ...SHORT_TRANSACTIONS,
    ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,write-counts=2',
    ...env,
  });
  const readers = [odd, even, threes].map((topic) => new TopicReader(topic));
  return { job, readers, write: (lines: readonly string[]) => send(producer, input, lines) };
}

/** Of each topic what it must hold, in any order. */
function expected(lines: readonly string[]): string[][] {
  const all = [...countWords(lines)].flatMap(([word, total]) => Array.from({ length: total }, (_, index) => ({ word, count: index + 1 })));
  return TOPICS.map((topic) => all.filter((one) => topicOf(one) === topic).map(({ word, count }) => `${word}:::${count}`)).map((values) =>
    values.sort(),
  );
}

async function readAll(readers: readonly TopicReader[], lines: readonly string[]): Promise<void> {
  const total = totalOf(countWords(lines));
  await waitFor('all counts', async () => {
    await Promise.all(readers.map((reader) => reader.readOn()));
    return readers.reduce((sum, { records }) => sum + records.length, 0) >= total;
  });
}

const KILLS: readonly (readonly [string, Pick<Fault, 'role' | 'request' | 'when' | 'nth'>])[] = [
  ['while its transaction is filled', { role: 'sink', request: 'Produce', when: 'answered', nth: 8 }],
  ['when its epoch is decided, and nobody knows', afterDecision(2)],
  ['between the commits of two subtasks', { role: 'sink', request: 'EndTxn', when: 'before', nth: 4 }],
];

describe('a sink of several topics', () => {
  it('has each record once in its own topic, also when everything is killed at each of these moments', async () => {
    const { job, readers, write } = await newRouting();
    const lines: string[] = [];
    let seed = 1;
    for (const [when, at] of KILLS) {
      const fault = planFault({ ...at, does: 'kill-all' });
      const run = job.start(fault.env);
      let isOver = false;
      void run.ended.then(() => {
        isOver = true;
      });
      while (!isOver) {
        const some = someLines(10, seed++);
        await write(some);
        lines.push(...some);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect((await run.ended).end, when).toBe('killed');
      await fault.happened();
    }
    const again = job.start();
    await readAll(readers, lines);
    await again.stop();
    await Promise.all(readers.map((reader) => reader.readOn()));
    expect(readers.map(({ values }) => [...values].sort())).toEqual(expected(lines));
    // Of one word the counts of a topic are in one partition, in order.
    for (const { records } of readers) {
      const byWord = Map.groupBy(records, ({ key = '' }) => key);
      for (const own of byWord.values()) {
        expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
        const counts = own.map(({ value }) => Number(value.split(':::')[1]));
        expect(counts).toEqual(counts.toSorted((one, other) => one - other));
      }
    }
    expect(await openTransactions(job.name)).toEqual([]);
    for (const { topic } of readers)
      await waitFor(
        'the last stable offsets',
        async () => String(await endsOf(topic, 'committed')) === String(await endsOf(topic, 'uncommitted')),
      );
  });

  it('stops at a record whose topic it does not name, leaves it out where that is asked for, and tools know all topics', async () => {
    const deadLetters = await newTopic('dead');
    const { job, readers, write } = await newRouting({ ONCEFLOW_POISON_ATTEMPTS: '2' });
    await write(['ant bee', `cow ${ASTRAY}`, 'ant ant']);
    expect(await job.start().ended).toMatchObject({
      end: 'failed',
      message: expect.stringMatching(
        /partition 1, offset 0: this record alone failed 2 times in a row in write-counts .*topic gave "nowhere", and `topics` of the sink has odd, even, threes/,
      ),
    });
    const run = job.start({ ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: deadLetters });
    await readAll(readers, ['ant bee', 'ant ant']);
    await run.stop();
    const letters = new TopicReader(deadLetters);
    await letters.readOn();
    expect(letters.values).toEqual([`cow ${ASTRAY}`]);
    const doctor = (await onceflow(job.env, 'doctor', '--json')).json() as { readonly findings: readonly { readonly what: string }[] };
    for (const { topic } of readers) expect(doctor.findings.some(({ what }) => what.includes(topic))).toBe(true);
    const { pool } = await jobRow(job.name);
    expect(Object.values(pool).flatMap((sinks) => Object.values(sinks).flatMap(({ places }) => places))).toEqual(
      expect.arrayContaining(readers.map(({ topic }) => topic)),
    );
  });
});
