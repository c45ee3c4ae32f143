import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { makeJobFolder } from '../../../local/functions/job-folder.ts';

const RUN_JOB = fileURLToPath(new URL('../../../local/functions/run-job.ts', import.meta.url));
let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'oj-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

const folders = () => readdirSync(temporary).filter((name) => name.startsWith('onceflow-job-'));

it('a job whose owner is killed leaves no folder behind: the last of its functions removes it', { timeout: 60_000 }, async () => {
  const env = {
    ONCEFLOW_JOB: './jobs/word-count.ts',
    ONCEFLOW_BROKERS: '127.0.0.1:1',
    ONCEFLOW_BLOBS: `file://${temporary}/blobs`,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'k',
    AWS_SECRET_ACCESS_KEY: 's',
  };
  const source = `import { runJob } from ${JSON.stringify(RUN_JOB)}; await runJob({ env: ${JSON.stringify(env)} });`;
  writeFileSync(join(temporary, 'owner.mjs'), source);
  const owner = spawn(process.execPath, [join(temporary, 'owner.mjs')], { stdio: 'ignore' });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const sockets = () => folders().flatMap((name) => readdirSync(join(temporary, name)));
  await expect.poll(() => sockets().length, { timeout: 120_000 }).toBe(4);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await expect.poll(folders, { timeout: 60_000 }).toEqual([]);
});

it('folders of jobs whose processes were all killed go when the next job starts; those of living ones stay', async () => {
  const living = await makeJobFolder();
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(join(living.path, 'owner.sock'), longAgo, longAgo);
  for (const name of ['dead', 'being-made', 'of-somebody-else']) mkdirSync(join(temporary, `onceflow-job-${name}`));
  // A socket that nobody listens on any more is as good as a file.
  for (const name of ['dead', 'being-made']) writeFileSync(join(temporary, `onceflow-job-${name}`, 'owner.sock'), '');
  utimesSync(join(temporary, 'onceflow-job-dead', 'owner.sock'), longAgo, longAgo);

  const next = await makeJobFolder();
  expect(folders().sort()).toEqual(
    [living.path, next.path]
      .map((path) => path.slice(temporary.length + 1))
      .concat('onceflow-job-being-made', 'onceflow-job-of-somebody-else')
      .sort(),
  );
  for (const folder of [living, next]) folder.remove();
  expect(folders().sort()).toEqual(['onceflow-job-being-made', 'onceflow-job-of-somebody-else']);
});

it('one that cannot be looked into, as that of another user of the machine, is left alone', async () => {
  // A link that leads to itself is closed to everybody, root too.
  symlinkSync('onceflow-job-closed', join(temporary, 'onceflow-job-closed'));
  const folder = await makeJobFolder();
  folder.remove();
  expect(folders()).toEqual(['onceflow-job-closed']);
});
