import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, paginateScan, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../host/system.ts';
import { dynamoSink, fileSink, jsonLines, type Sink } from '../../lib/api/index.ts';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createItemTables } from '../../lib/aws/dynamo-items.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { createS3Uploads } from '../../lib/aws/s3-uploads.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../lib/ports/sink-targets.ts';
import { itemOf } from '../../lib/sinks/dynamodb/attributes.ts';
import { checkIndexKeys } from '../../lib/sinks/dynamodb/keys.ts';
import type { SinkSpec } from '../../lib/sinks/kinds.ts';
import type { BenchOptions } from '../../lib/testing/drill/sink-bench.ts';
import { sinkContract } from '../contracts/sink.ts';
import { requireEnv } from '../support/require-env.ts';

interface Row {
  readonly n: number;
}

function optionsOf(sink: Sink<Row>, targets: Partial<SinkTargets>, read: BenchOptions['read']): BenchOptions {
  return {
    spec: sink as SinkSpec,
    row: (n): Row => ({ n }),
    shown: (n) => `row ${n}`,
    read,
    kafka: {} as KafkaRequests,
    targets: targets as SinkTargets,
    clock,
    random,
    repeats: false,
  };
}

describe('files in S3', () => {
  const client = createS3Client();
  /** Not the engine's client: as anybody reads a bucket. */
  const reader = new S3Client({ forcePathStyle: true });

  async function newPlace(prefix: string) {
    const bucket = `onceflow-${randomUUID()}`;
    await createBucket(client, bucket);
    return { bucket, uploads: createS3Uploads({ client, bucket, prefix }) };
  }

  /** By bucket, key and tag: what was read once is not read again unless it has changed. */
  const known = new Map<string, string>();

  async function filesIn(Bucket: string): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    for await (const { Contents = [] } of paginateListObjectsV2({ client: reader }, { Bucket }))
      for (const { Key = '', ETag } of Contents) {
        const name = `${Bucket} ${Key} ${ETag}`;
        const text = known.get(name) ?? (await (await reader.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()) ?? '';
        known.set(name, text);
        files.set(Key, text);
      }
    return files;
  }

  sinkContract('prepared', async () => {
    const { bucket, uploads } = await newPlace('some/prefix');
    const sink = fileSink<Row>({
      location: `s3://${bucket}/some/prefix`,
      format: jsonLines<Row>(),
      path: ({ n }) => `n=${n % 2}`,
      manifests: true,
    });
    const read = async () =>
      [...(await filesIn(bucket))]
        .filter(([key]) => !key.includes('_manifests'))
        .flatMap(([, text]) => text.trimEnd().split('\n'))
        .map((line) => `row ${(JSON.parse(line) as Row).n}`);
    return optionsOf(sink, { uploads: async () => uploads }, read);
  });

  it('a large file goes up in parts, and comes back as it was', async () => {
    const { bucket, uploads } = await newPlace('');
    const part = Buffer.alloc(5 * 1024 * 1024, 'x');
    const upload = await uploads.begin('large', 'text/plain');
    const parts = [await uploads.part('large', upload, 1, part), await uploads.part('large', upload, 2, Buffer.from('end'))];
    expect(await uploads.open()).toEqual([{ key: 'large', upload }]);
    expect(await uploads.sizeOf('large')).toBeUndefined();
    expect(await uploads.complete('large', upload, parts)).toBe('completed');
    expect(await uploads.sizeOf('large')).toBe(part.length + 3);
    expect((await filesIn(bucket)).get('large')).toBe(`${part}end`);
    const { Uploads = [] } = await reader.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(Uploads).toEqual([]);
  });

  it('a file that is there is not written over, and an upload that was ended is gone', async () => {
    const { uploads } = await newPlace('p');
    const [first, second, ended] = await Promise.all([1, 2, 3].map(() => uploads.begin('key', 'text/plain')));
    const parts = await Promise.all(
      [first, second].map(async (upload) => [await uploads.part('key', upload ?? '', 1, Buffer.from(upload ?? ''))]),
    );
    await uploads.abort('key', ended ?? '');
    await uploads.abort('key', ended ?? '');
    expect(await uploads.isOpen('key', ended ?? '')).toBe(false);
    expect(await uploads.complete('key', ended ?? '', parts[0] ?? [])).toBe('gone');
    expect(await uploads.complete('key', first ?? '', parts[0] ?? [])).toBe('completed');
    expect(await uploads.complete('key', second ?? '', parts[1] ?? [])).toBe('exists');
    expect(await uploads.isOpen('key', second ?? '')).toBe(true);
  });

  it('an upload that somebody ended while it was written is a problem that passes', async () => {
    const { uploads } = await newPlace('');
    const upload = await uploads.begin('key', 'text/plain');
    await uploads.abort('key', upload);
    await expect(uploads.part('key', upload, 1, Buffer.from('x'))).rejects.toMatchObject({ name: 'StoreProblem', retriable: true });
  });

  it('a bucket that is not there is said with its name, and what to do', async () => {
    const uploads = createS3Uploads({ client, bucket: 'onceflow-no-such-bucket', prefix: '' });
    for (const asked of [uploads.open(), uploads.begin('key', 'text/plain'), uploads.complete('key', 'upload', ['"etag"'])])
      await expect(asked).rejects.toMatchObject({
        name: 'StoreProblem',
        retriable: false,
        message: expect.stringMatching(/bucket onceflow-no-such-bucket .*create it/),
      });
  });
});

