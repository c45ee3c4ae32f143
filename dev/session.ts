import { systemRandom } from '../host/system.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import type { StartKind } from '../lib/epoch/start/may-start.ts';
import { eventText } from '../local/event-text.ts';
import { type JobEnd, type RunningJob, runJob } from '../local/functions/run-job.ts';
import type { LoadedJob } from './job-module.ts';

export interface SessionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly verbose: boolean;
  readonly killEveryS: number | undefined;
}

/** A job that runs, from a start to its end. */
export interface Session {
  /** Undefined while it runs. */
  end(): JobEnd | undefined;
  /** Is it known where it reads from? What comes in before that may be of no interest to it. */
  hasBegun(): boolean;
  /** Has a process of it ended that nobody has ended? It is started again, from what is saved then. */
  hasCrashed(): boolean;
  /** In order: what is decided is committed, and nothing is left open. */
  stop(): Promise<JobEnd>;
  kill(): Promise<void>;
}

export async function startSession(options: SessionOptions, loaded: LoadedJob, startKind: StartKind): Promise<Session> {
  const { env, say, verbose, killEveryS } = options;
  let end: JobEnd | undefined;
  let crashed = false;
  let begun = false;
  /** An epoch was committed since the last kill: however slow the machine is, the job comes on. */
  let hasMoved = false;
  const running = await runJob({
    env: { ...env, ONCEFLOW_JOB: loaded.module, NODE_OPTIONS: nodeOptions(env, loaded) },
    job: loaded.summary,
    startKind,
    onEvent(event) {
      begun ||= event.event === 'recovered';
      hasMoved ||= event.event === 'committed';
      const line = verbose ? eventText(event) : newsOf(event, loaded.summary.name);
      if (line !== undefined) say(line);
    },
    onLog: (name, line) => say(`${name}: ${line}`),
    onCrash(name, how) {
      crashed = true;
      say(`${name} ended with ${how}: it is started again`);
    },
  });
  const killNext = () => {
    if (hasMoved) killOne(running, say);
    hasMoved = false;
  };
  const killing = killEveryS === undefined ? undefined : setInterval(killNext, killEveryS * 1000);
  void running.ended.then((it) => {
    end = it;
    clearInterval(killing);
  });
  return {
    end: () => end,
    hasBegun: () => begun,
    hasCrashed: () => crashed,
    stop: () => running.stop(),
    kill: () => running.killAll(),
  };
}

/** As a machine that fails: whichever of its processes. */
function killOne(running: RunningJob, say: SessionOptions['say']): void {
  const alive = [...running.processes()];
  const [name, pid] = alive[Math.floor(systemRandom.fraction() * alive.length)] ?? [];
  if (name === undefined || pid === undefined) return;
  say(`kill -9 ${name} (process ${pid})`);
  process.kill(pid, 'SIGKILL');
}

/** That epochs are decided and committed is seen in what they write. */
function newsOf(event: CoordinatorEvent, job: string): string | undefined {
  switch (event.event) {
    case 'lease-taken':
      return `job ${job} runs, ${event.lastCompleted === undefined ? 'for the first time' : `from epoch ${event.lastCompleted} on`}`;
    case 'decided':
    case 'committed':
      return undefined;
    default:
      return eventText(event);
  }
}

/** What was translated names its lines by a source map. */
function nodeOptions({ NODE_OPTIONS }: SessionOptions['env'], { summary }: LoadedJob): string | undefined {
  if (summary.translation === undefined) return NODE_OPTIONS;
  return [NODE_OPTIONS, '--enable-source-maps'].filter(Boolean).join(' ');
}
