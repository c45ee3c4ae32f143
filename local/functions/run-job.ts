import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { holderOfProcess } from '../../host/holder.ts';
import type { JobSummary } from '../../host/job/describe.ts';
import { rangeOfStage } from '../../lib/config/subtasks.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { StartKind } from '../../lib/epoch/start/may-start.ts';
import { childFile } from './child-file.ts';
import { heapLimits } from './heap-limits.ts';
import { makeJobFolder } from './job-folder.ts';
import { eachLine } from './lines.ts';
import { COMPILE_CACHE, type FunctionProcess, processesOf, TOGETHER } from './processes.ts';

/** A function that crashed is started again after this long: what the platform does at its next invocation. */
const RESTART_PAUSE_MS = 20;

export interface RunJobOptions {
  /** Environment of the functions: ONCEFLOW_… and AWS_…. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the job is, where that is known. @default its module is loaded into this process */
  readonly job?: Pick<JobSummary, 'plan' | 'parallelism'>;
  /** `revival`: nothing is started that a person has stopped meanwhile. @default 'explicit' */
  readonly startKind?: StartKind;
  /**
   * Who runs the stages' functions: a process for each of them, as each has its own in a deployment, or one for all, as in `onceflow run`, at half
   * the CPU time of a start. @default 'each'
   */
  readonly functions?: 'each' | 'together';
  readonly onEvent?: (event: CoordinatorEvent) => void;
  /** One line of a function's own output. */
  readonly onLog?: (name: string, line: string) => void;
  /** A function process ended without being asked to; it is started again. */
  readonly onCrash?: (name: string, signal: string | null) => void;
}

export interface RunningJob {
  /** Names of the function processes that are alive, with their process ids. */
  processes(): ReadonlyMap<string, number>;
  /** Finishes and commits what is under way, settles every transaction, ends all processes. */
  stop(): Promise<JobEnd>;
  /** Ends every process at once, as a machine that loses its power. */
  killAll(): Promise<void>;
  /** Resolves when the job has ended, by `stop` or by itself. */
  readonly ended: Promise<JobEnd>;
}

export interface JobEnd {
  readonly end: string;
  readonly message: string;
}

/**
 * Runs a job's functions as child processes of this one. A function that crashes is started again; a coordinator only if nobody has
 * stopped the job meanwhile, or taken it.
 *
 * @throws ConfigError, JobDefinitionError: nothing was started
 */
export async function runJob(options: RunJobOptions): Promise<RunningJob> {
  const { plan, parallelism } = options.job ?? (await readJob(options.env));
  const code = await childFile(options.env);
  const folder = await makeJobFolder();
  const children = new Map<string, ChildProcess>();
  let stopping = false;
  let over = false;
  let last: JobEnd | undefined;
  /**
   * The job was taken, or has moved on if it was to be from elsewhere: until then it stays as it was (docs/savepoints.md). Who starts a coordinator again
   * after that is no person: what was asked for since stands.
   */
  let hasBegun = false;
  const beginsWith: CoordinatorEvent['event'] = options.env['ONCEFLOW_START_FROM'] ? 'recovered' : 'lease-taken';
  /** Of the first coordinator that took the job: whoever has asked it to stop since wants it stopped, also from one that tries again. */
  let firstStops: number | undefined;
  const deadCoordinators: string[] = [];
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<JobEnd>();

  const isOne = options.functions === 'together';
  const processes = isOne ? TOGETHER : processesOf(plan.stages, (stage) => rangeOfStage(parallelism, stage).most);
  for (const each of processes) startProcess(each);

  function startProcess({ name, role }: FunctionProcess): void {
    const startKind = hasBegun ? 'revival' : (options.startKind ?? 'explicit');
    const asks = isOne ? 'one' : 'each';
    const hasState = role === 'operator' || role === 'any';
    const child = fork(code, [role, join(folder.path, `${name}.sock`), asks, startKind, String(firstStops ?? ''), ...deadCoordinators], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env } as NodeJS.ProcessEnv,
      execArgv: hasState ? [...process.execArgv, ...heapLimits(options.env, process.execArgv)] : process.execArgv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    children.set(name, child);
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => options.onLog?.(name, line));
    child.on('message', (message) => {
      // Others only tell that they listen.
      if (role !== 'coordinator') return;
      const event = message as CoordinatorEvent;
      hasBegun ||= event.event === beginsWith;
      if (event.event === 'lease-taken') firstStops ??= event.stops;
      if (event.event === 'ended') last = { end: event.end, message: event.message };
      options.onEvent?.(event);
    });
    child.on('exit', (code, signal) => {
      if (children.get(name) === child) children.delete(name);
      if (over) return;
      if (role === 'coordinator' && (last !== undefined || stopping))
        return finish(last ?? { end: 'stopped', message: 'the coordinator was killed while it stopped' });
      if (role === 'coordinator' && child.pid !== undefined) deadCoordinators.push(holderOfProcess(child.pid));
      options.onCrash?.(name, signal ?? `exit code ${code}`);
      setTimeout(() => {
        if (over) return;
        startProcess({ name, role });
        // It was to stop while there was none to tell.
        if (role === 'coordinator' && stopping) tellToStop();
      }, RESTART_PAUSE_MS);
    });
  }

  function finish(end: JobEnd): void {
    over = true;
    for (const child of children.values()) if (child.connected) child.disconnect();
    void whenAllGone(children).then(() => {
      folder.remove();
      resolveEnded(end);
    });
  }

  function tellToStop(): void {
    children.get('coordinator')?.send('stop');
  }

  return {
    processes: () => new Map([...children].flatMap(([name, child]) => (child.pid === undefined ? [] : [[name, child.pid] as const]))),
    stop() {
      stopping = true;
      tellToStop();
      return ended;
    },
    async killAll() {
      over = true;
      for (const child of children.values()) child.kill('SIGKILL');
      await whenAllGone(children);
      folder.remove();
      resolveEnded({ end: 'killed', message: 'every process was killed' });
    },
    ended,
  };
}

/** Loaded only when it is needed: with it come the parameters and the graph. */
async function readJob(env: RunJobOptions['env']): Promise<Pick<JobSummary, 'plan' | 'parallelism'>> {
  const configured = await import('../../host/job/configured-job.ts');
  return configured.readJob(env as NodeJS.ProcessEnv);
}

async function whenAllGone(children: ReadonlyMap<string, ChildProcess>): Promise<void> {
  await Promise.all(
    [...children.values()].map((child) =>
      child.exitCode !== null || child.signalCode !== null ? undefined : new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
}
