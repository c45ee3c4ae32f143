import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type KafkaService, startKafka } from '../../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../../local/stack/kept-process.ts';
import { jobRow } from '../../support/epochs.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { onceflow } from '../../support/onceflow.ts';
import { itemsOf, setBack } from '../../support/restored-table.ts';
import { type SeenRecord, TopicReader } from '../../support/topic-reader.ts';
import { newProducer, send, withAdmin } from '../../support/topics.ts';
import { openTransactions } from '../../support/transactions.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { countWords, EXACT, faultsOf, totalOf } from '../../support/word-counts.ts';

/* Each page of docs/disasters.md. */

const savepointOf = (count: WordCount, ...args: readonly string[]) =>
  onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'savepoint', ...args, '--json');

/** A folder for an export, kept elsewhere than the job's own things. */
async function elsewhere(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onceflow-elsewhere-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return `file://${folder}/kept`;
}

describe('the table is lost', () => {
  it('from a point in time the job goes on by a decision: what came behind it is written a second time', async () => {
    const count = await newWordCount();
    await count.write(['ant bee']);
    await count.expectExact(count.job.start());
    const earlier = await itemsOf(count.job.name);
    const then = count.reader.records.length;
    await count.write(['ant cow', 'bee auk']);
    await count.expectExact(count.job.start());
    const before = count.reader.records.length;

    await setBack(count.job.name, earlier);
    expect(await count.job.start().ended).toMatchObject({ end: 'failed', message: expect.stringContaining('the table was set back') });
    // A person has decided: the witness is taken from the group.
    await withAdmin((admin) => admin.deleteGroups([count.job.name]));
    const run = count.job.start();
    await count.reader.readUntil(({ records }) => records.length >= before + (before - then));
    await run.stop();
    await count.reader.readOn();
    const { records } = count.reader;
    expect(sorted(records.slice(before))).toEqual(sorted(records.slice(then, before)));
    // Whoever takes each count once has all of them.
    expect(faultsOf([...records.slice(0, then), ...records.slice(before)], await count.inputLines())).toEqual(EXACT);
  });

  it('without any of its rows an export starts the job with all that it had', async () => {
    const count = await newWordCount();
    const kept = await elsewhere();
    await count.write(['ant bee', 'ant']);
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'nightly');
    expect(await savepointOf(count, 'export', 'nightly', kept)).toMatchObject({ code: 0 });
    await setBack(count.job.name, []);
    expect(await count.job.start().ended).toMatchObject({
      end: 'failed',
      message: expect.stringMatching(/says that job \S+ has run .* this table knows no epoch of it/),
    });
    expect(await savepointOf(count, 'import', 'nightly', kept)).toMatchObject({ code: 0 });
    await count.write(['ant cow']);
    const run = count.job.start({ ONCEFLOW_START_FROM: 'nightly' });
    await run.event('started-from');
    await count.expectExact(run);
  });
});

it('the bucket is lost: nothing starts that would miss its state, and an export starts the job with what it had then', async () => {
  const count = await newWordCount({ env: { ONCEFLOW_INLINE_BLOB_BYTES: '0' } });
  const kept = await elsewhere();
  await count.write(['ant bee', 'ant']);
  await count.expectExact(count.job.start());
  await savepointOf(count, 'create', 'nightly');
  expect(await savepointOf(count, 'export', 'nightly', kept)).toMatchObject({ code: 0 });
  const then = count.reader.records.length;
  await count.write(['ant cow']);
  await count.expectExact(count.job.start());
  const before = count.reader.records.length;
  const { lastCompleted } = await jobRow(count.job.name);

  await rm(count.job.blobs, { recursive: true });
  await count.write(['bee']);
  const blind = await count.job.start().ended;
  expect(blind).toMatchObject({ end: 'failed', message: expect.stringMatching(/blob \S+ is missing from .*ONCEFLOW_BLOBS/) });
  expect((await jobRow(count.job.name)).lastCompleted).toEqual(lastCompleted);
  await count.reader.readOn();
  expect(count.reader.records).toHaveLength(before);

  // The savepoint of that name names blobs that are gone.
  expect(await savepointOf(count, 'import', 'again', kept)).toMatchObject({ code: 0 });
  const run = count.job.start({ ONCEFLOW_START_FROM: 'again', ONCEFLOW_ON_WRITTEN_AGAIN: 'allow' });
  await count.reader.readUntil(({ records }) => records.length >= before + (before - then) + 1);
  await run.stop();
  await count.reader.readOn();
  const { records } = count.reader;
  expect(faultsOf([...records.slice(0, then), ...records.slice(before)], await count.inputLines())).toEqual(EXACT);
});

