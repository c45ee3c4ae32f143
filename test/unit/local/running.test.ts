import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRunning, rememberRunning } from '../../../local/running.ts';

let home: string;
/** Processes that own stacks. */
let owners: ChildProcess[];
const forgets: (() => void)[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'onceflow-running-'));
  owners = [0, 1].map(() => spawn('sleep', ['60'], { stdio: 'ignore' }));
});
afterEach(() => {
  for (const forget of forgets.splice(0)) forget();
  for (const owner of owners) owner.kill('SIGKILL');
  rmSync(home, { recursive: true });
});

const pidOf = (index: number) => owners[index]?.pid ?? 0;

/** The `index`-th owner writes down its stack. `toRemove`: what its keeper would remove if it were killed. */
function remember(index: number, toRemove: string[] = []): () => void {
  const stack = { kafka: { bootstrap: `127.0.0.1:${9000 + index}` }, removeAtEnd: (path: string) => void toRemove.push(path) };
  const env = { ONCEFLOW_BROKERS: stack.kafka.bootstrap, ONCEFLOW_TOPICS: "it's" };
  const forget = rememberRunning(stack, env, { home, pid: pidOf(index) });
  forgets.push(forget);
  // As if they had started a while apart.
  utimesSync(join(home, 'running', `${pidOf(index)}.json`), index + 1, index + 1);
  return forget;
}

/** What a shell gets that reads running.env. */
function sourced(): { said: string; brokers: string } {
  const text = execFileSync('sh', ['-c', `. ${join(home, 'running.env')} 2>&1; echo "|$ONCEFLOW_BROKERS|$ONCEFLOW_TOPICS"`], {
    encoding: 'utf8',
  });
  const [said = '', brokers = '', topics] = text.trimEnd().split('|');
  expect(topics).toBe("it's");
  return { said, brokers };
}

it('what runs is found by the consoles, and by a shell that reads running.env', () => {
  remember(0);
  expect(readRunning(home)).toEqual([{ pid: pidOf(0), brokers: '127.0.0.1:9000' }]);
  expect(sourced()).toEqual({ said: '', brokers: '127.0.0.1:9000' });
});

it('of two stacks in one clone neither ends what leads to the other', () => {
  const forgetFirst = remember(0);
  const forgetSecond = remember(1);
  expect(readRunning(home).map(({ pid }) => pid)).toEqual([pidOf(1), pidOf(0)]);
  forgetSecond();
  expect(sourced().brokers).toBe('127.0.0.1:9000');
  forgetFirst();
  expect(existsSync(join(home, 'running.env'))).toBe(false);
  expect(readdirSync(join(home, 'running'))).toEqual([]);
});

it('what was killed is not found: its keeper removes its files, and running.env leads to one that lives', async () => {
  remember(0);
  const ofTheSecond: string[] = [];
  remember(1, ofTheSecond);
  expect(ofTheSecond).toEqual([`${pidOf(1)}.json`, `${pidOf(1)}.env`].map((name) => join(home, 'running', name)));
  owners[1]?.kill('SIGKILL');
  await once(owners[1] as ChildProcess, 'exit');
  for (const path of ofTheSecond) rmSync(path);
  expect(readRunning(home).map(({ pid }) => pid)).toEqual([pidOf(0)]);
  await expect.poll(() => existsSync(join(home, 'running.env')), { timeout: 5_000 }).toBe(true);
  expect(sourced().brokers).toBe('127.0.0.1:9000');
});

it('a file that a killed owner left says so to the shell that reads it', async () => {
  remember(0);
  owners[0]?.kill('SIGKILL');
  await once(owners[0] as ChildProcess, 'exit');
  expect(readRunning(home)).toEqual([]);
  expect(sourced().said).toMatch(new RegExp(`^onceflow: process ${pidOf(0)}, which ran this stack, has ended`));
});
