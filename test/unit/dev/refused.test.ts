import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { projectFolder, saveJob, startDev } from '../../support/dev-process.ts';

// Each starts the command.
vi.setConfig({ testTimeout: 60_000 });

/** Ends with exit code 2, one message, and nothing on standard output; the message. */
async function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}, folder = withJob()): Promise<string> {
  const dev = startDev(folder, args, env);
  expect({ code: await dev.ended, shown: dev.shown(), said: dev.said() }).toEqual({
    code: 2,
    shown: [],
    said: expect.stringMatching(/^onceflow: [\s\S]*\n$/),
  });
  expect(dev.said().match(/^onceflow: /gm)).toHaveLength(1);
  return dev.said();
}

function withJob(): string {
  const folder = projectFolder();
  saveJob(folder, { name: 'words', between: ': ' });
  return folder;
}

it.each([
  ['none is there', [], 'onceflow: which job? Name its module: onceflow dev ./path/to/job.ts (there is no ./src/job.ts here)'],
  ['its file is not there', ['src/clicks.ts'], 'there is no'],
])('a job is refused because %s', async (_why, args, message) => {
  expect(await refusal(args, {}, projectFolder())).toContain(message);
});

it.each([
  ['throws', "throw new RangeError('no clicks');", 'onceflow: ONCEFLOW_JOB=./job.ts: the module cannot be loaded: no clicks (job.ts:1)'],
  ['exports nothing', 'export {};', 'onceflow: ONCEFLOW_JOB=./job.ts: the module has no default export made by defineJob'],
])('a module that %s is refused', async (_what, text, message) => {
  const folder = projectFolder();
  writeFileSync(join(folder, 'job.ts'), text);
  expect(await refusal(['job.ts'], {}, folder)).toContain(message);
});

it.each([
  [['--port', '0'], '--port is "0": it must be a port, from 1 to 65535'],
  [['--partitions', 'many'], '--partitions is "many": it must be a whole number from 1 to 999999'],
  [['--input', 'clicks'], '--input is "clicks": it must be a source of the job, by uid or topic: read (topic words-in)'],
  [['--speed', '9'], "Unknown option '--speed'"],
  [['--dir', ''], '--dir is empty: name a folder'],
])('%s is refused', async (args, message) => {
  expect(await refusal(['job.ts', ...args])).toContain(message);
});

it('a variable that nobody knows, and a port where there is no broker to start, are refused', async () => {
  expect(await refusal(['job.ts'], { ONCEFLOW_BROKER: 'here:9092' })).toContain('the nearest is ONCEFLOW_BROKERS');
  expect(await refusal(['job.ts', '--port', '9092'], { ONCEFLOW_BROKERS: 'here:9092' })).toContain('leave one of the two out');
});

it('brokers that are not there are named', async () => {
  const said = await refusal(['job.ts'], { ONCEFLOW_BROKERS: '127.0.0.1:9' });
  expect(said).toMatch(/no answer from the brokers 127\.0\.0\.1:9 .*ECONNREFUSED/);
});

it('a port that is in use is named', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect(await refusal(['job.ts', '--port', `${port}`])).toContain(
    `port ${port} is in use: end what listens there, name another with --port`,
  );
});

it('a machine without Java is told what to install, and that brokers that run will do', async () => {
  const folder = withJob();
  mkdirSync(join(folder, 'nothing'));
  const said = await refusal(['job.ts'], { PATH: join(folder, 'nothing'), JAVA_HOME: '' }, folder);
  expect(said).toMatch(/^onceflow: the embedded Kafka needs Java: this machine lacks Java 17 or newer/);
  expect(said).toContain('or name brokers that run, in ONCEFLOW_BROKERS');
});

it('a folder that another one works in is named, with its process', async () => {
  const folder = withJob();
  const { claimFolder } = await import('../../../dev/claim-folder.ts');
  const claim = claimFolder(join(folder, 'kept/embedded'), false);
  onTestFinished(() => claim.release());
  expect(await refusal(['job.ts', '--dir', 'kept'], {}, folder)).toContain(`another "onceflow dev" (process ${process.pid}) works in`);
});
