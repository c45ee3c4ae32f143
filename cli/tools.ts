import { startDeployed } from '../host/invoker.ts';
import { type ConfiguredJob, planJob } from '../host/job/configured-job.ts';
import { describeJob, describeName, type JobSummary } from '../host/job/describe.ts';
import { loadJob } from '../host/job/load-job.ts';
import { openKafka } from '../host/kafka.ts';
import { openSinkTargets } from '../host/sink-targets.ts';
import { openBlobStore, openJobStores } from '../host/stores.ts';
import { systemClock, systemRandom } from '../host/system.ts';
import type { BlobLocation } from '../lib/config/blob-location.ts';
import { type NameFor, parameters, type ToolConfig } from '../lib/config/parameters.ts';
import { readToolConfig, requiredValue } from '../lib/config/read-config.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import type { StartAt } from '../lib/epoch/start/start-at.ts';
import type { JobDefinition } from '../lib/graph/job.ts';
import type { InspectDeps } from '../lib/inspect/deps.ts';
import type { BlobStore } from '../lib/ports/blob-store.ts';
import type { JobRemoval } from '../lib/ports/epoch-store.ts';
import type { KafkaClient } from '../lib/ports/kafka-checks.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../lib/ports/sink-targets.ts';
import { type Answer, askPerson } from './ask.ts';

/** A person waits: a broker that is down is reported soon. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** What commands work with. Connections are opened when they are asked for. */
export interface Tools extends InspectDeps {
  readonly config: ToolConfig<NameFor<'cli'>>;
  readonly removal: JobRemoval;
  /** @throws ConfigError when ONCEFLOW_BROKERS is not set. */
  kafka(): Promise<KafkaRequests>;
  /** @throws ConfigError when ONCEFLOW_BLOBS is not set. */
  blobStore(): Promise<BlobStore>;
  readonly targets: SinkTargets;
  /** The job's code, where ONCEFLOW_JOB says which; undefined: it does not. @throws JobDefinitionError when there is none */
  code(): Promise<JobDefinition | undefined>;
  /** Progress, for people: on standard error. */
  readonly say: (line: string) => void;
}

/** What commands may ask for besides, that have more to look at, or to show. */
export interface CommandTools extends Tools {
  kafkaClient(): Promise<KafkaClient>;
  /** The job as its module and this environment have it. Undefined: ONCEFLOW_JOB is not set. @throws as `describeJob` */
  module(): JobSummary | undefined;
  /** The job with its functions, as its module and this environment have it, under the name of `job`. Undefined: no module is named. @throws as `planJob` */
  configured(): Promise<Omit<ConfiguredJob, 'config'> | undefined>;
  /** Asks a deployment to start the job. Answers which function was asked. @param at @default its last epoch */
  startDeployed(at?: StartAt): Promise<string>;
  /** Another place for blobs than the job's. */
  placeAt(location: BlobLocation): Promise<BlobStore>;
  readonly ask: (question: string) => Promise<Answer>;
  /** A line on standard output, of what comes bit by bit. */
  readonly show: (line: string) => void;
  /** One JSON object is asked for: nothing else may be shown. */
  readonly json: boolean;
}

export interface OpenTools extends CommandTools {
  close(): Promise<void>;
}

/** Where a command's lines go. */
export type Lines = Pick<CommandTools, 'show' | 'say' | 'json'>;

/** @throws ConfigError, UsageError when no job is named. */
export async function openTools(given: NodeJS.ProcessEnv, option: string | undefined, { show, say, json }: Lines): Promise<OpenTools> {
  // No name has a slash: it is the job's module.
  const isModule = option?.includes('/') === true;
  const env = isModule ? { ...given, [parameters.job.variable]: option } : given;
  const jobOption = isModule ? undefined : option;
  const config = readToolConfig(env);
  if (jobOption !== undefined && !parameters.jobName.schema.safeParse(jobOption).success)
    throw new UsageError(`--job is ${JSON.stringify(jobOption)}: it must be ${parameters.jobName.rule}`);
  const job = jobOption ?? config.jobName ?? nameInModule(config, env);
  const stores = await openJobStores(config);
  const kafka = once(() => connect(config, job, say));
  return {
    config,
    job,
    clock: systemClock,
    random: systemRandom,
    epochs: stores.epochs,
    removal: stores.removal,
    kafka: kafka.get,
    kafkaClient: kafka.get,
    module: () => (config.job === undefined ? undefined : describeJob('plan', { env })),
    configured: async () => (config.job === undefined ? undefined : planJob({ ...config, jobName: job }, await loadJob(config.job))),
    startDeployed: (at) => startDeployed(config, job, at),
    placeAt: (location) => openBlobStore(location, 'the URL'),
    show,
    json,
    blobStore: once(async () => openBlobStore(requiredValue(config, 'blobs'))).get,
    targets: openSinkTargets(),
    code: async () => (config.job === undefined ? undefined : loadJob(config.job)),
    say,
    ask: askPerson,
    async close() {
      await (await kafka.made()?.catch(() => undefined))?.close();
      stores.close();
    },
  };
}

/** In a process of its own: a module may print, or leave something open, and this command answers in JSON and ends. */
function nameInModule({ job }: ToolConfig, env: NodeJS.ProcessEnv): string {
  if (job !== undefined) return describeName({ env });
  throw new UsageError(`which job? Give --job NAME, or set ${parameters.jobName.variable} or ${parameters.job.variable}`);
}

async function connect(config: ToolConfig, job: string, say: (line: string) => void): Promise<KafkaClient> {
  return openKafka(config, {
    brokers: requiredValue(config, 'brokers'),
    clientId: `onceflow-cli-${job}`,
    connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    clock: systemClock,
    log: say,
  });
}

function once<T>(make: () => Promise<T>): { get(): Promise<T>; made(): Promise<T> | undefined } {
  let made: Promise<T> | undefined;
  return {
    get() {
      made ??= make();
      return made;
    },
    made: () => made,
  };
}
