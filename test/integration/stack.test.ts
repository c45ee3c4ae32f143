import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEmulator } from '../../local/stack/emulator.ts';
import { runKafkaTool } from '../../local/stack/java.ts';
import { createTopics } from '../../local/stack/kafka-admin.ts';
import { openKeeper } from '../../local/stack/kept-process.ts';
import { claimPorts } from '../../local/stack/ports.ts';
import { accepts } from '../../local/stack/service.ts';
import { type EmbeddedStack, openStack, startStack } from '../../local/stack/stack.ts';

const OWNER = fileURLToPath(new URL('stack-owner.ts', import.meta.url));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const quiet = { report: () => {} };
const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function topicsOf(bootstrap: string): Promise<string[]> {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = await admin.listTopics().finally(() => admin.disconnect());
  return topics.toSorted();
}

async function askPs(pid: number, column: 'pgid' | 'ppid'): Promise<number> {
  const ps = spawn('ps', ['-o', `${column}=`, '-p', String(pid)]);
  const [text] = (await once(ps.stdout, 'data')) as [Buffer];
  return Number(text.toString('utf8'));
}

describe('an embedded stack', () => {
  let stack: EmbeddedStack;
  beforeAll(async () => {
    stack = await startStack({ ...quiet, kafka: { settings: { 'auto.create.topics.enable': true } } });
  });
  afterAll(() => stack.stop());

  test('takes broker settings, and runs Kafka command line tools', async () => {
    const to = ['--bootstrap-server', stack.kafka.bootstrap, '--topic', 'made-by-the-producer'];
    const produced = await runKafkaTool('org.apache.kafka.tools.ConsoleProducer', to, { input: 'hello world\n' });
    expect(produced.exitCode).toBe(0);
    expect(await topicsOf(stack.kafka.bootstrap)).toContain('made-by-the-producer');
  });

  test('has a broker that keeps its topics and its address through a kill -9', async () => {
    const { kafka } = stack;
    await createTopics(kafka.bootstrap, [{ topic: 'lines' }, { topic: 'counts', partitions: 1 }]);
    const [pid, bootstrap] = [kafka.pid(), kafka.bootstrap];

    await kafka.kill();
    expect(await accepts(portOf(bootstrap))).toBe(false);
    await kafka.restart();
    expect(kafka.bootstrap).toBe(bootstrap);
    expect(kafka.pid()).not.toBe(pid);
    expect(await topicsOf(bootstrap)).toEqual(expect.arrayContaining(['counts', 'lines']));
  });

  test('leaves neither process nor folder behind when it is stopped', async () => {
    const pids = [stack.kafka.pid(), stack.emulator.pid()];
    expect(pids.map(isAlive)).toEqual([true, true]);
    await stack.stop();
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(existsSync(stack.dir)).toBe(false);
  });
});

