import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ownModule } from '../../host/job/own-module.ts';
import type { KeeperReport, KeeperRequest } from './keeper-protocol.ts';
import { claimPorts } from './ports.ts';

const KEEPER = ownModule('keeper', import.meta.url);

export interface ProcessSpec {
  /** Names the process in messages, and its log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A process that ends with its owner, also when the owner is killed. */
export interface KeptProcess {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, with how: a signal's name or its exit code. */
  readonly ended: Promise<string>;
  /** To the process and everything that it started. */
  signal(signal: NodeJS.Signals): void;
  /** The last lines of its log, for messages. */
  logTail(): string;
}

/** Processes under one folder, ended together. */
export interface Keeper {
  /** Data, settings and logs of the processes. */
  readonly dir: string;
  /** True when the folder outlives the processes. */
  readonly keepsDir: boolean;
  start(spec: ProcessSpec): Promise<KeptProcess>;
  /** A free port on 127.0.0.1 that no other keeper has. */
  takePort(): Promise<number>;
  /** Also removes this file or folder at the end, however the owner goes. */
  removeAtEnd(path: string): void;
  /** Kills what still runs and removes the folder, unless it was named. */
  close(): Promise<void>;
}

/**
 * Starts a keeper.
 *
 * @param options.dir the folder, made if missing and kept at the end; default: a temporary one, removed at the end
 */
export async function openKeeper(options: { readonly dir?: string | undefined } = {}): Promise<Keeper> {
  const dir = options.dir === undefined ? mkdtempSync(join(tmpdir(), 'onceflow-stack-')) : resolve(options.dir);
  const keepsDir = options.dir !== undefined;
  mkdirSync(dir, { recursive: true });
  const ports = await claimPorts();
  const keeper = fork(KEEPER, keepsDir ? [] : [dir], {
    cwd: dir,
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const keeperEnded = new Promise<void>((done) => keeper.once('exit', () => done()));

  const starting = new Map<string, PromiseWithResolvers<KeptProcess>>();
  const running = new Map<number, (how: string) => void>();

  keeper.on('message', (report: KeeperReport) => {
    if (report.report === 'started') {
      const { promise: ended, resolve: end } = Promise.withResolvers<string>();
      running.set(report.pid, end);
      starting.get(report.name)?.resolve(keptProcess(report.pid, logFileOf(report.name), ended));
    } else if (report.report === 'not-started') {
      starting
        .get(report.name)
        ?.reject(new Error(`${report.name} did not start (${report.reason}): is its program installed and on the PATH?`));
    } else {
      running.get(report.pid)?.(report.how);
      running.delete(report.pid);
    }
  });
  keeper.once('exit', () => {
    // Somebody killed the keeper itself: what it kept must not outlive it.
    for (const [pid, end] of running) {
      kill(-pid);
      end('SIGKILL');
    }
    running.clear();
    for (const each of starting.values()) each.reject(new Error("the stack's keeper ended"));
  });

  const ask = (request: KeeperRequest) => {
    if (keeper.connected) keeper.send(request);
  };
  const logFileOf = (name: string) => join(dir, `${name}.log`);

  function keptProcess(pid: number, logFile: string, ended: Promise<string>): KeptProcess {
    return {
      pid,
      logFile,
      ended,
      signal: (signal) => ask({ ask: 'signal', pid, signal }),
      logTail: () => tailOf(logFile),
    };
  }

  return {
    dir,
    keepsDir,
    async start(spec) {
      const pending = Promise.withResolvers<KeptProcess>();
      starting.set(spec.name, pending);
      ask({ ask: 'start', ...spec, log: logFileOf(spec.name) });
      return pending.promise.finally(() => starting.delete(spec.name));
    },
    removeAtEnd: (path) => ask({ ask: 'remove-at-end', path: resolve(path) }),
    takePort: () => ports.take(),
    async close() {
      if (keeper.connected) keeper.disconnect();
      await keeperEnded;
      ports.release();
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  } catch {
    return '(no log)';
  }
}
