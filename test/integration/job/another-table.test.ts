import { expect, it } from 'vitest';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { createEpochStore } from '../../../lib/aws/dynamo-epoch-store.ts';
import { createTable } from '../../../lib/aws/dynamo-table.ts';
import { jobRow } from '../../support/epochs.ts';
import { onceflow } from '../../support/onceflow.ts';
import { uniqueName } from '../../support/topics.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

const KNOWS_NOTHING = /says that job \S+ has run \(incarnation \w+, epoch \d+ was committed\), and this table knows no epoch of it/;

/** A table as a deployment makes it that was destroyed before, and had retained its own. */
async function newTable(): Promise<{ readonly ONCEFLOW_TABLE: string }> {
  const table = uniqueName('table');
  await createTable(createDynamoDbClient(), table);
  return { ONCEFLOW_TABLE: table };
}

async function countOf(lines: number): Promise<WordCount> {
  const count = await newWordCount();
  await count.write(someLines(lines));
  await count.expectExact(count.job.start());
  return count;
}

it('a job whose table is another one than it had does not start anew, and goes on exactly where it was with the one that it had', async () => {
  const count = await countOf(20);
  const before = await jobRow(count.job.name);
  const other = await newTable();
  await count.write(someLines(20, 2));

  for (const _ of ['first start', 'one more']) {
    expect(await count.job.start(other).ended).toMatchObject({ end: 'failed', message: expect.stringMatching(KNOWS_NOTHING) });
    const row = await createEpochStore({ client: createDynamoDbClient(), table: other.ONCEFLOW_TABLE }).readJob(count.job.name);
    expect(row).toMatchObject({ failure: expect.stringMatching(KNOWS_NOTHING), lastCompleted: undefined });
  }

  const run = count.job.start();
  expect(await run.event('recovered')).toMatchObject({ epoch: before.lastCompleted?.epoch });
  await count.expectExact(run);
});

it('a job whose table is another one starts anew with ONCEFLOW_ON_MISSING_STATE=start-anew, once, and goes on without that word', async () => {
  const count = await countOf(5);
  const other = await newTable();
  const anew = count.job.start({ ...other, ONCEFLOW_ON_MISSING_STATE: 'start-anew' });
  // The starting offsets are `earliest`: everything is counted again.
  await anew.event('committed');
  await anew.stop();
  const again = count.job.start(other);
  await again.event('recovered');
  await again.stop();
});

it('a job that was deleted begins anew without being asked: its group tells of it no more', async () => {
  const count = await countOf(5);
  const deleted = await onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'cancel', '--retention', 'delete');
  expect(deleted).toMatchObject({ code: 0, stderr: expect.not.stringContaining('still says') });
  const run = count.job.start({ ONCEFLOW_STARTING_OFFSETS: 'group' });
  await count.write(['one more']);
  await run.event('committed');
  await run.stop();
});