describe('the Kafka cluster is lost', () => {
  let keeper: Keeper;
  let other: KafkaService;
  beforeAll(async () => {
    keeper = await openKeeper();
    other = await startKafka(keeper);
  });
  afterAll(() => keeper?.close());

  /** The topics under their names in the other cluster, and in the input what a mirror has kept of it: all behind `from`, with its times. */
  async function mirrored(count: WordCount, from: number): Promise<{ readonly at: string[]; readonly reader: TopicReader }> {
    const at = [other.bootstrap];
    const topics = [count.input, count.output].map((topic) => ({ topic, numPartitions: 3, replicationFactor: 1 }));
    await withAdmin((admin) => admin.createTopics({ waitForLeaders: true, topics }), at);
    const input = new TopicReader(count.input);
    await input.readOn();
    const messages = input.records
      .filter(({ timestamp }) => timestamp >= from)
      .map(({ partition, timestamp, value }) => ({ partition, timestamp: String(timestamp), value }));
    const producer = await newProducer(undefined, at);
    if (messages.length > 0) await producer.send({ topic: count.input, messages, compression: CompressionTypes.None });
    return { at, reader: new TopicReader(count.output, 'committed', at) };
  }

  const apart = () => new Promise((resolve) => setTimeout(resolve, 20));

  it('ONCEFLOW_START_SOURCE_OFFSETS has the state go on over mirrored topics with other offsets: each record behind a time is counted once', async () => {
    const count = await newWordCount();
    await count.write(['ant bee', 'ant', 'cow ant']);
    await apart();
    const middle = Date.now();
    await count.write(['bee', 'auk ant']);
    await apart();
    const time = Date.now();
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'last');
    const first = await count.inputLines();
    // Sent, mirrored, and not read when the cluster was lost.
    await count.write(['ant cow']);
    const { at, reader } = await mirrored(count, middle);
    const sourceOffsets = `timestamp:${time}`;
    const there = { ONCEFLOW_BROKERS: at.join(','), ONCEFLOW_START_FROM: 'last', ONCEFLOW_START_SOURCE_OFFSETS: sourceOffsets };

    const run = count.job.start(there);
    expect(await run.event('started-from')).toMatchObject({ sourceOffsets });
    await send(await newProducer(undefined, at), count.input, ['bee dog']);
    // By what the topic holds: to a broker that has just started the test's producer may have sent a line twice.
    const input = new TopicReader(count.input, 'committed', at);
    await input.readOn();
    const lines = [...first, ...input.records.flatMap(({ timestamp, value }) => (timestamp >= time ? [value] : []))];
    expect(new Set(lines)).toEqual(new Set([...first, 'ant cow', 'bee dog']));
    await reader.readUntil(({ records }) => records.length >= totalOf(countWords(lines)) - totalOf(countWords(first)));
    await run.stop();
    await reader.readOn();
    await count.reader.readOn();
    expect(faultsOf([...count.reader.records, ...reader.records], lines)).toEqual(EXACT);
    expect(await openTransactions(count.job.name, at)).toEqual([]);

    // It did so once: the parameters may stay.
    const before = reader.records.length;
    const again = count.job.start(there);
    await again.event('recovered');
    await again.stop();
    await reader.readOn();
    expect(reader.records).toHaveLength(before);
  });

  it('a time that is too early counts again what the state has already', async () => {
    const count = await newWordCount();
    await apart();
    const time = Date.now();
    await count.write(['ant', 'bee']);
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'last');
    const { at, reader } = await mirrored(count, time);
    const env = { ONCEFLOW_BROKERS: at.join(','), ONCEFLOW_START_FROM: 'last', ONCEFLOW_START_SOURCE_OFFSETS: `timestamp:${time}` };
    const run = count.job.start(env);
    await reader.readUntil(({ records }) => records.length >= 2);
    await run.stop();
    expect(sorted(reader.records)).toEqual(['ant:::2', 'bee:::2']);
  });

  it('an epoch whose commit was under way has no evidence there: a person says whether its output was mirrored', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    await count.write(['ant bee']);
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'last');
    const first = await count.inputLines();
    await apart();
    const time = Date.now();
    await count.write(['ant']);
    const fault = planFault({ ...afterDecision(0), does: 'kill-all' });
    await count.job.start(fault.env).ended;
    await fault.happened();
    const { at, reader } = await mirrored(count, 0);
    const there = { ONCEFLOW_BROKERS: at.join(','), ONCEFLOW_START_FROM: 'last', ONCEFLOW_START_SOURCE_OFFSETS: `timestamp:${time}` };
    const allowed = { ...there, ONCEFLOW_ON_WRITTEN_AGAIN: 'allow' };
    const stopped = await count.job.start(allowed).ended;
    expect(stopped).toMatchObject({ end: 'failed', message: expect.stringContaining('ONCEFLOW_ON_MISSING_EVIDENCE') });
    // Its input is read again from the savepoint on, so its own output is not wanted.
    const run = count.job.start({ ...allowed, ONCEFLOW_ON_MISSING_EVIDENCE: 'committed' });
    await reader.readUntil(({ records }) => records.length >= 1);
    await run.stop();
    await reader.readOn();
    const here = count.reader.records.filter(({ value }) => value !== 'ant:::2');
    expect(faultsOf([...here, ...reader.records], [...first, 'ant'])).toEqual(EXACT);
  });
});

function sorted(records: readonly Pick<SeenRecord, 'value'>[]): string[] {
  return records.map(({ value }) => value).sort();
}
