import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Append, History } from './history.ts';

const SOURCE = join(import.meta.dirname, 'porcupine');
const PROGRAM = join(import.meta.dirname, '../../.onceflow/porcupine/check');
const MICROSECONDS = 1_000;

/** Is there a Go, by which Porcupine comes and is built? It is no part of what this project needs. */
export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** Builds the checker with the module that Go's proxy serves, at the version and the sum that are written down. @throws Error: what Go says */
export function buildPorcupine(): void {
  const { status, stderr, error } = spawnSync('go', ['build', '-o', PROGRAM, '.'], { cwd: SOURCE, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go build in ${SOURCE}: ${error?.message ?? stderr}`);
}

/** What Porcupine says of a history. Undefined: it can be explained. */
export async function porcupineOn({ appends }: Pick<History, 'appends'>): Promise<string | undefined> {
  const child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.stdin.end(
    appends
      .flatMap(operationsOf)
      .map((operation) => `${JSON.stringify(operation)}\n`)
      .join(''),
  );
  const [said, [code]] = await Promise.all([text(child.stdout), exited]);
  if (code !== 0 && code !== 1) throw new Error(`the checker ended with ${code}`);
  return code === 0 ? undefined : said.trim();
}

/** What is shown twice was done twice, and what is not shown has no answer that is right. */
function operationsOf({ key, element, calledMs, seen }: Append): object[] {
  const call = Math.floor(calledMs * MICROSECONDS);
  if (seen.length === 0) return [{ key, element, call }];
  return seen.map(({ list, atMs }) => ({ key, element, call, list: list.join(' '), return: Math.ceil(atMs * MICROSECONDS) }));
}
