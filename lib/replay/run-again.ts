import { runStage, type StageRunner } from '../epoch/attempt/ask-stages.ts';
import { type Attempt, withDone } from '../epoch/attempt/attempt.ts';
import { learnSinks } from '../epoch/commit/run-sinks.ts';
import { JobFailedError } from '../epoch/coordinator/context.ts';
import { positionAfter } from '../epoch/decision/position.ts';
import type { CompiledJob } from '../operators/compiled-job.ts';
import type { PhysicalPlan } from '../plan/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { KafkaRequests } from '../ports/kafka-requests.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';
import type { StageFailed, StageStale } from '../protocol/answers.ts';
import type { Position } from '../protocol/manifest.ts';
import type { Sinks } from '../sinks/connector.ts';
import { coordinateSinks, type SinkSettings } from '../sinks/connectors.ts';
import { stageFunctions } from '../stages/in-process.ts';
import { createBlobs } from '../storage/blobs.ts';
import { type BlobOverlay, overlayOf, readOnlyKafka, readOnlyTargets } from './read-only.ts';
import { ReplayRefusedError } from './refused.ts';

/** What a job is run again in. */
export interface Surroundings extends CompiledJob {
  readonly incarnation: string;
  readonly maxParallelism: number;
  readonly deliveryGuarantee: SinkSettings['deliveryGuarantee'];
  readonly kafka: KafkaRequests;
  readonly blobStore: Pick<BlobStore, 'get'>;
  readonly targets: SinkTargets;
  readonly clock: Clock;
  readonly random: Random;
}

/** The stages of a job in this process, none of which writes anywhere but to `blobs`. */
export interface StagesHere {
  readonly runner: Pick<StageRunner, 'deps' | 'settings' | 'tenure'>;
  readonly kafka: KafkaRequests;
  readonly blobs: BlobOverlay;
}

/** Who is stopped by a debugger takes his time. */
const TIMEOUT_MS = 24 * 3_600_000;
const BUILD = 'here';

/** @throws ReplayRefusedError when it cannot be told how output is encoded: a topic or a table of a sink is gone, or may not be described */
export async function openStages(around: Surroundings): Promise<StagesHere> {
  const { job, plan, clock, random, deliveryGuarantee } = around;
  const kafka = readOnlyKafka(around.kafka);
  const targets = readOnlyTargets(around.targets);
  const blobs = overlayOf(around.blobStore);
  const sinks = coordinateSinks({ clock, random, kafka, targets }, { deliveryGuarantee, transactionTimeoutMs: TIMEOUT_MS });
  const tools = { job, plan, clock, random, kafka, targets, blobs: createBlobs(blobs, random), build: BUILD, inlineBlobBytes: 0 };
  const timeouts = { checkpointIntervalMs: TIMEOUT_MS, epochTimeoutMs: TIMEOUT_MS, commitTimeoutMs: TIMEOUT_MS };
  return {
    runner: {
      deps: { invoker: stageFunctions(tools), sinks, kafka, clock, random },
      settings: { job: plan.job, build: BUILD, plan, maxParallelism: around.maxParallelism, ...timeouts },
      tenure: { generation: 0, incarnation: around.incarnation, sinkFacts: await learnt({ sinks, plan }), pool: {} },
    },
    kafka,
    blobs,
  };
}

async function learnt({ sinks, plan }: { readonly sinks: Sinks; readonly plan: PhysicalPlan }): ReturnType<typeof learnSinks> {
  try {
    return await learnSinks({ sinks }, { plan });
  } catch (error) {
    throw error instanceof JobFailedError ? new ReplayRefusedError(error.message) : error;
  }
}

export type RanAgain =
  | { readonly outcome: 'done'; readonly attempt: Attempt; readonly after: Position }
  | { readonly outcome: 'failed'; readonly stage: string; readonly why: StageFailed | StageStale };

/** Runs every stage of an attempt but the sinks: what these would be given is staged, and they are not asked. */
export async function runAgain({ runner }: StagesHere, begun: Attempt, before: Position): Promise<RanAgain> {
  const { plan } = runner.settings;
  let attempt = begun;
  for (const stage of plan.stages) {
    if (stage.kind === 'sink') continue;
    const ran = await runStage(runner, stage, { attempt, before }, new AbortController().signal);
    if (ran.outcome === 'failed') return { outcome: 'failed', stage: stage.id, why: ran.why };
    attempt = withDone(attempt, stage.id, ran.work, 0);
  }
  return { outcome: 'done', attempt, after: positionAfter(before, attempt, plan) };
}