describe.each([
  ['the DynamoDB of the stack (AWS_ENDPOINT_URL)', requireEnv('AWS_ENDPOINT_URL')],
  ['DynamoDB Local (ONCEFLOW_DYNAMODB_LOCAL)', requireEnv('ONCEFLOW_DYNAMODB_LOCAL')],
])('items in %s', (_name, endpoint) => {
  const client = createDynamoDbClient({ endpoint });
  const items = createItemTables(client);
  const reader = new DynamoDBClient({ endpoint });

  async function newTable(sort: boolean, indexed: readonly { readonly name: string; readonly type: 'S' | 'N' }[] = []): Promise<string> {
    const TableName = `rows-${randomUUID()}`;
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          ...(sort ? [{ AttributeName: 'n', AttributeType: 'N' } as const] : []),
          ...indexed.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
        ],
        ...(indexed.length > 0 && {
          GlobalSecondaryIndexes: indexed.map(({ name }) => ({
            IndexName: `by-${name}`,
            KeySchema: [{ AttributeName: name, KeyType: 'HASH' as const }],
            Projection: { ProjectionType: 'KEYS_ONLY' as const },
          })),
        }),
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, ...(sort ? [{ AttributeName: 'n', KeyType: 'RANGE' } as const] : [])],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
    return TableName;
  }

  async function scan(TableName: string) {
    const found: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client: reader }, { TableName, ConsistentRead: true })) found.push(...Items);
    return found.filter(({ pk }) => !(pk as { readonly S: string }).S.startsWith('onceflow#'));
  }

  sinkContract('delivered', async () => {
    const table = await newTable(false);
    const sink = dynamoSink<Row>({ table, toWrite: ({ n }) => ({ put: { pk: `row ${n}`, n } }) });
    const read = async () => (await scan(table)).map(({ pk }) => (pk as { readonly S: string }).S);
    return optionsOf(sink, { items: async () => items }, read);
  });

  it('says the keys of a table, and that there is none', async () => {
    const table = await newTable(true);
    expect(await items.keysOf(table)).toEqual({ partition: { name: 'pk', type: 'S' }, sort: { name: 'n', type: 'N' } });
    expect(await items.keysOf(`${table}-no`)).toBeUndefined();
  });

  it('says the keys of the indexes of a table', async () => {
    const table = await newTable(false, [{ name: 'at', type: 'N' }]);
    expect(await items.keysOf(table)).toEqual({
      partition: { name: 'pk', type: 'S' },
      indexKeys: [{ name: 'at', type: 'N', index: 'by-at', of: 'partition' }],
    });
  });

  it('takes all that an item may hold as the encoder lets it, also at the bounds of numbers, twice in a set, and without an index’s key', async () => {
    const table = await newTable(false, [{ name: 'at', type: 'N' }]);
    const rows = [
      {
        pk: 'numbers',
        most: 9.9e125,
        least: 1e-130,
        whole: 10n ** 125n,
        digits: 12345678901234567890123456789012345678n,
        small: -1.5e-7,
        large: 1e21,
      },
      {
        pk: 'sets',
        at: 1e22,
        numbers: new Set([1, 1n, 1e21, 10n ** 21n]),
        bytes: new Set([Buffer.from('x'), Buffer.from('x')]),
        texts: new Set(['']),
      },
      { pk: 'empty', text: '', bytes: Buffer.alloc(0), list: [], map: {}, nothing: null },
    ];
    const ledger = { table, key: { pk: { S: 'onceflow#ledger' } } };
    const writes = rows.map((row) => ({ put: itemOf(row, 'put') }));
    expect(await items.write({ table, writes, ledger, from: { epoch: 1, written: 0 }, to: { epoch: 1, written: 3 } })).toBe('written');
    expect(await scan(table)).toHaveLength(3);
    const refused = { put: itemOf({ pk: 'refused', at: 'text' }, 'put') };
    const step = { table, writes: [refused], ledger, from: { epoch: 1, written: 3 }, to: { epoch: 1, written: 4 } };
    await expect(items.write(step)).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
    const keys = (await items.keysOf(table)) ?? { partition: { name: '', type: 'S' } };
    expect(() => checkIndexKeys(refused.put, keys, table)).toThrow(/the index by-at by at, of type N/);
  });

  it('a ledger that says nothing of how far it is stops the job, and counts nothing as written', async () => {
    const table = await newTable(false);
    await reader.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'onceflow#ledger' } } }));
    await expect(items.stateOf({ table, key: { pk: { S: 'onceflow#ledger' } } })).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: expect.stringContaining('somebody else wrote it'),
    });
  });

  it('a step is made with the ledger where it was expected, and else nothing of it', async () => {
    const table = await newTable(false);
    const ledger = { table, key: { pk: { S: 'onceflow#ledger' } } };
    const put = (pk: string) => ({ put: { pk: { S: pk }, bytes: { B: Buffer.from(pk).toString('base64') } } });
    const step = (epoch: number, from: number, to: number, ...writes: ReturnType<typeof put>[]) =>
      items.write({ table, writes, ledger, from: { epoch, written: from }, to: { epoch, written: to } });
    expect(await items.stateOf(ledger)).toBeUndefined();
    expect(await step(4, 0, 1, put('one'))).toBe('written');
    expect(await step(4, 0, 1, put('again'))).toBe('elsewhere');
    expect(await step(4, 1, 2, put('two'))).toBe('written');
    expect(await step(3, 0, 1, put('late'))).toBe('elsewhere');
    expect(await step(3, 2, 3, put('late too'))).toBe('elsewhere');
    expect(await step(5, 0, 1, put('three'))).toBe('written');
    expect(await step(4, 2, 3, put('too late'))).toBe('elsewhere');
    expect(await items.stateOf(ledger)).toEqual({ epoch: 5, written: 1 });
    const pks = (await scan(table)).map(({ pk }) => (pk as { readonly S: string }).S);
    expect(pks.sort()).toEqual(['one', 'three', 'two']);
  });
});
