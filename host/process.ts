import type { ConfigOf } from '../lib/config/parameters.ts';
import type { BlobStore } from '../lib/ports/blob-store.ts';
import type { Clock, Random } from '../lib/ports/clock.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../lib/ports/sink-targets.ts';
import { openSpilledRows } from '../lib/sqlite/sqlite-spilled-rows.ts';
import type { StageDeps } from '../lib/stages/common.ts';
import type { StageTools } from '../lib/stages/serve.ts';
import { createBlobs } from '../lib/storage/blobs.ts';
import { type ConfiguredJob, readJob } from './job/configured-job.ts';
import { connectFunction } from './kafka.ts';
import { openSinkTargets } from './sink-targets.ts';
import { openBlobStore } from './stores.ts';
import { systemClock, systemRandom } from './system.ts';

/** What every function works with, opened once for each process from its environment. */
export interface Host extends ConfiguredJob, StageDeps {
  readonly blobStore: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a stage works with whose work is on state and blobs alone. */
export type StageHost = Host & StageTools;

/** The same for a stage that talks to Kafka. */
export type KafkaStageHost = StageHost & { readonly kafka: KafkaRequests };

/** The same for the stage that writes to what is outside. */
export type SinkStageHost = KafkaStageHost & { readonly targets: SinkTargets };

/**
 * Clients are loaded only where they are needed: a function that starts without one starts sooner.
 *
 * @throws as `readJob`
 */
export async function openHost(env: NodeJS.ProcessEnv): Promise<Host> {
  const configured = await readJob(env);
  const { blobs }: ConfigOf<'host'> = configured.config;
  const { inlineBlobBytes }: ConfigOf<'source' | 'operator' | 'sink'> = configured.config;
  const blobStore = await openBlobStore(blobs);
  return {
    ...configured,
    clock: systemClock,
    random: systemRandom,
    blobStore,
    blobs: createBlobs(blobStore, systemRandom),
    inlineBlobBytes,
  };
}

/** @throws as `readJob` */
export async function openStageHost(env: NodeJS.ProcessEnv): Promise<StageHost> {
  const host = await openHost(env);
  const { buildId }: ConfigOf<'host'> = host.config;
  const { maxUnpackedBatchBytes }: ConfigOf<'source'> = host.config;
  const { stateMemoryBytes }: ConfigOf<'operator'> = host.config;
  const stateBound = stateMemoryBytes === undefined ? undefined : { boundBytes: stateMemoryBytes, openRows: openSpilledRows };
  return { ...host, maxUnpackedBatchBytes, stateBound, build: buildId };
}

/** @throws as `readJob` */
export async function openKafkaStageHost(env: NodeJS.ProcessEnv): Promise<KafkaStageHost> {
  const host = await openStageHost(env);
  return { ...host, kafka: await connectFunction(host, 'wait') };
}

/** @throws as `readJob` */
export async function openSinkStageHost(env: NodeJS.ProcessEnv): Promise<SinkStageHost> {
  return { ...(await openKafkaStageHost(env)), targets: openSinkTargets() };
}
