import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { commandOf, usageOf } from './processes.ts';

/** Process ids of a session, with what each is: `operator-count-words-0`, `coordinator`, `peer`. */
export function functionsOf(session: number): ReadonlyMap<number, string> {
  return new Map(usageOf(session).pids.map((pid) => [pid, nameOf(commandOf(pid))]));
}

function nameOf(command: readonly string[]): string {
  const socket = command.find((arg) => arg.endsWith('.sock'));
  if (socket !== undefined) return basename(socket, '.sock');
  return basename(command.find((arg) => arg.endsWith('.ts')) ?? command[0] ?? 'unknown', '.ts');
}

/** Node names a profile by time and process id; here each gets the name of its run and function. */
export function nameProfiles(folder: string, run: string, functions: ReadonlyMap<number, string>): string[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder).flatMap((file) => {
    const pid = Number(/^CPU\.\d+\.\d+\.(\d+)\./.exec(file)?.[1]);
    const name = functions.get(pid);
    if (name === undefined) return [];
    const to = join(folder, `${run}-${name}.cpuprofile`);
    renameSync(join(folder, file), to);
    return [to];
  });
}
