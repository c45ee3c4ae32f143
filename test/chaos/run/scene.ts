import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDynamoDbClient, createS3Client } from '../../../lib/aws/clients.ts';
import { createEpochStore } from '../../../lib/aws/dynamo-epoch-store.ts';
import { createTable } from '../../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../../lib/aws/s3-blob-store.ts';
import type { EpochStore } from '../../../lib/ports/epoch-store.ts';
import { COMPILE_CACHE } from '../../../local/functions/processes.ts';
import { startEmulator } from '../../../local/stack/emulator.ts';
import { createTopics } from '../../../local/stack/kafka-admin.ts';
import { openKeeper } from '../../../local/stack/kept-process.ts';
import { type HttpProxy, openHttpProxy } from '../../support/http-proxy.ts';
import { type Brokers, openBrokers, type Size } from './brokers.ts';
import { type Elsewhere, BUCKET as FILES, TABLE as ITEMS, makeTargets } from './elsewhere.ts';
import { type History, openHistory } from './history.ts';
import { lookOn, type Onlooker } from './java-reader.ts';
import { JobUnderTest } from './job-under-test.ts';
import { WORK, type Workload } from './workload.ts';

/** The budget rule: epoch + commit + recovery < transaction timeout. Many of the faults last longer than these. */
export const EPOCH_TIMEOUT_MS = 3_000;
export const COMMIT_TIMEOUT_MS = 1_000;
export const RECOVERY_TIMEOUT_MS = 2_500;
export const LEASE_MS = 1_500;
export const TRANSACTION_TIMEOUT_MS = 7_000;

const TABLE = 'onceflow';
const BUCKET = 'onceflow';
const CREDENTIALS = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

/** The parts that faults happen to. The job sees Kafka and AWS through links only. */
export interface Scene {
  readonly history: History;
  readonly job: JobUnderTest;
  readonly input: string;
  readonly output: string;
  readonly brokers: Brokers;
  readonly storeLink: HttpProxy;
  /** Past the link: for the run itself, not for the job. */
  readonly epochs: EpochStore;
  /** Where the job writes to besides Kafka. Undefined: nowhere. */
  readonly elsewhere: Elsewhere | undefined;
  /** Reads the output the whole time, past the links. Undefined: the work does not ask when something was seen. */
  readonly onlooker: Onlooker | undefined;
  /** Ends every process. `dir` stays. */
  close(): Promise<void>;
}

/** Starts brokers and an emulator of this run's own, with everything that they keep under `dir`. */
export async function openScene(dir: string, size: Size, workload: Workload): Promise<Scene> {
  mkdirSync(dir, { recursive: true });
  const history = openHistory(join(dir, 'history.log'));
  const keeper = await openKeeper({ dir });
  try {
    const storeLinkPort = await keeper.takePort();
    const [brokers, emulator] = await Promise.all([openBrokers(keeper, size), startEmulator(keeper)]);
    const storeLink = await openHttpProxy(emulator.endpoint, storeLinkPort);
    const store = { endpoint: emulator.endpoint, ...CREDENTIALS };
    const dynamoDb = createDynamoDbClient(store);
    const s3 = createS3Client({ ...store, forcePathStyle: true });
    const elsewhere = workload === 'words-everywhere' ? { s3, dynamoDb } : undefined;
    const [input, output] = ['lines', 'counts'];
    await Promise.all([
      createTable(dynamoDb, TABLE),
      createBucket(s3, BUCKET),
      elsewhere === undefined ? undefined : makeTargets(elsewhere),
      createTopics(brokers.addresses.join(','), [{ topic: input }, { topic: output }]),
    ]);
    const onlooker = workload === 'lists' ? lookOn(brokers.addresses.join(','), output) : undefined;
    const links = brokers.all.map(({ link }) => link.address).join(',');
    const { module, operator, sinks } = WORK[workload];
    const env = { ...jobEnv(dir, links, storeLink.endpoint, input, output), ONCEFLOW_JOB: module, TEST_BUCKET: FILES, TEST_ITEMS: ITEMS };
    const job = new JobUnderTest('chaos', { operator, sinks }, env, history);
    return {
      history,
      job,
      input,
      output,
      brokers,
      storeLink,
      epochs: createEpochStore({ client: dynamoDb, table: TABLE }),
      elsewhere,
      onlooker,
      async close() {
        await Promise.all([job.end(), onlooker?.close()]);
        await Promise.all([brokers.close(), storeLink.close(), keeper.close()]);
        await history.close();
      },
    };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}

function jobEnv(dir: string, brokers: string, endpoint: string, input: string, output: string): Record<string, string> {
  const { PATH = '', HOME = '', NODE_OPTIONS = '', ONCEFLOW_DELIVERY_GUARANTEE = 'exactly-once' } = process.env;
  return {
    PATH,
    HOME,
    NODE_OPTIONS,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    TMPDIR: dir,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: CREDENTIALS.region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    ONCEFLOW_JOB_NAME: 'chaos',
    // At least once, a run has to fail: its output comes again.
    ONCEFLOW_DELIVERY_GUARANTEE,
    ONCEFLOW_BROKERS: brokers,
    ONCEFLOW_TABLE: TABLE,
    ONCEFLOW_BLOBS: `s3://${BUCKET}`,
    // Most blobs go through the store, which has its faults.
    ONCEFLOW_INLINE_BLOB_BYTES: '500',
    ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}`,
    ONCEFLOW_STARTING_OFFSETS: 'earliest',
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '150',
    ONCEFLOW_RESTART_BACKOFF_MS: '20',
    ONCEFLOW_RESTART_BACKOFF_MAX_MS: '500',
    ONCEFLOW_EPOCH_TIMEOUT_MS: String(EPOCH_TIMEOUT_MS),
    ONCEFLOW_COMMIT_TIMEOUT_MS: String(COMMIT_TIMEOUT_MS),
    ONCEFLOW_RECOVERY_TIMEOUT_MS: String(RECOVERY_TIMEOUT_MS),
    ONCEFLOW_LEASE_MS: String(LEASE_MS),
    ONCEFLOW_TRANSACTION_TIMEOUT_MS: String(TRANSACTION_TIMEOUT_MS),
  };
}
