import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
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

async function embedded(options: Parameters<typeof startStack>[0] = {}): Promise<EmbeddedStack> {
  const stack = await startStack({ report: () => {}, ...options });
  cleanups.push(() => stack.stop());
  return stack;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));
const topicsOf = async (bootstrap: string) => {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return (await admin.listTopics().finally(() => admin.disconnect())).toSorted();
};

/** Starts a stack in a process of its own and answers what that process printed about it. */
async function ownerOfStack(): Promise<{
  owner: ChildProcess;
  pids: number[];
  dir: string;
  bootstrap: string;
  env: Record<string, string>;
}> {
  const owner = spawn(process.execPath, [OWNER], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => owner.kill('SIGKILL'));
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, ...JSON.parse(line.toString('utf8')) };
}

describe('an embedded stack', () => {
  test('starts a broker and the emulator, and leaves neither process nor folder behind', async () => {
    const stack = await embedded();
    const pids = [stack.kafka.pid(), stack.emulator.pid()];
    await createTopics(stack.kafka.bootstrap, [{ topic: 'lines' }, { topic: 'counts', partitions: 1 }]);
    expect(await topicsOf(stack.kafka.bootstrap)).toEqual(['counts', 'lines']);
    expect(pids.map(isAlive)).toEqual([true, true]);

    await stack.stop();
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(existsSync(stack.dir)).toBe(false);
  });

  test('is gone, folder included, soon after its owner was killed with -9', async () => {
    const { owner, pids, dir, bootstrap } = await ownerOfStack();
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(await accepts(portOf(bootstrap))).toBe(true);

    owner.kill('SIGKILL');
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
    await expect.poll(() => existsSync(dir), { timeout: 5_000 }).toBe(false);
  });

  test('does not die of the Ctrl-C that its owner gets', async () => {
    // A terminal sends the signal to the owner's whole process group.
    const { owner, pids } = await ownerOfStack();
    const groupOf = async (pid: number) => {
      const ps = spawn('ps', ['-o', 'pgid=', '-p', String(pid)]);
      const [text] = (await once(ps.stdout, 'data')) as [Buffer];
      return Number(text.toString('utf8'));
    };
    const groups = await Promise.all(pids.map(groupOf));
    expect(groups).toEqual(pids);
    expect(groups).not.toContain(await groupOf(owner.pid ?? 0));
  });

  test('has a broker that keeps its records and its address through a kill -9', async () => {
    const { kafka } = await embedded();
    await createTopics(kafka.bootstrap, [{ topic: 'kept' }]);
    const [before, address] = [kafka.pid(), kafka.bootstrap];

    await kafka.kill();
    expect(await accepts(portOf(address))).toBe(false);
    await kafka.restart();
    expect(kafka.bootstrap).toBe(address);
    expect(kafka.pid()).not.toBe(before);
    expect(await topicsOf(address)).toEqual(['kept']);
  });

  test('keeps its data in a folder that was named', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'onceflow-kept-'));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    const s3 = (endpoint: string) =>
      new S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });

    const first = await embedded({ dir });
    await createTopics(first.kafka.bootstrap, [{ topic: 'kept' }]);
    await s3(first.aws.endpoint).send(new CreateBucketCommand({ Bucket: 'kept' }));
    await first.stop();
    expect(readdirSync(dir)).toContain('kafka.log');

    const second = await embedded({ dir });
    expect(await topicsOf(second.kafka.bootstrap)).toEqual(['kept']);
    const buckets = await s3(second.aws.endpoint).send(new ListBucketsCommand({}));
    expect(buckets.Buckets?.map(({ Name }) => Name)).toEqual(['kept']);
  });

  test('takes broker settings, and runs Kafka command line tools', async () => {
    const { kafka } = await embedded({ kafka: { settings: { 'transaction.max.timeout.ms': 12_345 } } });
    const broker = ['--bootstrap-server', kafka.bootstrap, '--entity-type', 'brokers', '--entity-name', '1'];
    const configs = await runKafkaTool('org.apache.kafka.tools.ConfigCommand', [...broker, '--describe', '--all']);
    expect(configs.stdout).toContain('transaction.max.timeout.ms=12345');
  });

  test('that cannot start says why, with the end of the log, and leaves nothing behind', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('onceflow-stack-'));
    const broken = startStack({ report: () => {}, kafka: { settings: { 'log.retention.ms': 'soon' } } });
    await expect(broken).rejects.toThrow(/kafka ended with exit code 1 while starting[\s\S]*log\.retention\.ms/);
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('onceflow-stack-'));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe('a stack that runs elsewhere', () => {
  test('is used instead of starting one, and left alone', async () => {
    const { owner, pids, env } = await ownerOfStack();
    const stack = await openStack(
      {},
      { ONCEFLOW_STACK: 'external', ONCEFLOW_BROKERS: env.ONCEFLOW_BROKERS, AWS_ENDPOINT_URL: env.AWS_ENDPOINT_URL },
    );
    expect(stack.env).toEqual(env);
    await createTopics(stack.kafka.bootstrap, [{ topic: 'there' }]);

    await stack.stop();
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(owner.exitCode).toBeNull();
    expect(await topicsOf(stack.kafka.bootstrap)).toEqual(['there']);
  });

  test('that is down is named, with the variable that says where it should be', async () => {
    const nowhere = { ONCEFLOW_STACK: 'external', ONCEFLOW_BROKERS: '127.0.0.1:1' };
    await expect(openStack({}, nowhere)).rejects.toThrow(/nothing answers at 127\.0\.0\.1:1 \(Kafka, ONCEFLOW_BROKERS\)/);
  });

  test('is asked for by its one name: a typo is refused', async () => {
    await expect(openStack({}, { ONCEFLOW_STACK: 'docker' })).rejects.toThrow('it must be "embedded" (the default) or "external"');
  });
});

describe('ports', () => {
  test('of blocks claimed at the same time are never the same', async () => {
    const blocks = await Promise.all(Array.from({ length: 20 }, claimPorts));
    cleanups.push(() => blocks.map((block) => block.release()));
    const ports = (await Promise.all(blocks.map(async (block) => [await block.take(), await block.take()]))).flat();
    expect(new Set(ports).size).toBe(40);
  });

  test('that another program holds are passed over', async () => {
    const block = await claimPorts();
    cleanups.push(() => block.release());
    const first = await block.take();
    const stranger = createServer().listen(first + 1, '127.0.0.1');
    cleanups.push(() => stranger.close());
    await once(stranger, 'listening');
    expect(await block.take()).toBe(first + 2);
  });
});

test('a keeper that is killed itself leaves no process behind', async () => {
  const keeper = await openKeeper();
  cleanups.push(() => rmSync(keeper.dir, { recursive: true, force: true }));
  const emulator = await startEmulator(keeper);
  const ps = spawn('ps', ['-o', 'ppid=', '-p', String(emulator.pid())]);
  const [text] = (await once(ps.stdout, 'data')) as [Buffer];
  process.kill(Number(text.toString('utf8')), 'SIGKILL');
  await expect.poll(() => isAlive(emulator.pid()), { timeout: 5_000 }).toBe(false);
});
