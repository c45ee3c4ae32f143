import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jobRow, testEpochs } from '../../support/epochs.ts';
import { planFault } from '../../support/faults.ts';
import { onceflow } from '../../support/onceflow.ts';
import { uniqueName } from '../../support/topics.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { countWords, EXACT, faultsOf, someLines, totalOf } from '../../support/word-counts.ts';

/** The command on the job, in its environment. */
const commandOn =
  (count: WordCount) =>
  (...args: readonly string[]) =>
    onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'savepoint', ...args, '--json');

it('a savepoint under load: the job goes on, and a start from it at another parallelism counts from there, exactly', {
  timeout: 240_000,
}, async () => {
  const count = await newWordCount({ env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: '300' } });
  const savepoint = commandOn(count);
  const run = count.job.start();
  const feed = count.feed();
  await run.event('committed', ({ epoch }) => epoch >= 4);
  const created = await savepoint('create', 'before');
  expect(created).toMatchObject({ code: 0 });
  const { epoch: kept, incarnation: was } = created.json() as { epoch: number; incarnation: string };
  await run.event('committed', ({ epoch }) => epoch >= kept + 8);
  await feed.stop();
  await count.expectExact(run);
  const before = count.reader.records.length;

  // Without that word it starts nothing.
  const refused = count.job.start({ ONCEFLOW_START_FROM: 'before' });
  expect(await refused.ended).toMatchObject({
    end: 'failed',
    message: expect.stringMatching(/epochs \d+ to \d+ were committed\. .*ONCEFLOW_ON_WRITTEN_AGAIN=allow/),
  });
  expect((await jobRow(count.job.name)).incarnation).toBe(was);

  const wider = { ONCEFLOW_STAGE_PARALLELISM: 'read-lines=2,count-words=3,write-counts=2' };
  const again = count.job.start({ ...wider, ONCEFLOW_START_FROM: 'before', ONCEFLOW_ON_WRITTEN_AGAIN: 'allow' });
  expect(await again.event('started-from')).toMatchObject({ epoch: kept, left: was });
  await again.event('recovered');
  await count.write(someLines(50, 99));
  const input = await count.inputLines();
  const countedThen = await countedAt(count.job.name, 'before');
  const behind = totalOf(countWords(input)) - countedThen;
  await count.reader.readUntil(({ records }) => records.length >= before + behind);
  await again.stop();
  await count.reader.readOn();
  const secondLife = count.reader.records.slice(before);
  expect(secondLife).toHaveLength(behind);
  // Of each word it goes on behind a count; these are what the savepoint had counted, and together as many.
  const until = countsUntil(secondLife, countWords(input));
  expect(totalOf(until)).toBe(countedThen);
  const firstLife = count.reader.records
    .slice(0, before)
    .filter(({ value }) => Number(value.split(':::')[1]) <= (until.get(value.split(':::')[0] ?? '') ?? 0));
  expect(faultsOf([...firstLife, ...secondLife], input)).toEqual(EXACT);

  // It did so once: the parameter may stay.
  const onceMore = count.job.start({ ...wider, ONCEFLOW_START_FROM: 'before' });
  await onceMore.event('recovered');
  await onceMore.stop();
  expect(onceMore.eventsOf('started-from')).toEqual([]);
});

describe('a coordinator that dies while a stopped job starts from a savepoint', () => {
  async function diedInStart() {
    const count = await newWordCount();
    const savepoint = commandOn(count);
    await count.write(['ant bee', 'ant']);
    await count.expectExact(count.job.start());
    expect(await savepoint('create', 'kept')).toMatchObject({ code: 0 });
    await onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'stop');
    // What begins the new incarnation is the first that it writes in a transaction.
    const fault = planFault({ role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when: 'before', nth: 1, does: 'kill-itself' });
    const run = count.job.start({ ...fault.env, ONCEFLOW_START_FROM: 'kept' });
    await fault.happened();
    return { count, run };
  }

  it('is started again, and the job starts from there', async () => {
    const { count, run } = await diedInStart();
    await run.event('started-from');
    await count.write(['bee']);
    await count.expectExact(run);
  });

  it('is started again, and the job moves there and stays stopped, when somebody has asked for that meanwhile', async () => {
    const { count, run } = await diedInStart();
    await testEpochs().setDesired(count.job.name, 'stopped');
    await run.event('started-from');
    expect(await run.ended).toMatchObject({ end: 'stopped' });
    expect(await testEpochs().readJob(count.job.name)).toMatchObject({ desired: 'stopped' });
  });
});

it('an exported savepoint of a job that was deleted starts a job of another name, with all that it had', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onceflow-savepoint-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const count = await newWordCount();
  await count.write(someLines(40));
  await count.expectExact(count.job.start());
  const before = count.reader.records.length;
  const savepoint = commandOn(count);
  expect(await savepoint('create', 'last')).toMatchObject({ code: 0 });
  expect(await savepoint('export', 'last', `file://${folder}/last`)).toMatchObject({ code: 0 });
  const cancelled = await onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'cancel', '--retention', 'delete');
  expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringMatching(/Kept: 1 savepoint \(last\) with \d+ blob/) });
  expect(await savepoint('delete', 'last')).toMatchObject({ code: 0 });

  const name = uniqueName('other');
  const imported = await onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: name }, 'savepoint', 'import', 'theirs', `file://${folder}/last`);
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringMatching(/is imported: epoch \d+/) });
  await count.write(someLines(40, 7));
  const run = count.job.start({ ONCEFLOW_JOB_NAME: name, ONCEFLOW_START_FROM: 'theirs' });
  await run.event('started-from');
  await count.allCounted(run);
  await run.stop();
  await count.reader.readOn();
  expect(count.reader.records.length).toBeGreaterThan(before);
  expect(faultsOf(count.reader.records, await count.inputLines())).toEqual(EXACT);
});

/** How many words had been counted, and put out, when a savepoint's epoch was decided. */
async function countedAt(job: string, name: string): Promise<number> {
  const savepoint = await testEpochs().readSavepoint(job, name);
  if (savepoint === undefined) throw new Error(`job ${job} has no savepoint ${name}`);
  const rows = await testEpochs().listEpochs(job, savepoint.incarnation, -1);
  return rows.filter(({ epoch }) => epoch <= savepoint.epoch).reduce((sum, { summary }) => sum + summary.recordsOut, 0);
}

/** By word, the count behind which these go on. */
function countsUntil(records: readonly { readonly value: string }[], all: ReadonlyMap<string, number>): Map<string, number> {
  const first = new Map<string, number>();
  for (const { value } of records) {
    const [word = '', digits] = value.split(':::');
    first.set(word, Math.min(first.get(word) ?? Number.POSITIVE_INFINITY, Number(digits)));
  }
  return new Map([...all].map(([word, n]) => [word, (first.get(word) ?? n + 1) - 1]));
}
