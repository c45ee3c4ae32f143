import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Stack } from './stack/stack.ts';

const LOOK_EVERY_MS = 500;
const HOME = fileURLToPath(new URL('../.onceflow/', import.meta.url));

/** A stack that runs in this checkout, for commands in other terminals. */
export interface Running {
  /** Of its owner. */
  readonly pid: number;
  readonly brokers: string;
}

/** Where what runs is written down: a file for each owner, so that two do not end each other's. `home`: .onceflow of a checkout. */
const places = (home: string) => ({ folder: join(home, 'running'), link: join(home, 'running.env') });

/**
 * Writes down that a stack runs, until it ends. What `npx onceflow` needs to find its job becomes a file that a shell reads,
 * `.onceflow/running/<process>.env`; `.onceflow/running.env` leads to the newest of them.
 *
 * @returns takes it back, and lets `running.env` lead to one that still runs
 */
export function rememberRunning(
  stack: Pick<Stack, 'kafka' | 'removeAtEnd'>,
  env: Readonly<Record<string, string | undefined>>,
  { home = HOME, pid = process.pid } = {},
): () => void {
  const { folder } = places(home);
  mkdirSync(folder, { recursive: true });
  const [file, envFile] = [join(folder, `${pid}.json`), join(folder, `${pid}.env`)];
  // Another that was killed takes its file along, and what led to it leads nowhere.
  const lookAfter = setInterval(() => leadsNowhere(home) && leadToNewest(home), LOOK_EVERY_MS).unref();
  const forget = () => {
    clearInterval(lookAfter);
    for (const each of [file, envFile]) rmSync(each, { force: true });
    leadToNewest(home);
  };
  // However this process goes: the stack's keeper outlives it.
  for (const each of [file, envFile]) stack.removeAtEnd(each);
  process.once('exit', forget);
  writeFileSync(file, JSON.stringify({ pid, brokers: stack.kafka.bootstrap } satisfies Running));
  writeFileSync(envFile, shellText(pid, env));
  leadToNewest(home);
  return forget;
}

/** The stacks that run in this checkout, the newest first. */
export function readRunning(home = HOME): Running[] {
  const { folder } = places(home);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const found = files.flatMap((name) => {
    const file = join(folder, name);
    const startedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    return startedMs === undefined ? [] : [{ running: JSON.parse(readFileSync(file, 'utf8')) as Running, startedMs }];
  });
  return found
    .filter(({ running }) => isAlive(running.pid))
    .sort((one, other) => other.startedMs - one.startedMs)
    .map(({ running }) => running);
}

function leadsNowhere(home: string): boolean {
  return !existsSync(places(home).link);
}

function leadToNewest(home: string): void {
  const { folder, link } = places(home);
  const [newest] = readRunning(home).filter(({ pid }) => existsSync(join(folder, `${pid}.env`)));
  rmSync(link, { force: true });
  if (newest !== undefined) symlinkSync(join('running', `${newest.pid}.env`), link);
}

/** A killed owner of a stack that it did not start leaves the file behind: so the file itself looks whether its owner lives. */
function shellText(pid: number, env: Readonly<Record<string, string | undefined>>): string {
  const dead = `onceflow: process ${pid}, which ran this stack, has ended: start another, then read .onceflow/running.env again`;
  const lines = Object.entries(env).map(([name, value = '']) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  return [`kill -0 ${pid} 2>/dev/null || echo '${dead}' >&2`, ...lines, ''].join('\n');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
