import { setTimeout as sleep } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeAll, expect, it } from 'vitest';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import type { JobTime } from '../../lib/inspect/time.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { Cdk } from '../../local/deploy/cdk.ts';
import { bootstrappedCdk, DeployedJob } from '../support/deployment.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { newProducer, newTopic, send, uniqueName } from '../support/topics.ts';
import { waitFor } from '../support/wait-for.ts';

/** Two ticks and more, so that the first finds it more than a minute ahead, and leaves again. */
const DUE_IN_MS = 150_000;
/** By then a tick has come that stays. */
const SOON_MS = 10_000;
/** A cold start and the emulator's own delays. */
const SLACK_MS = 20_000;

let cdk: Cdk;
beforeAll(async () => {
  cdk = await bootstrappedCdk();
  return () => cdk.close();
});

it('a job that ended while idle writes nothing until its timer is due: then a tick has started it, and it fires', async () => {
  const [input, output] = [await newTopic('requests'), await newTopic('reminders')];
  const job = await DeployedJob.deploy(cdk, uniqueName('idle'), {
    ONCEFLOW_JOB: './test/e2e/reminders.ts',
    ONCEFLOW_TOPICS: `read-requests=${input},write-reminders=${output}`,
    ONCEFLOW_IDLE_EXIT_MS: '1000',
  });
  const reader = new TopicReader(output);
  await job.start();
  await send(await newProducer(), input, [`tea ${DUE_IN_MS}`]);
  const dueMs = await firstDue(job);
  await waitFor('the coordinator to end', async () => (await job.row())?.leaseExpiresAtMs === 0);
  const [row, kept] = [await job.row(), await everythingOf(job)];

  await waitFor('a tick to have come and gone', async () => {
    const { generation = 0, leaseExpiresAtMs } = (await job.row()) ?? {};
    return generation > (row?.generation ?? 0) && leaseExpiresAtMs === 0;
  });
  await sleep(dueMs - SOON_MS - Date.now());
  expect(withoutLease(await job.row())).toEqual(withoutLease(row));
  expect(await everythingOf(job)).toEqual(kept);
  await reader.readOn();
  expect(reader.values).toEqual([]);

  await reader.readUntil(({ records }) => records.length > 0);
  expect(reader.values).toEqual([`tea due ${dueMs} at ${dueMs}`]);
  const lateMs = Date.now() - dueMs;
  console.log(`fired ${lateMs} ms after it was due`);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(SLACK_MS);
  const after = await job.row();
  expect(after?.holder).toMatch(/^tick /);
  expect(after?.lastCompleted?.epoch).toBe((row?.lastCompleted?.epoch ?? 0) + 1);
  await job.destroy();
});

/** When its only timer is due, as the operator's command tells it. */
async function firstDue(job: DeployedJob): Promise<number> {
  let dueMs: number | null | undefined;
  await waitFor('the timer to be set', async () => {
    const { time } = (await job.command('status', '--json')).json() as { readonly time?: JobTime | null };
    dueMs = time?.due.find(({ operator }) => operator === 'remind')?.processingMs;
    return typeof dueMs === 'number';
  });
  return dueMs ?? 0;
}

/** All that is kept of a job but its own row: the other rows of the table, and what blobs there are. */
async function everythingOf({ outputs: { table, blobs } }: DeployedJob) {
  const { Items = [] } = await createDynamoDbClient().send(new ScanCommand({ TableName: table, ConsistentRead: true }));
  const { Contents = [] } = await createS3Client().send(new ListObjectsV2Command({ Bucket: blobs.replace('s3://', '') }));
  const rows = Items.filter(({ sk }) => sk?.S !== 'job').map((item) => JSON.stringify(item));
  return { rows: rows.sort(), blobs: Contents.map(({ Key }) => Key) };
}

/** What a tick writes that finds nothing to do. */
function withoutLease(row: JobRow | undefined) {
  const { generation: _, holder: _holder, leaseExpiresAtMs: _until, holderEndsAtMs: _ends, ...rest } = row ?? ({} as JobRow);
  return rest;
}
