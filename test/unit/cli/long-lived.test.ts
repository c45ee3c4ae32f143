import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { onceflow } from '../../support/onceflow.ts';

const folder = mkdtempSync(join(tmpdir(), 'onceflow-long-lived-'));
afterAll(() => rmSync(folder, { recursive: true }));

const env = {
  PATH: process.env['PATH'] ?? '',
  ONCEFLOW_JOB: './jobs/word-count.ts',
  ONCEFLOW_BUILD_ID: 'one',
  ONCEFLOW_BROKERS: '127.0.0.1:9',
  ONCEFLOW_TABLE: `file://${folder}/epochs.sqlite`,
  ONCEFLOW_BLOBS: `file://${folder}/blobs`,
};

/** What a person is told, and nothing besides. */
async function refused(more: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await onceflow({ ...env, ...more }, ...args);
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }, stderr).toEqual({ code: 2, stdout: '', lines: 1 });
  return stderr;
}

describe('onceflow worker ends with one message', () => {
  it('when other machines may ask, and there is no token', async () => {
    expect(await refused({}, 'worker', '--host', '0.0.0.0')).toMatch(
      /^onceflow: wrong configuration: ONCEFLOW_WORKER_TOKEN_FILE is not set: it must be a file with a token, because --host 0\.0\.0\.0 lets other machines ask: .*; set it, or listen on 127\.0\.0\.1$/m,
    );
  });

  it('when the file of the token has none', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'short\n');
    expect(await refused({ ONCEFLOW_WORKER_TOKEN_FILE: file }, 'worker', '--host', '0.0.0.0')).toContain('each of 16 to 512 letters');
  });

  it('when somebody else listens at its port', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    expect(await refused({}, 'worker', '--port', `${port}`, '--processes', '1')).toMatch(
      new RegExp(`^onceflow: it cannot listen at --host 127.0.0.1 --port ${port}: .*EADDRINUSE`),
    );
  });
});

describe('onceflow run ends with one message', () => {
  it('when token and records would be in plain text on the network', async () => {
    const file = join(folder, 'right-token');
    writeFileSync(file, 'a-token-that-is-long-enough\n');
    expect(await refused({ ONCEFLOW_WORKERS: 'http://10.0.0.7:8080', ONCEFLOW_WORKER_TOKEN_FILE: file }, 'run')).toContain(
      'ONCEFLOW_WORKERS is "http://10.0.0.7:8080": it must be https for a worker on another machine',
    );
  });

  it('when there is no job', async () => {
    expect(await refused({ ONCEFLOW_JOB: './nowhere.ts' }, 'run')).toContain('ONCEFLOW_JOB');
  });
});
