/**
 * A small process between a stack's owner and the stack's processes. It has a session of its own, so that Ctrl-C in the
 * owner's terminal reaches only the owner, which then stops the stack in order. When the owner is gone, however it went,
 * the channel closes: the keeper kills what it started and removes what it was told to.
 *
 * `keeper.ts [folder to remove]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { KeeperReport, KeeperRequest } from './keeper-protocol.ts';

const [folderToRemove] = process.argv.slice(2);
const children = new Map<number, ChildProcess>();
const toRemove: string[] = folderToRemove === undefined ? [] : [folderToRemove];

process.on('message', (request: KeeperRequest) => {
  if (request.ask === 'start') start(request);
  else if (request.ask === 'remove-at-end') toRemove.push(request.path);
  else signalGroup(request.pid, request.signal);
});
process.on('disconnect', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);

function start({ name, command, args, env, log }: KeeperRequest & { ask: 'start' }): void {
  const output = openSync(log, 'a');
  // Its own process group: what it starts itself (the emulator's function processes) ends with it.
  const child = spawn(command, args, { env: env as NodeJS.ProcessEnv, stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  child.once('error', (error) => tell({ report: 'not-started', name, reason: error.message }));
  const { pid } = child;
  if (pid === undefined) return;
  children.set(pid, child);
  child.once('exit', (code, signal) => {
    children.delete(pid);
    tell({ report: 'ended', pid, how: signal ?? `exit code ${code}` });
  });
  tell({ report: 'started', name, pid });
}

/** Only to a child that has not been waited for: its process id cannot have become another's. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (!children.has(pid)) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function end(): Promise<void> {
  const gone = [...children.values()].map((child) => once(child, 'exit'));
  for (const pid of children.keys()) signalGroup(pid, 'SIGKILL');
  await Promise.all(gone);
  // What a child started may still be dying, and write.
  for (const path of toRemove) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  process.exit(0);
}

function tell(report: KeeperReport): void {
  // The owner may be going away right now: its channel's end, which follows, ends the children, so that a failure here must not end this process.
  if (process.connected) process.send?.(report, undefined, undefined, () => {});
}
