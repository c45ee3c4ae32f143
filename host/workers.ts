import type { ConfigOf } from '../lib/config/parameters.ts';
import type { WorkerUrl } from '../lib/config/worker-url.ts';
import { readTokens, readWorkerCa } from '../lib/workers/files.ts';
import { mostSubtasks, placeSubtasks } from '../lib/workers/placement.ts';
import { openWorkerClient } from '../lib/workers/worker-client.ts';
import { createWorkersInvoker, type WorkersInvoker } from '../lib/workers/workers-invoker.ts';
import type { Host } from './process.ts';

/** Stages as the long-lived workers at these addresses. @throws ConfigError: what is in the files of token and certificates is wrong. */
export async function openWorkers(host: Host, workers: readonly WorkerUrl[], say: (message: string) => void): Promise<WorkersInvoker> {
  const { job, plan, parallelism, clock } = host;
  const config: ConfigOf<'workers' | 'host'> = host.config;
  const access = { job: job.name, token: readTokens(config)[0], ca: readWorkerCa(config) };
  return createWorkersInvoker({
    workers: await Promise.all(workers.map(async (url) => ({ origin: url.origin, client: await openWorkerClient(url, access) }))),
    homeOf: placeSubtasks(mostSubtasks(plan.stages, parallelism), workers.length),
    job: job.name,
    build: config.buildId,
    clock,
    say,
  });
}
