import { hostname } from 'node:os';
import type { CoordinatorEnd, JobSettings } from '../lib/epoch/coordinator/context.ts';
import { coordinate } from '../lib/epoch/coordinator/coordinator.ts';
import type { CoordinatorEvent } from '../lib/epoch/events.ts';
import { fingerprint } from '../lib/graph/fingerprint.ts';
import { describeGraph } from '../lib/graph/graph.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import { buildId } from './build-id.ts';
import { connectFunction, openEpochStore, type Wiring, wireFunction } from './wiring.ts';

export interface CoordinatorRun {
  /** How stage functions are called: child processes on one machine, Lambda in a deployment. */
  readonly invoker: FunctionInvoker;
  readonly observe: (event: CoordinatorEvent) => void;
  readonly stop: AbortSignal;
  readonly handOver: AbortSignal;
}

/** Runs the job's coordinator until it ends. @throws ConfigError, JobDefinitionError: nothing was started. */
export async function runCoordinator(run: CoordinatorRun): Promise<CoordinatorEnd> {
  const wiring = await wireFunction(process.env);
  const [kafka, epochs] = await Promise.all([connectFunction(wiring), openEpochStore(wiring.config)]);
  try {
    return await coordinate({ ...wiring, kafka, epochs, invoker: run.invoker, observe: run.observe }, settingsOf(wiring), {
      stop: run.stop,
      handOver: run.handOver,
    });
  } finally {
    await kafka.close();
  }
}

function settingsOf({ config, job, plan }: Wiring): JobSettings {
  const { parallelism, stageParallelism } = config;
  const unknown = Object.keys(stageParallelism).filter((stage) => !plan.stages.some(({ id }) => id === stage));
  if (unknown.length > 0)
    throw new Error(
      `ONCEFLOW_STAGE_PARALLELISM names ${unknown.join(', ')}: the stages of job ${job.name} are ${plan.stages.map(({ id }) => id).join(', ')}`,
    );
  return {
    ...config,
    job: job.name,
    build: buildId(process.env),
    holder: `${hostname()} process ${process.pid}`,
    stages: plan.stages,
    fingerprint: fingerprint(describeGraph(job)),
    groupId: config.groupId ?? job.name,
    parallelism: Object.fromEntries(plan.stages.map(({ id }) => [id, stageParallelism[id] ?? parallelism])),
  };
}
