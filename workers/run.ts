import { interruptions } from '../dev/interruptions.ts';
import { withBuildId } from '../host/job/build-id.ts';
import { logLine } from '../host/log.ts';
import type { Host } from '../host/process.ts';
import { observeAsProcess } from '../host/process-observer.ts';
import { openCoordinator } from '../host/run-coordinator.ts';
import { measureJob } from '../host/telemetry/measure.ts';
import { openTelemetry } from '../host/telemetry/open-telemetry.ts';
import { openPrometheus } from '../host/telemetry/prometheus.ts';
import { OF_A_JOB } from '../host/telemetry/which.ts';
import { openWorkers } from '../host/workers.ts';
import type { ConfigOf } from '../lib/config/parameters.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import { createSocketInvoker } from '../local/functions/socket-invoker.ts';
import type { Listening } from './http.ts';
import { lineOut } from './lines.ts';
import { startPool } from './pool.ts';
import { type StatusServer, serveStatus } from './status-server.ts';
import { runTenures } from './tenures.ts';

export interface RunOptions {
  /** Of the job, its module named. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Starts it also if it was stopped, has failed, or is another's. */
  readonly starts: boolean;
  /** Of functions, where no workers are named. */
  readonly processes: number;
  /** Where probes and Prometheus ask it. Undefined: nowhere. */
  readonly status: Listening | undefined;
}

/**
 * A job's coordinator as a process that runs until it is told to end, and the functions beside it, or at workers. Several may run: one works, and
 * the others stand by.
 *
 * @throws ConfigError, JobDefinitionError: nothing runs
 */
export async function run(options: RunOptions): Promise<void> {
  const env = withBuildId(options.env);
  const opened = await openCoordinator(env as NodeJS.ProcessEnv);
  const { host } = opened;
  const of = { job: host.job.name, build: host.config.buildId };
  const say = (level: 'info' | 'warn', message: string) => logLine(level, message, { job: of.job });
  const prometheus = options.status === undefined ? undefined : await openPrometheus(of.job, OF_A_JOB);
  const telemetry = await openTelemetry(of.job, OF_A_JOB, host.clock);
  const observers = [observeAsProcess(host), telemetry, prometheus && measureJob(prometheus, host.clock)].filter(
    (each) => each !== undefined,
  );
  const functions = await openFunctions({ ...options, env }, host, (message) => say('warn', message));
  let status: StatusServer | undefined;
  const interrupted = interruptions((line) => say('info', line));
  try {
    if (options.status !== undefined) status = await serveStatus(options.status, of, prometheus?.read);
    const at = status === undefined ? '' : `; health and metrics at ${status.address}`;
    say('info', `coordinator of job ${of.job}, build ${of.build}; ${functions.where}${at}`);
    await runTenures({
      opened,
      invoker: functions.open,
      observe(event) {
        for (const observer of observers) observer(event);
      },
      starts: options.starts,
      handOver: interrupted.signal,
    });
  } finally {
    interrupted.ignore();
    status?.close();
    await functions.close();
  }
}

interface Functions {
  readonly where: string;
  readonly open: () => FunctionInvoker | Promise<FunctionInvoker>;
  readonly close: () => Promise<void> | void;
}

async function openFunctions(options: OwnFunctions, host: Host, say: (message: string) => void): Promise<Functions> {
  const { workers }: ConfigOf<'workers'> = host.config;
  if (workers === undefined) return ownFunctions(options, host.clock);
  const invoker = await openWorkers(host, workers, say);
  return { where: `functions at ${workers.map(({ origin }) => origin).join(', ')}`, open: () => invoker, close: () => invoker.close() };
}

type OwnFunctions = Pick<RunOptions, 'env' | 'processes'>;

/** Processes of this machine. They are started when they are first needed: one that stands by has none. */
function ownFunctions({ env, processes }: OwnFunctions, clock: Clock): Functions {
  let pool: ReturnType<typeof startPool> | undefined;
  return {
    where: `functions in ${processes} processes of this machine`,
    async open() {
      pool ??= startPool({ env, size: processes, ...lineOut });
      return createSocketInvoker((await pool).socketOf, clock);
    },
    close: async () => (await pool)?.close(),
  };
}
