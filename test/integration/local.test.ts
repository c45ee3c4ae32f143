import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { onceflow } from '../support/onceflow.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { uniqueName } from '../support/topics.ts';
import { waitFor } from '../support/wait-for.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Command {
  readonly child: ChildProcess;
  /** What it has said so far, on both streams. */
  said(): string;
  readonly ended: Promise<number | null>;
}

/** Runs a script of this checkout; it ends with the test. */
function run(script: readonly string[], env: Readonly<Record<string, string>>, input?: string): Command {
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', ...script], { cwd: ROOT, env, stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  child.stdin.end(input);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: () => said, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** A job of its own on the tests' stack. */
function newEnvironment(more: Readonly<Record<string, string>>): Record<string, string> & { readonly ONCEFLOW_JOB_NAME: string } {
  const [name, folder] = [uniqueName('local'), mkdtempSync(join(tmpdir(), 'onceflow-local-'))];
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const known = Object.entries(process.env).filter(([variable, value]) => value !== undefined && !variable.startsWith('ONCEFLOW_'));
  return {
    ...(Object.fromEntries(known) as Record<string, string>),
    ONCEFLOW_STACK: 'external',
    ONCEFLOW_BROKERS: process.env['ONCEFLOW_BROKERS'] ?? '',
    ONCEFLOW_JOB_NAME: name,
    ONCEFLOW_TABLE: name,
    ONCEFLOW_BLOBS: `file://${folder}/blobs`,
    ONCEFLOW_TOPICS: `read-lines=${name}-in,write-counts=${name}-out`,
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '60',
    MENDED_FILE: join(folder, 'mended'),
    ...more,
  };
}

const runningFile = ({ child }: Command) => join(ROOT, '.onceflow/running', `${child.pid}.env`);

test('a local job that fails leaves everything up, so that status and resume can be tried, and goes on when it is resumed', {
  timeout: 180_000,
}, async () => {
  const env = newEnvironment({
    ONCEFLOW_JOB: './test/support/mendable-job.ts',
    ONCEFLOW_POISON_ATTEMPTS: '1',
    ONCEFLOW_RESTART_BACKOFF_MS: '10',
  });
  const name = env.ONCEFLOW_JOB_NAME;
  const local = run(['local/local.ts'], env);
  await waitFor('the job', () => local.said().includes('recovered epoch'));
  expect(existsSync(runningFile(local))).toBe(true);

  // By the console, to a topic that is named.
  const lines = run(['local/console.ts', 'produce', '--topic', `${name}-in`], env, 'good bad good\n');
  expect({ code: await lines.ended, said: lines.said() }).toMatchObject({
    code: 0,
    said: expect.stringContaining(`Type lines for topic ${name}-in`),
  });
  await waitFor('the failure', () => local.said().includes('Kafka and AWS stay up'));
  expect(local.said()).toMatch(/failed: .*the word bad is refused/);
  expect(await onceflow(env, 'status')).toMatchObject({ code: 4, stdout: expect.stringContaining('the word bad is refused') });

  writeFileSync(env['MENDED_FILE'] ?? '', '');
  expect(await onceflow(env, 'resume')).toMatchObject({ code: 0 });
  const reader = new TopicReader(`${name}-out`, 'committed');
  await reader.readUntil(({ records }) => records.length >= 3);
  expect(reader.values.sort()).toEqual(['bad:::1', 'good:::1', 'good:::2']);
  expect((await onceflow(env, 'status')).code).toBe(0);

  // Stopped by somebody else, it waits too.
  expect((await onceflow(env, 'stop')).code).toBe(0);
  await waitFor('its rest', () => local.said().split('Kafka and AWS stay up').length === 3);
  local.child.kill('SIGINT');
  expect(await local.ended).toBe(0);
  expect(existsSync(runningFile(local))).toBe(false);
});

test.each<[Record<string, string>, RegExp]>([
  [{ ONCEFLOW_STARTING_OFFSETS: 'group' }, /ONCEFLOW_STARTING_OFFSETS/],
  [{ ONCEFLOW_TRANSACTION_TIMEOUT_MS: '1000000' }, /transaction\.max\.timeout\.ms/],
])(
  'a local job that cannot start (%j) says why in one line with exit code 2, and leaves no running.env',
  { timeout: 240_000 },
  async (setting, why) => {
    const env = newEnvironment({ ONCEFLOW_JOB: './jobs/word-count.ts', ...setting });
    const local = run(['local/local.ts'], env);
    expect(await local.ended).toBe(2);
    const said = local
      .said()
      .split('\n')
      .filter((line) => line.startsWith('npm run local: '));
    expect(said).toEqual([expect.stringMatching(why)]);
    expect(local.said()).not.toMatch(/\n +at /);
    expect(existsSync(runningFile(local))).toBe(false);
  },
);
