import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { createTable } from '../../../lib/aws/dynamo-table.ts';
import { type KafkaService, startKafka } from '../../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../../local/stack/kept-process.ts';
import { jobRow } from '../../support/epochs.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { committedOffsets } from '../../support/group-offsets.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { type Mirror, type MirrorOptions, mirrorGroup, mirrorTopic } from '../../support/mirror.ts';
import { onceflow } from '../../support/onceflow.ts';
import { itemsOf, setBack } from '../../support/restored-table.ts';
import { type SeenRecord, TopicReader } from '../../support/topic-reader.ts';
import { createTopic, newProducer, send, uniqueName, withAdmin } from '../../support/topics.ts';
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

let keeper: Keeper;
let other: KafkaService;
beforeAll(async () => {
  keeper = await openKeeper();
  other = await startKafka(keeper);
});
afterAll(() => keeper?.close());

interface Elsewhere {
  readonly at: string[];
  /** Of the output there, where nothing is yet unless it was mirrored. */
  readonly reader: TopicReader;
  readonly mirror: Mirror;
}

/** The topics under their names in the other cluster, the input as a mirror has it. */
async function mirrored(count: WordCount, how: MirrorOptions = {}): Promise<Elsewhere> {
  const at = [other.bootstrap];
  await createTopic(count.output, { at });
  const mirror = await mirrorTopic(count.input, at, how);
  return { at, reader: new TopicReader(count.output, 'committed', at), mirror };
}

const apart = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('the Kafka cluster is lost', () => {
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
    const { at, reader } = await mirrored(count, { from: middle });
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

  it('a time that is too early counts again what the state has; so does the end of a transaction of the mirror, which lies before older records', async () => {
    const count = await newWordCount();
    await count.write(['ant', 'bee', 'cow']);
    await apart();
    const time = Date.now();
    await count.write(['dog', 'eel']);
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'last');
    const { at, reader } = await mirrored(count, { inTransactions: true });
    const env = { ONCEFLOW_BROKERS: at.join(','), ONCEFLOW_START_FROM: 'last', ONCEFLOW_START_SOURCE_OFFSETS: `timestamp:${time}` };
    const run = count.job.start(env);
    await reader.readUntil(({ records }) => records.length >= 4);
    await run.stop();
    await reader.readOn();
    // An end has the time at which it was written. Before that of ant nothing is, so ant alone is not read again.
    expect(sorted(reader.records)).toEqual(['bee:::2', 'cow:::2', 'dog:::2', 'eel:::2']);
  });

  it('group has it go on where a mirror says that it was: exactly, but for the record behind an offset that was rounded down', async () => {
    const count = await newWordCount();
    await count.write(['ant bee', 'ant', 'cow ant', 'bee', 'auk ant']);
    await count.expectExact(count.job.start());
    await savepointOf(count, 'create', 'last');
    const read = await committedOffsets(count.job.name, count.input, brokers());
    expect(read).toEqual([2, 2, 1]);
    // Sent, mirrored, and not read when the cluster was lost.
    await count.write(['ant cow', 'dog', 'bee']);
    const { at, reader, mirror } = await mirrored(count, { inTransactions: true });
    // None is what it was, and in the second partition it is that of the record before: mirrors look now and then.
    expect(mirror.translated(read)).toEqual([8, 8, 5]);
    await mirrorGroup(count.job.name, count.input, at, mirror.translated([2, 1, 1]));

    const env = { ONCEFLOW_BROKERS: at.join(','), ONCEFLOW_START_FROM: 'last', ONCEFLOW_START_SOURCE_OFFSETS: 'group' };
    const run = count.job.start(env);
    await reader.readUntil(({ records }) => records.length >= 6);
    await run.stop();
    expect(faultsOf(await readBoth(count, reader), [...(await count.inputLines()), 'auk ant'])).toEqual(EXACT);
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
    const { at, reader } = await mirrored(count);
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

it('a region is lost: in the other one, with a table and a bucket of its own, the export goes on from its time on; what came behind it comes again', async () => {
  const count = await newWordCount();
  const kept = await elsewhere();
  await count.write(['ant bee', 'ant', 'cow ant']);
  await count.expectExact(count.job.start());
  await savepointOf(count, 'create', 'nightly');
  expect(await savepointOf(count, 'export', 'nightly', kept)).toMatchObject({ code: 0 });
  const then = count.reader.records.length;
  await apart();
  const time = Date.now();
  await count.write(['bee', 'auk ant']);
  await count.expectExact(count.job.start());
  const before = count.reader.records.length;
  await count.write(['ant cow']);

  // The mirror began late, and knows where the job was: behind the export.
  const { at, reader, mirror } = await mirrored(count, { from: time });
  await mirrorTopic(count.output, at);
  await mirrorGroup(count.job.name, count.input, at, mirror.translated(await committedOffsets(count.job.name, count.input, brokers())));
  const table = uniqueName('table');
  await createTable(createDynamoDbClient(), table);
  const bucket = await elsewhere();
  const region = {
    ...count.job.env,
    ONCEFLOW_BROKERS: at.join(','),
    ONCEFLOW_TABLE: table,
    ONCEFLOW_BLOBS: bucket,
    ONCEFLOW_JOB_NAME: count.job.name,
  };
  expect(await onceflow(region, 'savepoint', 'import', 'nightly', kept)).toMatchObject({ code: 0 });

  const run = count.job.start({ ...region, ONCEFLOW_START_FROM: 'nightly', ONCEFLOW_START_SOURCE_OFFSETS: `timestamp:${time}` });
  await reader.readUntil(({ records }) => records.length >= before + (before - then) + 2);
  await run.stop();
  await reader.readOn();
  const { records } = reader;
  // What was mirrored is there; behind it comes what the job wrote after the export once more, and then what nobody had read.
  expect(sorted(records.slice(0, before))).toEqual(sorted(count.reader.records));
  const again = records.slice(before);
  expect(sorted(again)).toEqual(sorted([...count.reader.records.slice(then), { value: 'ant:::5' }, { value: 'cow:::2' }]));
  expect(faultsOf([...count.reader.records.slice(0, then), ...again], await count.inputLines())).toEqual(EXACT);
  expect(await openTransactions(count.job.name, at)).toEqual([]);
});

/** By the readers of both clusters, of a job that went on in the other. */
async function readBoth(count: WordCount, reader: TopicReader): Promise<readonly SeenRecord[]> {
  await Promise.all([count.reader.readOn(), reader.readOn()]);
  return [...count.reader.records, ...reader.records];
}

function sorted(records: readonly Pick<SeenRecord, 'value'>[]): string[] {
  return records.map(({ value }) => value).sort();
}
