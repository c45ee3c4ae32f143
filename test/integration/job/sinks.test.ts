import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CreateTableCommand, DynamoDBClient, paginateScan, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Fault, planFault } from '../../support/faults.ts';
import { openHttpProxy } from '../../support/http-proxy.ts';
import type { JobRun } from '../../support/job-run.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { countWords } from '../../support/word-counts.ts';

/** Plain clients, as anybody reads what the job wrote. */
const s3 = new S3Client({ forcePathStyle: true });
const dynamo = new DynamoDBClient({});

interface Places {
  readonly bucket: string;
  readonly table: string;
  readonly folder: string;
}

async function newPlaces(): Promise<Places> {
  const [bucket, table] = [`counts-${randomUUID()}`, `counts-${randomUUID()}`];
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-sinks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await dynamo.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await waitUntilTableExists({ client: dynamo, maxWaitTime: 60, minDelay: 1 }, { TableName: table });
  return { bucket, table, folder };
}

async function objectsIn({ bucket: Bucket }: Places): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket }))
    for (const { Key = '' } of Contents)
      objects.set(Key, (await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()) ?? '');
  return objects;
}

interface Count {
  readonly word: string;
  readonly count: number;
}

const shown = ({ word, count }: Count) => `${word}:::${count}`;

/** What each target holds: every count there ever was, but of the table the last of each word. */
async function countsIn(places: Places) {
  const objects = await objectsIn(places);
  const rows = [...objects].filter(([key]) => !key.includes('_manifests'));
  const listed = [...objects].flatMap(([key, text]) =>
    key.includes('_manifests')
      ? (JSON.parse(text) as { readonly files: readonly { readonly key: string }[] }).files.map((file) => `counts/${file.key}`)
      : [],
  );
  const items: Record<string, { readonly S?: string; readonly N?: string }>[] = [];
  for await (const { Items = [] } of paginateScan({ client: dynamo }, { TableName: places.table, ConsistentRead: true }))
    items.push(...(Items as typeof items));
  const csvFiles = filesIn(join(places.folder, 'files')).filter((name) => name.endsWith('.csv.gz'));
  const csvLines = csvFiles.flatMap((name) =>
    gunzipSync(readFileSync(join(places.folder, 'files', name)))
      .toString()
      .trimEnd()
      .split('\r\n')
      .slice(1),
  );
  const delivered = filesIn(join(places.folder, 'delivered')).flatMap(
    (name) => JSON.parse(readFileSync(join(places.folder, 'delivered', name), 'utf8')) as Count[],
  );
  return {
    bucket: rows.flatMap(([key, text]) => linesOf(text).map((line) => ({ key, row: JSON.parse(line) as Count }))),
    manifests: { listed: listed.sort(), there: rows.map(([key]) => key).sort() },
    csv: csvLines.map((line) => line.replace(',', ':::')),
    table: new Map(items.flatMap(({ pk, count }) => (pk?.S?.startsWith('onceflow#') === false ? [[pk.S, Number(count?.N)] as const] : []))),
    delivered: delivered.map(shown),
  };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

async function openUploads({ bucket, folder }: Places): Promise<string[]> {
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return [...Uploads.map(({ Key = '' }) => Key), ...filesIn(join(folder, 'files', '.onceflow-uploads'))];
}

async function newCount(): Promise<{ readonly count: WordCount; readonly places: Places }> {
  const places = await newPlaces();
  const env = {
    TEST_BUCKET: places.bucket,
    TEST_ITEMS: places.table,
    TEST_FOLDER: places.folder,
    // An epoch is some dozen requests to the emulator.
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '200',
    ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,write-bucket=2,write-table=2,deliver-counts=2',
  };
  return { count: await newWordCount({ module: 'test/support/sinks-job.ts', env }), places };
}

/** Stops the job, and compares every target with the input. */
async function expectAllExact({
  count,
  places,
  run,
}: {
  readonly count: WordCount;
  readonly places: Places;
  readonly run: JobRun;
}): Promise<void> {
  await count.expectExact(run);
  const words = countWords(await count.inputLines());
  const everyCount = [...words].flatMap(([word, total]) => Array.from({ length: total }, (_, index) => shown({ word, count: index + 1 })));
  const found = await countsIn(places);
  expect(found.bucket.map(({ row }) => shown(row)).sort()).toEqual(everyCount.toSorted());
  expect(found.bucket.filter(({ key, row }) => !key.startsWith(`counts/initial=${row.word.slice(0, 1)}/`))).toEqual([]);
  expect(found.manifests.listed).toEqual(found.manifests.there);
  expect(found.csv.sort()).toEqual(everyCount.toSorted());
  expect(found.delivered.sort()).toEqual(everyCount.toSorted());
  expect([...found.table].sort()).toEqual([...words].sort());
  expect(await openUploads(places)).toEqual([]);
}

/** In each epoch from 1 on; the n-th of each is in an epoch that follows some others. */
const boundaries: readonly (Pick<Fault, 'role' | 'request' | 'when' | 'nth'> & { readonly name: string })[] = [
  { name: 'while files are uploaded', role: 'sink', request: 'S3.UploadPart', when: 'answered', nth: 7 },
  {
    name: 'when all is prepared, before the decision',
    role: 'coordinator',
    request: 'DynamoDB.TransactWriteItems',
    when: 'before',
    nth: 3,
  },
  { name: 'behind the decision', role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when: 'answered', nth: 3 },
  { name: 'before a file is completed', role: 'sink', request: 'S3.CompleteMultipartUpload', when: 'before', nth: 7 },
  { name: 'behind the completion of a file', role: 'sink', request: 'S3.CompleteMultipartUpload', when: 'answered', nth: 7 },
  { name: 'before items are written', role: 'sink', request: 'DynamoDB.TransactWriteItems', when: 'before', nth: 3 },
  { name: 'when items are written, and nobody knows', role: 'sink', request: 'DynamoDB.TransactWriteItems', when: 'answered', nth: 3 },
];

describe('a job that writes to a topic, a bucket, a folder, a table and by a function', () => {
  it('killed at each boundary, one after the other, has every row in each of them once', async () => {
    const { count, places } = await newCount();
    for (const { name, role, request, when, nth } of boundaries) {
      const planned = planFault({ role, request, when, nth, does: 'kill-all' });
      const feed = count.feed();
      const run = count.job.start(planned.env);
      expect((await run.ended).end, name).toBe('killed');
      await Promise.all([planned.happened(), feed.stop()]);
    }
    await expectAllExact({ count, places, run: count.job.start() });
  });
});

it('a throttled table slows the job down, and loses and doubles nothing', async () => {
  const { count, places } = await newCount();
  const service = process.env['AWS_ENDPOINT_URL'] ?? '';
  const proxy = await openHttpProxy(service, 0);
  onTestFinished(() => proxy.close());
  let throttled = 0;
  let isOver = false;
  // Decisions are such requests too. The client tries some times by itself: until a call has failed whichever requests came between.
  proxy.set((request) => {
    if (request !== 'DynamoDB.TransactWriteItems' || isOver || throttled++ % 4 === 3) return { does: 'pass' };
    return { does: 'fail', how: 'throttled', carriedOut: false };
  });
  const feed = count.feed();
  const run = count.job.start({ AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, ONCEFLOW_REFUSAL_TIMEOUT_MS: '1' });
  const warned = await run.event('warning', ({ message }) => /is sent again: .*Throttl|ProvisionedThroughputExceeded/.test(message));
  expect(warned.message).toContain('it may succeed later');
  isOver = true;
  await feed.stop();
  await expectAllExact({ count, places, run });
});
