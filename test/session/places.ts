import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { createTopics } from '../../local/stack/kafka-admin.ts';

type Env = Readonly<Record<string, string>>;

/**
 * Short times: whoever looks on waits for something that happens, and not for a timer. But an epoch of the calm load is well within half of the
 * interval on any machine: otherwise there are never fewer subtasks.
 */
const QUICK: Env = {
  ONCEFLOW_CHECKPOINT_INTERVAL_MS: '1000',
  ONCEFLOW_LEASE_MS: '3000',
  ONCEFLOW_RESTART_BACKOFF_MS: '50',
  ONCEFLOW_RESTART_BACKOFF_MAX_MS: '500',
  ONCEFLOW_RETAINED_CHECKPOINTS: '20',
  ONCEFLOW_SCALE_UP_BACKLOG_MS: '2000',
  ONCEFLOW_SCALE_DOWN_EPOCHS: '3',
  // All state is in blobs: there is something to export, and to delete.
  ONCEFLOW_INLINE_BLOB_BYTES: '0',
  // What the chart is drawn from.
  ONCEFLOW_LOG_LEVEL: 'debug',
};

export interface Places {
  readonly orders: string;
  readonly totals: string;
  readonly sizes: string;
  /** The job with its table in DynamoDB and its blobs in S3. */
  readonly inAws: Env;
  /** The job under another name, with its table in a file and its blobs in a folder. */
  readonly onDisk: Env;
  readonly exportTo: string;
}

export interface Ground {
  readonly brokers: string;
  /** Leads to DynamoDB and S3. */
  readonly env: Env;
  /** Another one for each session on the same stack. */
  readonly name: string;
  /** Of this session alone, and removed behind it. */
  readonly folder: string;
}

/** Makes topics, a table and a bucket, as the people of an operation would have them. */
export async function makePlaces({ brokers, env, name, folder }: Ground): Promise<Places> {
  const [orders, totals, sizes] = [`orders-${name}`, `totals-${name}`, `sizes-${name}`];
  const table = `onceflow-${name}`;
  const bucket = `onceflow-${name}`;
  const aws = clientsOf(env);
  await Promise.all([
    createTopics(
      brokers,
      [orders, totals, sizes].map((topic) => ({ topic })),
    ),
    createTable(createDynamoDbClient(aws), table),
    createBucket(createS3Client(aws), bucket),
  ]);
  const blobs = join(folder, 'blobs');
  mkdirSync(blobs);
  const { PATH = '', HOME = '', NODE_OPTIONS = '', TMPDIR = '' } = process.env;
  const both = {
    PATH,
    HOME,
    ...(NODE_OPTIONS && { NODE_OPTIONS }),
    ...(TMPDIR && { TMPDIR }),
    ...env,
    ...QUICK,
    ONCEFLOW_BROKERS: brokers,
  };
  return {
    orders,
    totals,
    sizes,
    inAws: { ...both, ONCEFLOW_JOB_NAME: name, ONCEFLOW_TABLE: table, ONCEFLOW_BLOBS: `s3://${bucket}/blobs` },
    onDisk: {
      ...both,
      ONCEFLOW_JOB_NAME: `${name}-moved`,
      ONCEFLOW_TABLE: pathToFileURL(join(folder, 'epochs.sqlite')).href,
      ONCEFLOW_BLOBS: pathToFileURL(blobs).href,
    },
    exportTo: pathToFileURL(join(folder, 'export')).href,
  };
}

function clientsOf({ AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' }: Env) {
  return { endpoint, region, credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } };
}

/** What is set for one build of the job. */
export function buildEnv(build: 1 | 2, { orders, totals, sizes }: Places): Env {
  return {
    ONCEFLOW_JOB: `./test/session/orders-${build}.ts`,
    ONCEFLOW_TOPICS: [`read-orders=${orders}`, `write-totals=${totals}`, ...(build === 2 ? [`write-sizes=${sizes}`] : [])].join(','),
  };
}
