import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundledChild } from '../../../local/functions/bundle.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function filesOf(child: string): string {
  const folder = dirname(child);
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

describe('the bundle of function processes', () => {
  it('is the same as long as no source changes, and has the clients in it', async () => {
    const child = await bundledChild({});
    expect(await bundledChild({ NODE_OPTIONS: '--disable-warning=ImportantWarning' })).toBe(child);
    expect(filesOf(child)).not.toMatch(/from "(kafkajs|@aws-sdk)\//);
  });

  it('leaves the clients where a module finds them that is loaded into the function before', async () => {
    const child = await bundledChild({ NODE_OPTIONS: '--no-warnings --import=./fault.ts' });
    expect(child).not.toBe(await bundledChild({}));
    expect(filesOf(child)).toMatch(/from "kafkajs\//);
    expect(filesOf(child)).toMatch(/from "@aws-sdk\/client-dynamodb"/);
  });

  it('gives a job the API of the engine that runs it, and not one of its own beside it', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-bundle-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const stackFile = join(folder, 'stack.txt');
    const job = `
      import { writeFileSync } from 'node:fs';
      import { defineJob } from '${ROOT}lib/api/index.ts';
      try { defineJob('', () => {}); } catch (error) { writeFileSync('${stackFile}', error.stack); }
    `;
    writeFileSync(join(folder, 'job.ts'), job);
    const child = await bundledChild({});
    const env = { ONCEFLOW_JOB: join(folder, 'job.ts'), ONCEFLOW_BROKERS: '127.0.0.1:1', ONCEFLOW_BLOBS: `file://${folder}/blobs` };
    const stdio: StdioOptions = ['ignore', 'ignore', 'ignore', 'ipc'];
    const source = spawn(process.execPath, [child, 'source', join(folder, 'source.sock')], { env, stdio });
    const ended = once(source, 'exit');
    await expect.poll(() => existsSync(stackFile) && readFileSync(stackFile, 'utf8'), { timeout: 30_000 }).toContain('job.ts');
    source.disconnect();
    await ended;
    const stack = readFileSync(stackFile, 'utf8');
    expect(stack).toContain(realpathSync(dirname(child)));
    expect(stack).not.toContain(`${ROOT}lib/`);
  });
});