describe('a stack that another process started', () => {
  let owner: ChildProcess;
  let theirs: { pids: number[]; dir: string; file: string; bootstrap: string; env: Record<string, string> };
  beforeAll(async () => {
    const child = spawn(process.execPath, [OWNER], { stdio: ['ignore', 'pipe', 'inherit'] });
    owner = child;
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    theirs = JSON.parse(line.toString('utf8'));
  });
  afterAll(() => owner.kill('SIGKILL'));

  test('is used when the environment says so, and left running', async () => {
    const { ONCEFLOW_BROKERS, AWS_ENDPOINT_URL } = theirs.env;
    const stack = await openStack(quiet, { ONCEFLOW_STACK: 'external', ONCEFLOW_BROKERS, AWS_ENDPOINT_URL });
    expect(stack.env).toEqual(theirs.env);
    await createTopics(stack.kafka.bootstrap, [{ topic: 'there' }]);

    await stack.stop();
    expect(theirs.pids.map(isAlive)).toEqual([true, true]);
    expect(await topicsOf(stack.kafka.bootstrap)).toEqual(['there']);
  });

  test("gets nothing of the Ctrl-C in its owner's terminal, which goes to the owner's process group", async () => {
    const groups = await Promise.all(theirs.pids.map((pid) => askPs(pid, 'pgid')));
    expect(groups).toEqual(theirs.pids);
    expect(groups).not.toContain(await askPs(owner.pid ?? 0, 'pgid'));
  });

  test('is gone, folder and files included, soon after its owner was killed with -9', async () => {
    expect(await accepts(portOf(theirs.bootstrap))).toBe(true);
    expect(existsSync(theirs.file)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => theirs.pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
    await expect.poll(() => [theirs.dir, theirs.file].filter((path) => existsSync(path)), { timeout: 5_000 }).toEqual([]);
  });
});

test('a stack in a folder that was named keeps its data there', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'onceflow-kept-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const embedded = async () => {
    const stack = await startStack({ ...quiet, dir });
    cleanups.push(() => stack.stop());
    const { endpoint } = stack.aws;
    const s3 = new S3Client({
      endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    return { stack, s3 };
  };

  const first = await embedded();
  await createTopics(first.stack.kafka.bootstrap, [{ topic: 'kept' }]);
  await first.s3.send(new CreateBucketCommand({ Bucket: 'kept' }));
  await first.stack.stop();

  const second = await embedded();
  expect(await topicsOf(second.stack.kafka.bootstrap)).toEqual(['kept']);
  const { Buckets = [] } = await second.s3.send(new ListBucketsCommand({}));
  expect(Buckets.map(({ Name }) => Name)).toEqual(['kept']);
});

test('a stack that cannot start says why, with the end of the log, and leaves nothing behind', async () => {
  const broken = startStack({ ...quiet, kafka: { settings: { 'log.retention.ms': 'soon' } } });
  await expect(broken).rejects.toThrow(/kafka ended with exit code 1 while starting[\s\S]*log\.retention\.ms/);
  const logFile = await broken.catch((error: Error) => /(\S+\/kafka\.log)/.exec(error.message)?.[1]);
  expect(logFile).toMatch(/onceflow-stack-/);
  expect(existsSync(dirname(String(logFile)))).toBe(false);
});

test('an external stack that is down is named, with the variable that says where it should be', async () => {
  const nowhere = { ONCEFLOW_STACK: 'external', ONCEFLOW_BROKERS: '127.0.0.1:1' };
  await expect(openStack(quiet, nowhere)).rejects.toThrow(
    'ONCEFLOW_BROKERS is "127.0.0.1:1": it must be where Kafka answers, with ONCEFLOW_STACK=external, and nothing does; start it with',
  );
  await expect(openStack(quiet, { ...nowhere, ONCEFLOW_BROKERS: '[::1]:1' })).rejects.toThrow('ONCEFLOW_BROKERS is "[::1]:1"');
});

test('a misspelt choice of stack is refused', async () => {
  await expect(openStack(quiet, { ONCEFLOW_STACK: 'docker' })).rejects.toThrow(
    'ONCEFLOW_STACK is "docker": it must be one of embedded, external; correct it, or unset it for the default, embedded',
  );
});

test('ports of blocks claimed at the same time are never the same', async () => {
  const blocks = await Promise.all(Array.from({ length: 20 }, claimPorts));
  cleanups.push(() => blocks.map((block) => block.release()));
  const ports = (await Promise.all(blocks.map(async (block) => [await block.take(), await block.take()]))).flat();
  expect(new Set(ports).size).toBe(40);
});

test('a port that another program holds is passed over', async () => {
  const block = await claimPorts();
  cleanups.push(() => block.release());
  const first = await block.take();
  const stranger = createServer().listen(first + 1, '127.0.0.1');
  cleanups.push(() => stranger.close());
  await once(stranger, 'listening');
  expect(await block.take()).toBe(first + 2);
});

test('a keeper that is killed itself leaves no process behind', async () => {
  const keeper = await openKeeper();
  cleanups.push(() => rmSync(keeper.dir, { recursive: true, force: true }));
  const emulator = await startEmulator(keeper);
  process.kill(await askPs(emulator.pid(), 'ppid'), 'SIGKILL');
  await expect.poll(() => isAlive(emulator.pid()), { timeout: 5_000 }).toBe(false);
});

test('a process that a keeper was told to start when it closes is not left behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-test-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const keeper = await openKeeper();
  const pids = Array.from({ length: 5 }, (_, index) => join(folder, String(index)));
  for (const [index, file] of pids.entries()) {
    const args = ['-c', `echo $$ > ${file}; exec sleep 20`];
    keeper.start({ name: `sleeper-${index}`, command: 'sh', args, env: process.env }).catch(() => {});
  }
  await keeper.close();
  // Killed between opening its file and writing into it, a shell leaves it empty.
  const pidIn = (file: string) => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
  const alive = () => pids.map(pidIn).filter((pid) => pid > 0 && isAlive(pid));
  await expect.poll(alive, { timeout: 5_000 }).toEqual([]);
});
