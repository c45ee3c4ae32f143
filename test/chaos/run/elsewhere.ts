import { CreateTableCommand, type DynamoDBClient, paginateScan, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  NoSuchUpload,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Count } from '../../support/counted-words.ts';
import { isDeleted } from '../../support/everywhere-job.ts';
import { countWords, faultsOf, type WordCountFaults } from '../../support/word-counts.ts';

/** Where the job writes to besides Kafka, as anybody reads it: past the links, by AWS's own clients. */
export interface Elsewhere {
  readonly s3: S3Client;
  readonly dynamoDb: DynamoDBClient;
}

export const BUCKET = 'chaos-files';
export const TABLE = 'chaos-items';
const LEDGER = `${TABLE}-ledger`;

export async function makeTargets({ s3, dynamoDb }: Elsewhere): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const [TableName, AttributeName] of [
    [TABLE, 'word'],
    [LEDGER, 'id'],
  ] as const) {
    await dynamoDb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
        KeySchema: [{ AttributeName, KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client: dynamoDb, maxWaitTime: 60, minDelay: 1 }, { TableName });
  }
}

/** What is wrong there; all empty when it is exact. */
export interface ElsewhereFaults {
  readonly files: WordCountFaults;
  /** Files that a list names and that are not there as it says, and the other way round. */
  readonly lists: readonly string[];
  /** Words whose item is not that of their last count. */
  readonly items: readonly string[];
  /** Uploads that are open after the job has stopped. */
  readonly uploads: readonly string[];
}

const SHOWN = 20;
const AT_ONCE = 16;

export async function elsewhereFaults(elsewhere: Elsewhere, input: readonly string[]): Promise<ElsewhereFaults> {
  const files = await filesIn(elsewhere);
  const isList = (key: string) => key.includes('/_manifests/');
  const rows = [...files.keys()].filter((key) => !isList(key)).sort(inOrder);
  const seen = rows.flatMap((key) =>
    linesOf(files.get(key)).map((line) => {
      const { word, count } = JSON.parse(line) as Count;
      return { partition: 0, value: `${word}:::${count}` };
    }),
  );
  const uploads = (await openUploads(elsewhere)).map(({ Key = '' }) => Key);
  return {
    files: faultsOf(seen, input),
    lists: listFaults(files, isList).slice(0, SHOWN),
    items: (await itemFaults(elsewhere, input)).slice(0, SHOWN),
    uploads: uploads.slice(0, SHOWN),
  };
}

/** By epoch, then by subtask and number: as rows follow each other. */
function inOrder(one: string, other: string): number {
  const [left, right] = [placeOf(one), placeOf(other)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value - (right[index] ?? 0);
  return 0;
}

function placeOf(key: string): number[] {
  const [, subtask, epoch, number] = /-(\d+)-(\d{12})-(\d+)\.jsonl$/.exec(key) ?? [];
  if (number === undefined) throw new Error(`${key} is no file of the job`);
  return [Number(epoch), Number(subtask), Number(number)];
}

function linesOf(text = ''): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function listFaults(files: ReadonlyMap<string, string>, isList: (key: string) => boolean): string[] {
  const listed = new Set<string>();
  const wrong: string[] = [];
  for (const [key, text] of files) {
    if (!isList(key)) continue;
    const { files: named } = JSON.parse(text) as { readonly files: readonly { readonly key: string; readonly rows: number }[] };
    for (const { key: name, rows } of named) {
      listed.add(`counts/${name}`);
      if (linesOf(files.get(`counts/${name}`)).length !== rows) wrong.push(`${name} has not the ${rows} rows of ${key}`);
    }
  }
  return [...wrong, ...[...files.keys()].filter((key) => !isList(key) && !listed.has(key)).map((key) => `${key} is in no list`)];
}

async function itemFaults({ dynamoDb }: Elsewhere, input: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for await (const { Items = [] } of paginateScan({ client: dynamoDb }, { TableName: TABLE, ConsistentRead: true }))
    for (const { word, count } of Items) found.set(word?.S ?? '', count?.N ?? 'nothing');
  const wrong = [...countWords(input)].flatMap(([word, count]) => {
    const [expected, is] = [isDeleted(count) ? undefined : String(count), found.get(word)];
    found.delete(word);
    return is === expected ? [] : [`${word} is ${is}, not ${expected}`];
  });
  return [...wrong, ...[...found.keys()].map((word) => `${word} is there`)];
}

async function filesIn({ s3 }: Elsewhere): Promise<Map<string, string>> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET }))
    keys.push(...Contents.map(({ Key = '' }) => Key));
  const files = new Map<string, string>();
  const read = async (): Promise<void> => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      files.set(key, (await Body?.transformToString()) ?? '');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  return files;
}

async function openUploads({ s3 }: Elsewhere): Promise<readonly MultipartUpload[]> {
  return (await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];
}

/** Ends one of the uploads that are open; answers which, or undefined when there is none. */
export async function endAnUpload(elsewhere: Elsewhere, pick: <T>(of: readonly T[]) => T): Promise<string | undefined> {
  const open = await openUploads(elsewhere);
  if (open.length === 0) return undefined;
  const { Key, UploadId } = pick(open);
  try {
    await elsewhere.s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
    return Key;
  } catch (error) {
    // The job has completed it meanwhile.
    if (error instanceof NoSuchUpload) return undefined;
    throw error;
  }
}
