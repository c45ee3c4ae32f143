import { openBlobStore, openEpochStore } from '../../host/stores.ts';
import { systemClock, systemRandom } from '../../host/system.ts';
import { readToolConfig, requiredValue } from '../../lib/config/read-config.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import type { BlobStore } from '../../lib/ports/blob-store.ts';
import type { EpochStore } from '../../lib/ports/epoch-store.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import { isCommitted, sourceEnds } from '../committed.ts';
import type { Route } from '../input.ts';
import { interruptions } from '../interruptions.ts';
import type { Output } from '../output.ts';
import { readInput } from '../read-input.ts';
import type { DeployedJob } from './project-cdk.ts';

const POLL_MS = 250;
const START_WITHIN_MS = 60_000;

/** A deployed job, and where its epochs are. */
export interface RunningJob extends DeployedJob {
  readonly epochs: EpochStore;
  blobStore(): Promise<BlobStore>;
}

export async function openDeployed(job: DeployedJob): Promise<RunningJob> {
  const config = readToolConfig({ ONCEFLOW_TABLE: job.table, ONCEFLOW_BLOBS: job.blobs });
  return { ...job, epochs: await openEpochStore(config), blobStore: () => openBlobStore(requiredValue(config, 'blobs')) };
}

/**
 * Starts the jobs, and returns when it is known where each reads from.
 *
 * @param log of the emulator, and of its functions
 * @throws UsageError: one has failed, or does not start
 */
export async function startAll(jobs: readonly RunningJob[], log: string): Promise<void> {
  const [{ createLambdaClient }, { startCoordinator }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/start-coordinator.ts'),
  ]);
  const client = createLambdaClient();
  for (const { functionName } of jobs) await startCoordinator(client, functionName, systemClock);
  client.destroy();
  const deadlineMs = systemClock.elapsedMs() + START_WITHIN_MS;
  for (const { name, epochs } of jobs)
    for (; ; await systemClock.sleep(POLL_MS)) {
      const row = await epochs.readJob(name);
      if (row?.failure !== undefined) throw new UsageError(`job ${name} failed: ${row.failure}`);
      if (row?.lastCompleted !== undefined) break;
      if (systemClock.elapsedMs() > deadlineMs)
        throw new UsageError(`job ${name} has not started within ${START_WITHIN_MS / 1000} s: what its functions logged is in ${log}`);
    }
}

export interface Deployed {
  readonly jobs: readonly RunningJob[];
  readonly kafka: KafkaRequests;
  readonly output: Output;
  readonly once: boolean;
  readonly say: (line: string) => void;
  readonly stdin: NodeJS.ReadStream;
}

/**
 * Writes what comes in to where it goes, until it is interrupted, or, if asked so, all that came in is committed.
 *
 * @returns whether all went well
 */
export async function runDeployed(deployed: Deployed, route: Route): Promise<boolean> {
  const { jobs, output, once, say, stdin } = deployed;
  const interrupted = interruptions(say);
  const reading = readInput(deployed, route);
  const failed = new Set<string>();
  try {
    for (; !interrupted.signal.aborted; await systemClock.sleep(POLL_MS, interrupted.signal)) {
      for (const job of jobs) await watch(job, failed, say);
      if (once && failed.size > 0) return false;
      if (once && reading.hasEnded() && (await areCommitted(deployed))) break;
    }
    if (once && !interrupted.signal.aborted) await output.caughtUp();
    return failed.size === 0 && reading.isWhole();
  } finally {
    interrupted.ignore();
    reading.close();
    stdin.destroy();
  }
}

/** A job that fails is said once, and once more when it was let go on and failed again. */
async function watch({ name, epochs }: RunningJob, failed: Set<string>, say: (line: string) => void): Promise<void> {
  const failure = (await epochs.readJob(name))?.failure;
  if (failure === undefined) failed.delete(name);
  else if (!failed.has(name)) {
    failed.add(name);
    say(
      `job ${name} failed: ${failure}\nKafka and AWS stay up: "npx onceflow resume", then "npx onceflow start", runs it again; Ctrl-C ends`,
    );
  }
}

/** A job may write what another one reads: as often as there are jobs. */
async function areCommitted({ jobs, kafka }: Deployed): Promise<boolean> {
  for (const _pass of jobs)
    for (const { name, sources, epochs, blobStore } of jobs) {
      const ends = await sourceEnds(
        kafka,
        sources.map(({ topic }) => topic),
      );
      if (!(await isCommitted({ epochs, blobStore, random: systemRandom }, name, ends))) return false;
    }
  return true;
}
