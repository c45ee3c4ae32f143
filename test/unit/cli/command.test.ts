import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../../cli/main.ts';
import { tableOf } from '../../../cli/text.ts';
import { duration } from '../../../lib/inspect/duration.ts';

const COMMAND = fileURLToPath(new URL('../../../cli/onceflow.mjs', import.meta.url));
const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
/**
 * Makes a process take itself for an older Node, which has fewer exports in node:module; the one that it hands over to is not
 * told.
 */
const OLDER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'node:module' ? { url: 'data:text/javascript,export const createRequire = 0; export default {};', shortCircuit: true } : next(specifier, context),
  });
`)}`;

type Run = { code: unknown; stdout: string; stderr: string };

function run(...args: string[]): Promise<Run> {
  return runWith({}, ...args);
}

function runWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 25_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

async function runHere(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const code = await main(args, env, { log: (line) => stdout.push(line), error: (line) => stderr.push(line) });
  return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
}

describe('onceflow', () => {
  // Two processes, one after the other, on a machine that may be busy.
  it('hands over from an older Node to the one of its checkout, exit code included', { timeout: 30_000 }, async () => {
    expect(await run('--import', OLDER, COMMAND, 'status')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^onceflow: which job\? Give --job NAME/),
    });
  });

  // Whatever its module does while it is loaded.
  it('answers in JSON and ends, also when the job prints and leaves something open', { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-cli-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(
      join(folder, 'job.mts'),
      `import { defineJob, kafkaSource, utf8 } from '${API}';
      console.log('loading');
      setInterval(() => console.log('tick'), 10);
      export default defineJob('chatty', (job) => void job.source('read', kafkaSource({ topic: 'a', value: utf8 })));`,
    );
    // A table in which there is nothing.
    const table = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(table, 'listening');
    onTestFinished(() => void table.close());
    const env = {
      ONCEFLOW_JOB: join(folder, 'job.mts'),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(table.address() as AddressInfo).port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
    };
    const { code, stdout, stderr } = await runWith(env, COMMAND, 'status', '--json');
    expect(JSON.parse(stdout)).toEqual({ job: 'chatty', standing: 'none' });
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(/^loading\n/) });
  });

  it('refuses a job that cannot be loaded with one line', async () => {
    expect(await runHere(['status'], { ONCEFLOW_JOB: 'jobs/word-count.ts' })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^onceflow: wrong configuration: ONCEFLOW_JOB is "jobs\/word-count\.ts": .*write \.\/jobs\/word-count\.ts[^\n]*$/,
      ),
    });
  });

  it('shows its commands and exit codes when asked, and without a command as an error', async () => {
    const help = await runHere(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^usage: onceflow <command>[\s\S]* 3 no such job /) });
    expect(await runHere([])).toEqual({ ...help, code: 2 });
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(await runHere(['--version'])).toEqual({ code: 0, stdout: version, stderr: '' });
    expect(JSON.parse((await runHere(['status', '--version', '--json'])).stdout)).toEqual({ version });
  });

  it('shows the options and examples of one command when asked for its help', async () => {
    expect(await runHere(['epochs', '--help'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^usage: onceflow epochs \[--limit N\]\n[\s\S]*\n {2}--limit N +show at most so many \(default 20\)\n/),
    });
  });

  it.each([
    [['stat'], 'there is no command stat; the nearest is start; commands are init, '],
    [['constructor'], 'there is no command constructor'],
    [['status', 'stop'], 'unexpected stop: one command at a time'],
    [['init', 'one', 'two'], 'unexpected two: onceflow init FOLDER'],
    [['init', 'one', '--job', 'j'], 'init takes no --job'],
    [['status', '--timeout', '5'], 'status takes no --timeout'],
    [['stop', '--timout', '5'], "Unknown option '--timout'; the nearest is --timeout"],
    [['epochs', '--limit', '0', '--job', 'j'], '--limit is "0": it must be a whole number from 1'],
    [['cancel', '--retention', 'keep', '--job', 'j'], '--retention is "keep": it must be retain or delete'],
  ])('refuses %j: %s', async (args, message) => {
    expect(await runHere(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it.each([
    ['no region', { AWS_REGION: '' }, /Region not accepted: .*; set AWS_REGION/],
    ['no credentials', { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: '' }, /correct the credentials/],
    ['credentials that AWS refuses', { AWS_REGION: 'eu-west-1' }, /UnrecognizedClientException: .*; correct the credentials/],
  ])('takes %s for a wrong setting: one line, exit code 2', { timeout: 30_000 }, async (_what, change, message) => {
    const refusing = createServer((_request, response) =>
      response
        .writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
        .end('{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token is invalid."}'),
    ).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    onTestFinished(() => void refusing.close());
    const env = {
      HOME: '/nowhere',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
      ...change,
    };
    const { code, stdout, stderr } = await runWith(env, COMMAND, 'status', '--job', 'j');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('names every wrong parameter', async () => {
    const refused = await runHere(['status', '--job', 'j'], { ONCEFLOW_TABEL: 'jobs', ONCEFLOW_BROKERS: 'localhost' });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/2 values are wrong[\s\S]*ONCEFLOW_TABEL[\s\S]*ONCEFLOW_BROKERS/),
    });
  });
});

describe('texts', () => {
  it.each([
    [-5, '0 ms'],
    [999, '999 ms'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
  ])('%i ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('a table is as wide as its widest cells, without spaces at the ends of lines', () => {
    expect(
      tableOf(
        [{ title: 'a' }, { title: 'long', align: 'right' }, { title: '' }],
        [
          ['wide', '1', ''],
          ['x', '12345', 'z'],
        ],
      ),
    ).toBe('a      long\nwide      1\nx     12345  z');
  });
});
