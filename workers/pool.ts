import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FunctionTarget } from '../lib/ports/function-invoker.ts';
import { childFile } from '../local/functions/child-file.ts';
import { heapLimits } from '../local/functions/heap-limits.ts';
import { makeJobFolder } from '../local/functions/job-folder.ts';
import { eachLine } from '../local/functions/lines.ts';
import { COMPILE_CACHE } from '../local/functions/processes.ts';
import type { FunctionSocket } from '../local/functions/socket-call.ts';
import { createSpread } from './spread.ts';

/** A process that ends is started again after this long, doubled each time that it has not come to listen, up to so long. */
const RESTART_PAUSE_MS = 20;
const MOST_RESTART_PAUSE_MS = 5_000;

export interface PoolOptions {
  /** Environment of the functions. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How many processes. */
  readonly size: number;
  /** One line of a process's own output. */
  readonly onLine: (name: string, line: string) => void;
  /** A process ended that was not asked to; it is started again. */
  readonly onCrash: (name: string, how: string) => void;
}

/** Processes that run functions of every stage, each on one processor: Node is one thread. */
export interface FunctionPool {
  /** Where the function of a target is called: always in the same process, so that its state is warm there. */
  socketOf(target: FunctionTarget): FunctionSocket;
  /** Does every process listen? */
  isReady(): boolean;
  /** How many processes have ended that were not asked to. */
  crashes(): number;
  /** The process ids of those that run. */
  pids(): readonly number[];
  /** Ends all of them. What they have under way is nobody's any more. */
  close(): Promise<void>;
}

export async function startPool({ env, size, onLine, onCrash }: PoolOptions): Promise<FunctionPool> {
  const code = await childFile(env);
  const folder = await makeJobFolder();
  const children: ChildProcess[] = [];
  const listening = new Set<ChildProcess>();
  let crashes = 0;
  let isOver = false;
  const socketAt = (number: number) => join(folder.path, `process-${number}.sock`);
  const processFor = createSpread(size);

  function start(number: number, pauseMs: number): void {
    const name = `process-${number}`;
    const child = fork(code, ['any', socketAt(number)], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env } as NodeJS.ProcessEnv,
      execArgv: [...process.execArgv, ...heapLimits(env, process.execArgv)],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    children[number] = child;
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => onLine(name, line));
    child.on('message', () => listening.add(child));
    child.on('exit', (exitCode, signal) => {
      const nextMs = listening.delete(child) ? RESTART_PAUSE_MS : Math.min(pauseMs * 2, MOST_RESTART_PAUSE_MS);
      if (isOver) return;
      crashes++;
      onCrash(name, signal ?? `exit code ${exitCode}`);
      setTimeout(() => {
        if (!isOver) start(number, nextMs);
      }, nextMs);
    });
  }

  for (let number = 0; number < size; number++) start(number, RESTART_PAUSE_MS);

  return {
    socketOf: (target) => ({ socketPath: socketAt(processFor(target)), path: `/${target.role}` }),
    isReady: () => listening.size === size,
    crashes: () => crashes,
    pids: () =>
      children.flatMap(({ pid, exitCode, signalCode }) => (pid === undefined || exitCode !== null || signalCode !== null ? [] : [pid])),
    async close() {
      isOver = true;
      await Promise.all(children.map(ended));
      folder.remove();
    },
  };
}

/** It ends when its parent lets it go. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  await gone;
}
