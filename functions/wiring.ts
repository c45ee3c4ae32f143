import { randomBytes } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createDynamoDbClient, createS3Client } from '../lib/aws/clients.ts';
import { createEpochStore } from '../lib/aws/dynamo-epoch-store.ts';
import { createS3BlobStore } from '../lib/aws/s3-blob-store.ts';
import type { Config } from '../lib/config/parameters.ts';
import { readConfig } from '../lib/config/read-config.ts';
import type { JobDefinition } from '../lib/graph/job.ts';
import { applyOverrides } from '../lib/graph/overrides.ts';
import { planStages, type StagePlan } from '../lib/graph/stages.ts';
import { connectKafka } from '../lib/kafka/connect.ts';
import type { BlobStore } from '../lib/ports/blob-store.ts';
import type { Clock, Random } from '../lib/ports/clock.ts';
import type { EpochStore } from '../lib/ports/epoch-store.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import { type Blobs, createBlobs } from '../lib/stages/blobs.ts';
import type { StageDeps } from '../lib/stages/common.ts';
import { createFileBlobStore } from '../lib/storage/file-blob-store.ts';

/** Everything that a function works with, made once for each process from its environment. */
export interface Wiring extends StageDeps {
  readonly config: Config;
  readonly job: JobDefinition;
  readonly plan: StagePlan;
  readonly kafka: KafkaRequests;
  readonly blobStore: BlobStore;
  readonly blobs: Blobs;
  readonly epochs: EpochStore;
  readonly clock: Clock;
  readonly random: Random;
}

export type Log = (line: Record<string, unknown>) => void;

/** One JSON object a line: what log tools expect of a function. */
export const logLine: Log = (line) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
};

/**
 * @throws ConfigError naming every wrong parameter, or JobDefinitionError when the module of the job has no job or the
 * overrides do not fit it.
 */
export async function wireFunction(env: NodeJS.ProcessEnv): Promise<Wiring> {
  const config = readConfig(env);
  const job = applyOverrides({ ...(await loadJob(config.job)), ...(config.jobName === undefined ? {} : { name: config.jobName }) }, { topics: new Map(Object.entries(config.topics)), startingOffsets: config.startingOffsets });
  const clock = systemClock;
  const random = systemRandom;
  const blobStore = openBlobStore(config);
  const kafka = await connectKafka({
    brokers: config.brokers,
    clientId: `onceflow-${job.name}`,
    metadataMaxAgeMs: config.partitionDiscoveryIntervalMs,
    clock,
    log: (message) => logLine({ level: 'warn', message }),
  });
  return {
    config,
    job,
    plan: planStages(job),
    kafka,
    blobStore,
    blobs: createBlobs(blobStore, random),
    epochs: createEpochStore({ client: createDynamoDbClient(), table: config.table }),
    clock,
    random,
    inlineBlobBytes: config.inlineBlobBytes,
  };
}

/**
 * The module that ONCEFLOW_JOB names, the same way in a local process and in a bundle: paths are relative to the working
 * directory (on Lambda the bundle's folder).
 */
async function loadJob(module: string): Promise<JobDefinition> {
  const isPath = isAbsolute(module) || module.startsWith('.');
  const loaded: { default?: JobDefinition } = await import(isPath ? pathToFileURL(resolve(module)).href : module);
  if (loaded.default?.nodes === undefined) throw new Error(`ONCEFLOW_JOB=${module}: the module has no default export made by defineJob`);
  return loaded.default;
}

function openBlobStore(config: Config): BlobStore {
  const { blobs } = config;
  if (blobs.kind === 'file') return createFileBlobStore({ folder: blobs.folder });
  return createS3BlobStore({ client: createS3Client(), bucket: blobs.bucket, prefix: blobs.prefix });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolvePromise) => {
      if (signal?.aborted === true) return resolvePromise();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolvePromise();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export const systemRandom: Random = {
  id: () => randomBytes(16).toString('hex'),
  fraction: () => Math.random(),
};

/** Makes `make`'s result once, at the first call; a failure is not kept. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
