import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { COMPILE_CACHE } from '../../../local/functions/processes.ts';

// A process for each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Those of package.json that bootstrap.mjs runs, and the engine's own. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(scripts).flatMap(([name, line]) => {
      const script = / -- (?<script>\S+\.ts(?: \w+)?)$/.exec(line)?.groups?.['script'];
      return script === undefined ? [] : [[`npm run ${name}`, script.split(' ')]];
    }),
  ),
  onceflow: ['cli/onceflow.mjs'],
};
/** They hand their arguments on to a test runner, or take none. */
const NOT_OURS = ['npm run test', 'npm run prepack', 'npm run newcomer', 'npm run docs:config', 'npm run docs:cli', 'npm run docs:api'];
const names = Object.keys(COMMANDS).filter((name) => !NOT_OURS.includes(name));

async function run(name: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const others = Object.entries(process.env).filter(([variable]) => !/^(ONCEFLOW|AWS)_/.test(variable));
  const child = spawn(process.execPath, [...(COMMANDS[name] ?? []), ...args], {
    cwd: ROOT,
    env: { ...Object.fromEntries(others), NODE_COMPILE_CACHE: COMPILE_CACHE, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk) => (said[stream] += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

/** One line, no stack, and the exit code of a wrong setting; nothing was started. */
function expectRefusal({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>, message: RegExp): void {
  expect({ code, stdout, lines: stderr.trimEnd().split('\n') }).toEqual({ code: 2, stdout: '', lines: [expect.stringMatching(message)] });
}

it('every command of package.json is among those that are tried', () => {
  expect(names).toEqual([
    'npm run simulate',
    'npm run month',
    'npm run histories',
    'npm run simulate:mutants',
    'npm run mutate',
    'npm run chaos',
    'npm run session',
    'npm run chain',
    'npm run model',
    'npm run bench',
    'npm run bench:sinks',
    'npm run bench:state',
    'npm run nexmark',
    'npm run conformance:flink',
    'npm run conformance:joins',
    'npm run docs:speed',
    'npm run example',
    'npm run demo',
    'npm run cost',
    'npm run cost:idle',
    'npm run deploy:local',
    'npm run local',
    'npm run stack',
    'npm run console:produce',
    'npm run console:consume',
    'npm run console:transactions',
    'npm run docs:console',
    'npm run docs:site',
    'npm run docs:serve',
    'onceflow',
  ]);
});

describe('a command', () => {
  it.each(names)('%s --help shows how it is called', async (name) => {
    expect(await run(name, ['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining(name.split(':')[0] ?? ''), stderr: '' });
  });

  it.each(names.filter((name) => !name.includes('console')))(
    '%s refuses what it does not know with one line and exit code 2',
    async (name) => {
      expectRefusal(
        await run(name, ['--no-such-option']),
        new RegExp(`^${name}: Unknown option '--no-such-option' \\(".* --help" shows how`),
      );
    },
  );

  it.each(['npm run local', 'npm run demo', 'npm run stack', 'npm run bench', 'npm run chaos', 'npm run simulate'])(
    '%s refuses a misspelt ONCEFLOW_… variable with one line and exit code 2',
    async (name) => {
      expectRefusal(
        await run(name, [], { ONCEFLOW_PARALELISM: '2' }),
        new RegExp(`^${name}: wrong configuration: ONCEFLOW_PARALELISM is "2": .*the nearest is ONCEFLOW_PARALLELISM`),
      );
    },
  );
});

describe('a wrong setting ends a command before anything is started, with one line and exit code 2', () => {
  it.each<[string, Record<string, string>, readonly string[], RegExp]>([
    [
      'npm run local',
      { ONCEFLOW_JOB: 'jobs/word-count.ts' },
      [],
      /ONCEFLOW_JOB is "jobs\/word-count\.ts": .*; write \.\/jobs\/word-count\.ts/,
    ],
    ['npm run local', { ONCEFLOW_JOB: './lib/api/index.ts' }, [], /the module has no default export made by defineJob/],
    [
      'npm run local',
      { ONCEFLOW_STAGE_PARALLELISM: 'count=2' },
      [],
      /of stages that job word-count has: read-lines, count-words, write-counts/,
    ],
    ['npm run local', { ONCEFLOW_TOPICS: 'lines=x' }, [], /job word-count has no source or sink lines; it has read-lines, write-counts/],
    [
      'npm run local',
      { ONCEFLOW_EPOCH_TIMEOUT_MS: '600000' },
      [],
      /ONCEFLOW_TRANSACTION_TIMEOUT_MS is "600000": .*raise ONCEFLOW_TRANSACTION_TIMEOUT_MS above 750000/,
    ],
    [
      'npm run local',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL', ONCEFLOW_KAFKA_CA_FILE: 'no-such.pem' },
      [],
      /ONCEFLOW_KAFKA_CA_FILE is "no-such\.pem"/,
    ],
    ['npm run local', { ONCEFLOW_STACK: 'docker' }, [], /ONCEFLOW_STACK is "docker": it must be one of embedded, external/],
    [
      'npm run local',
      { ONCEFLOW_STACK: 'external', ONCEFLOW_BROKERS: '127.0.0.1:1' },
      [],
      /ONCEFLOW_BROKERS is "127\.0\.0\.1:1": it must be where Kafka answers/,
    ],
    [
      'npm run local',
      { AWS_ENDPOINT_URL: 'localhost:4566' },
      [],
      /AWS_ENDPOINT_URL is "localhost:4566": it must be the address of a server/,
    ],
    ['npm run local', {}, ['--dir', '/proc/onceflow'], /--dir is "\/proc\/onceflow": it must be a folder that can be written to/],
    ['npm run local', {}, ['lines'], /Unexpected argument 'lines'/],
    ['npm run demo', {}, ['--seconds', 'ten'], /--seconds is "ten": it must be a number above 0/],
    ['npm run demo', {}, ['no-such-text.txt'], /a text cannot be read: ENOENT/],
    ['npm run demo', {}, ['--timeline', '/no-such-folder/run.svg'], /--timeline is "\/no-such-folder\/run\.svg"/],
    ['npm run deploy:local', { ONCEFLOW_JOB: './jobs/no-such.ts' }, [], /ONCEFLOW_JOB is "\.\/jobs\/no-such\.ts": .*there is no file/],
    ['npm run deploy:local', { ONCEFLOW_TABLE: 'mine' }, [], /ONCEFLOW_TABLE is "mine": it must be left to the deployment/],
    ['npm run stack', {}, ['--dir', '/etc/hosts'], /--dir is "\/etc\/hosts"/],
    ['npm run simulate', {}, ['--seed', 'x'], /--seed is "x": it must be a whole number/],
    ['npm run simulate', {}, ['--seeds', '-1'], /argument is ambiguous/],
    ['npm run chaos', {}, ['--faults', 'many'], /--faults is "many": it must be a whole number/],
    ['npm run bench', {}, ['drian'], /a mode is "drian": it must be one of drain/],
    ['npm run bench', {}, ['--from', 'no-such.jsonl'], /--from is "no-such\.jsonl": there is no such file/],
    ['onceflow', { AWS_REGION: 'us east 1' }, ['status', '--job', 'j'], /AWS_REGION is "us east 1": it must be a region/],
    ['onceflow', {}, ['status', '--job', 'a b'], /--job is "a b": it must be a name/],
  ])('%s with %j %j', async (name, settings, args, message) => {
    expectRefusal(await run(name, args, settings), message);
  });
});
