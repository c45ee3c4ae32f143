import type { JobDefinition } from '../../lib/graph/job.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import { type EpochAgain, type Replay, replayEpochs } from '../../lib/replay/replay.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import { modelBlobStore } from './models/blob-bucket.ts';
import { modelEpochStore } from './models/epoch-store.ts';
import { type Carry, modelKafka } from './models/kafka-requests.ts';
import { DEAD_LETTER_TOPIC, JOB } from './sim-job.ts';
import type { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

/** What a replay may ask the services for: rows, blobs, and what the log holds. */
const READING = [
  'readJob',
  'readEpoch',
  'readSavepoint',
  'get',
  'fetch',
  'look',
  'search',
  'offsets',
  'partitionCount',
  'topicId',
  'leaders',
  'brokerConfig',
  'topicConfig',
];

/** Everything that a world leaves, as a replay on another machine finds it; what is asked of it is noted. */
export function archiveOf(
  world: World,
  options: WorldOptions,
  job: JobDefinition,
): { readonly replay: Replay; readonly asked: Set<string> } {
  const asked = new Set<string>();
  const dice = new Dice(hashOf(options.seed, 'replay'));
  const carry: Carry = async (api, _about, _failure, execute) => {
    asked.add(api);
    return execute(dice);
  };
  const random = { id: () => dice.id(), fraction: () => dice.next() };
  const clock = { now: () => 0, elapsedMs: () => 0, sleep: (_: number, signal?: AbortSignal) => untilAborted(signal) };
  const blobStore = modelBlobStore(world.bucket, carry);
  const row = world.table.row(JOB);
  if (row === undefined) throw new Error('there is no job');
  const kafka = modelKafka(world.broker, carry, {
    broker: new Map(),
    topic: new Map([['max.message.bytes', '1048588']]),
    nowMs: () => world.scheduler.nowMs,
  });
  const plan = compilePlan(job, options.userCode === undefined ? undefined : DEAD_LETTER_TOPIC);
  const replay: Replay = {
    job,
    plan,
    incarnation: row.incarnation,
    maxParallelism: row.maxParallelism,
    deliveryGuarantee: 'exactly-once',
    kafka,
    blobStore,
    targets: world.targets.reachedBy(carry),
    clock,
    random,
    archive: { epochs: modelEpochStore(world.table, carry), blobs: createBlobs(blobStore, random) },
    row,
    parallelism: options.parallelism(1),
    mostKeys: 10,
  };
  return { replay, asked };
}

/** What was asked for beyond reading. */
export function writesIn(asked: ReadonlySet<string>): string[] {
  return [...asked].filter((api) => !READING.includes(api));
}

export async function replayed(replay: Replay, first: number, last: number): Promise<EpochAgain[]> {
  return Array.fromAsync(replayEpochs(replay, first, last));
}

/** Nothing takes any time, and what is waited for never comes. */
function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
