import { setTimeout as sleep } from 'node:timers/promises';
import { byName, ofName } from '../config/by-name.ts';
import type { StageRunner } from '../epoch/attempt/ask-stages.ts';
import { learnSinks } from '../epoch/commit/run-sinks.ts';
import type { Tenure } from '../epoch/coordinator/context.ts';
import type { LoopRules } from '../epoch/loop/rules.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { CompiledJob } from '../operators/compiled-job.ts';
import type { PhysicalPlan } from '../plan/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';
import { coordinateSinks } from '../sinks/connectors.ts';
import { stageFunctions } from '../stages/in-process.ts';
import { createBlobs } from '../storage/blobs.ts';
import { KeptObjects } from './kept-objects.ts';
import { type MemoryKafka, memoryKafka } from './memory-kafka.ts';
import type { MemoryTopics } from './memory-topics.ts';

/** What outlives a process of the job. */
export interface Surroundings {
  readonly compiled: CompiledJob;
  /** By what the author gave for a sink, the uids of those that write to it. */
  readonly sinks: ReadonlyMap<unknown, readonly string[]>;
  readonly topics: MemoryTopics;
  readonly blobStore: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxParallelism: number;
}

/** The processes of a job from a start to a crash, and what its coordinator is set to. */
export interface Run extends StageRunner {
  readonly kafka: MemoryKafka;
  readonly rules: LoopRules;
  readonly surroundings: Surroundings;
  readonly keptObjects: KeptObjects;
}

/** By stage, or of all of them. */
export type Parallelism = number | Readonly<Record<string, number>>;

const BUILD = 'test';
const INCARNATION = 'test';
/** Blobs above this go to the store, as in a deployment; smaller than there, so that a small test has both. */
const INLINE_BLOB_BYTES = 256;
/** Nothing takes any of it: the clock stands while an epoch is worked on. */
const TIMEOUT_MS = 60_000;
/** Every sink of a job in memory writes records. */
const NO_TARGETS: SinkTargets = {
  uploads: (location) => Promise.reject(new Error(`nothing is written to ${location} in memory`)),
  items: () => Promise.reject(new Error('no items are written in memory')),
};

const realSleep: Clock['sleep'] = (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});

/** Starts the processes of a job: none of them has any state yet. */
export async function startRun(surroundings: Surroundings, parallelism: Parallelism): Promise<Run> {
  const { compiled, topics, blobStore, clock, random, maxParallelism } = surroundings;
  const { plan } = compiled;
  const kafka = memoryKafka(topics);
  const blobs = createBlobs(blobStore, random);
  const keptObjects = new KeptObjects();
  // What a job's functions wait for takes the time of this machine.
  const waiting: Clock = { ...clock, sleep: realSleep };
  const tools = {
    ...compiled,
    job: keptObjects.watching(compiled.job),
    blobs,
    clock: waiting,
    random,
    kafka,
    targets: NO_TARGETS,
    build: BUILD,
    inlineBlobBytes: INLINE_BLOB_BYTES,
  };
  const sinks = coordinateSinks(
    { clock, random, kafka, targets: NO_TARGETS },
    { deliveryGuarantee: 'at-least-once', transactionTimeoutMs: TIMEOUT_MS },
  );
  const rules: LoopRules = {
    build: BUILD,
    plan,
    parallelism: parallelismOf(plan, parallelism, maxParallelism),
    commitOffsets: false,
    checkpointIntervalMs: TIMEOUT_MS,
    epochTimeoutMs: TIMEOUT_MS,
    maxEpochBytes: Number.MAX_SAFE_INTEGER,
    maxConcurrentEpochs: 1,
    minPauseMs: 0,
    idlePollMaxMs: TIMEOUT_MS,
    restart: { kind: 'exponential', firstMs: 0, maxMs: 0 },
    refusalTimeoutMs: 0,
    tolerableFailures: Number.POSITIVE_INFINITY,
    poisonAttempts: 1,
  };
  const tenure: Tenure = { generation: 1, incarnation: INCARNATION, sinkFacts: await learnSinks({ sinks }, { plan }), pool: {} };
  return {
    deps: { invoker: stageFunctions(tools), sinks, kafka, clock, random },
    settings: { ...rules, job: plan.job, maxParallelism, commitTimeoutMs: TIMEOUT_MS },
    tenure,
    kafka,
    rules,
    surroundings,
    keptObjects,
  };
}

function parallelismOf({ job, stages }: PhysicalPlan, wanted: Parallelism, maxParallelism: number): Record<string, number> {
  const known = stages.map(({ id }) => id);
  if (typeof wanted !== 'number')
    for (const stage of Object.keys(wanted))
      if (!known.includes(stage)) throw new JobDefinitionError(`job ${job} has no stage ${stage}; its stages are ${known.join(', ')}`);
  return byName(
    known.map((id) => {
      const subtasks = typeof wanted === 'number' ? wanted : (ofName(wanted, id) ?? 1);
      if (!Number.isInteger(subtasks) || subtasks < 1 || subtasks > maxParallelism)
        throw new RangeError(`the parallelism of stage ${id} is ${subtasks}, and must be 1 to ${maxParallelism} (maxParallelism)`);
      return [id, subtasks] as const;
    }),
  );
}
