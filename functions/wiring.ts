import { randomBytes } from 'node:crypto';
import type { BlobLocation } from '../lib/config/blob-location.ts';
import { byName, ofName } from '../lib/config/by-name.ts';
import { kafkaRequestTimeoutMs } from '../lib/config/kafka-request-timeout.ts';
import { type Config, parameters } from '../lib/config/parameters.ts';
import { ConfigError, readConfig } from '../lib/config/read-config.ts';
import type { JobDefinition } from '../lib/graph/job.ts';
import { applyOverrides } from '../lib/graph/overrides.ts';
import { compilePlan } from '../lib/plan/compile.ts';
import type { PhysicalPlan } from '../lib/plan/plan.ts';
import type { BlobStore } from '../lib/ports/blob-store.ts';
import type { Clock, Random } from '../lib/ports/clock.ts';
import type { EpochStore } from '../lib/ports/epoch-store.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import type { StageDeps } from '../lib/stages/common.ts';
import { createBlobs } from '../lib/storage/blobs.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { loadJob } from './load-job.ts';
import { openLog } from './log.ts';

/** What every function works with, made once for each process from its environment. */
export interface Wiring extends StageDeps {
  readonly config: Config;
  readonly job: JobDefinition;
  readonly plan: PhysicalPlan;
  readonly parallelism: Readonly<Record<string, number>>;
  readonly blobStore: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Clients are loaded only where they are needed: a function that starts without one starts sooner.
 *
 * @throws ConfigError naming every wrong parameter, or JobDefinitionError when the module of the job has no job or the
 * overrides do not fit it.
 */
export async function wireFunction(env: NodeJS.ProcessEnv): Promise<Wiring> {
  const { config, job, plan, parallelism } = await readJob(env);
  const blobStore = await openBlobStore(config.blobs);
  return {
    config,
    job,
    plan,
    parallelism,
    clock: systemClock,
    random: systemRandom,
    blobStore,
    blobs: createBlobs(blobStore, systemRandom),
    inlineBlobBytes: config.inlineBlobBytes,
  };
}

export interface ConfiguredJob {
  readonly config: Config;
  readonly job: JobDefinition;
  readonly plan: PhysicalPlan;
  /** Subtasks of every stage. */
  readonly parallelism: Readonly<Record<string, number>>;
}

/** The configuration and the job, with the configuration's overrides applied. Connects to nothing. */
export async function readJob(env: NodeJS.ProcessEnv): Promise<ConfiguredJob> {
  const config = readConfig(env);
  return configureJob(config, await loadJob(config.job));
}

/** @throws ConfigError, JobDefinitionError: the configuration does not fit the job. */
export function configureJob(config: Config, loaded: JobDefinition): ConfiguredJob {
  const named = config.jobName === undefined ? loaded : { ...loaded, name: config.jobName };
  const job = applyOverrides(named, { topics: new Map(Object.entries(config.topics)), startingOffsets: config.startingOffsets });
  const plan = compilePlan(job, config.deadLetterTopic);
  return { config, job, plan, parallelism: parallelismOf(config, job.name, plan) };
}

/** @param onRefusedLogin see `KafkaOptions`: `wait` in a process that joins a running job */
export async function connectFunction(wiring: Wiring, onRefusedLogin: 'fail' | 'wait'): Promise<KafkaRequests> {
  const { config, job, clock } = wiring;
  const [{ connectKafka }, security] = await Promise.all([import('../lib/kafka/connect.ts'), kafkaSecurity(config, clock)]);
  return connectKafka({
    ...security,
    onRefusedLogin,
    brokers: config.brokers,
    clientId: `onceflow-${job.name}`,
    requestTimeoutMs: kafkaRequestTimeoutMs(config),
    metadataMaxAgeMs: config.partitionDiscoveryIntervalMs,
    clock,
    log: (message) => void openLog(wiring, process.env).then((log) => log('warn', message)),
  });
}

export async function openEpochStore({ table }: Pick<Config, 'table'>): Promise<EpochStore> {
  const [{ createDynamoDbClient }, { createEpochStore }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/dynamo-epoch-store.ts'),
  ]);
  return createEpochStore({ client: createDynamoDbClient(), table });
}

/** Stages as the functions of this deployment. */
export async function openLambdaInvoker({ config, job }: Wiring, throttled: (functionName: string) => void): Promise<FunctionInvoker> {
  const [{ createLambdaClient }, { createLambdaInvoker }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/lambda-invoker.ts'),
  ]);
  return createLambdaInvoker({ client: createLambdaClient(), prefix: config.functionPrefix ?? job.name, throttled });
}

function parallelismOf({ parallelism, stageParallelism }: Config, job: string, { stages }: PhysicalPlan): Record<string, number> {
  const ids = stages.map(({ id }) => id);
  const unknown = Object.keys(stageParallelism).filter((stage) => !ids.includes(stage));
  if (unknown.length > 0) {
    throw new ConfigError([
      {
        option: parameters.stageParallelism.variable,
        value: Object.entries(stageParallelism)
          .map(([stage, subtasks]) => `${stage}=${subtasks}`)
          .join(','),
        rule: `of stages that job ${job} has: ${ids.join(', ')}`,
        mend: `correct ${unknown.join(', ')}`,
      },
    ]);
  }
  return byName(stages.map(({ id, subtasks = parallelism }) => [id, ofName(stageParallelism, id) ?? subtasks]));
}

export async function openBlobStore(location: BlobLocation): Promise<BlobStore> {
  if (location.kind === 'file') {
    const { createFileBlobStore } = await import('../lib/storage/file-blob-store.ts');
    return createFileBlobStore({ folder: location.folder });
  }
  const [{ createS3Client }, { createS3BlobStore }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/s3-blob-store.ts'),
  ]);
  return createS3BlobStore({ client: createS3Client(), bucket: location.bucket, prefix: location.prefix });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => Math.floor(performance.now()),
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
