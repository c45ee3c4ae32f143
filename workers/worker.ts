import { interruptions } from '../dev/interruptions.ts';
import { withBuildId } from '../host/job/build-id.ts';
import { readJob } from '../host/job/configured-job.ts';
import { logLine } from '../host/log.ts';
import { systemClock } from '../host/system.ts';
import { openPrometheus } from '../host/telemetry/prometheus.ts';
import { OF_A_WORKER } from '../host/telemetry/which.ts';
import { ConfigError } from '../lib/config/fault.ts';
import { type ConfigOf, parameters } from '../lib/config/parameters.ts';
import { isLoopback } from '../lib/config/worker-url.ts';
import { readTokens, readWorkerTls } from '../lib/workers/files.ts';
import { createSocketCalls } from '../local/functions/socket-call.ts';
import { lineOut } from './lines.ts';
import { startPool } from './pool.ts';
import { serveWorker } from './worker-server.ts';

export interface WorkerOptions {
  /** Of the job, its module named. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  readonly host: string;
  readonly processes: number;
  /** How long what is under way has at the end. */
  readonly drainMs: number;
}

/**
 * A worker: the functions of a job behind HTTP, until it is told to end. Then it takes no more work, answers what is under way, and ends.
 *
 * @throws ConfigError, JobDefinitionError, UsageError: nothing runs
 */
export async function worker(options: WorkerOptions): Promise<void> {
  const env = withBuildId(options.env);
  const { config, job } = await readJob(env as NodeJS.ProcessEnv);
  const own: ConfigOf<'workers' | 'host'> = config;
  const tokens = readTokens(own);
  const tls = readWorkerTls(own);
  if (!isLoopback(options.host) && tokens.length === 0) throw unguarded(options.host);
  const say = (message: string) => logLine('info', message, { job: job.name });
  const calls = createSocketCalls(systemClock);
  const prometheus = await openPrometheus(job.name, OF_A_WORKER);
  const pool = await startPool({
    env,
    size: options.processes,
    onLine: lineOut.onLine,
    onCrash(name, how) {
      lineOut.onCrash(name, how);
      prometheus?.add('onceflow.worker.processes.crashed', 1);
    },
  });
  const interrupted = interruptions(say);
  try {
    const server = await serveWorker({
      ...options,
      tls,
      tokens,
      job: job.name,
      build: own.buildId,
      isReady: pool.isReady,
      async call(target, what) {
        const beganMs = systemClock.elapsedMs();
        const called = await calls.call(pool.socketOf(target), what);
        prometheus?.add('onceflow.worker.requests', 1, { role: target.role, outcome: called.outcome });
        prometheus?.record('onceflow.worker.request.duration', (systemClock.elapsedMs() - beganMs) / 1_000, { role: target.role });
        return called;
      },
      metrics: prometheus?.read,
    });
    say(`worker of job ${job.name}, build ${own.buildId}, at ${server.address}; functions in ${options.processes} processes`);
    await aborted(interrupted.signal);
    await server.drain(options.drainMs);
  } finally {
    interrupted.ignore();
    calls.close();
    await pool.close();
  }
}

function unguarded(host: string): ConfigError {
  const rule = `a file with a token, because --host ${host} lets other machines ask: whoever may ask can run the job's functions`;
  return new ConfigError([{ option: parameters.workerTokenFile.variable, value: undefined, rule, mend: 'set it, or listen on 127.0.0.1' }]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
