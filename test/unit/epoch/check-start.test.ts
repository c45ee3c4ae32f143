import { describe, expect, it } from 'vitest';
import { checkStart, checkTakeover, maxBatchBytes, readSinkTopics } from '../../../lib/epoch/coordinator/check-start.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, StartRefusedError } from '../../../lib/epoch/coordinator/context.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';

const CONFIG = new Map([
  ['max.message.bytes', '10000'],
  ['cleanup.policy', 'compact,delete'],
  ['retention.ms', '1'],
]);
const row = {
  job: 'job',
  incarnation: 'i1',
  generation: 4,
  holder: 'host-a',
  maxParallelism: 128,
  fingerprint: '{"version":1,"nodes":[]}',
} as JobRow;
const never = new AbortController().signal;

function world(change: { readonly config?: ReadonlyMap<string, string>; readonly put?: () => Promise<void>; readonly read?: string } = {}) {
  const blobs = new Map<string, Buffer>();
  const tried: string[] = [];
  const deps = {
    kafka: {
      partitionCount: async () => 3,
      topicConfig: async (_topic: string, names: readonly string[]) =>
        new Map([...(change.config ?? CONFIG)].filter(([name]) => names.includes(name))),
      brokerConfig: async () => new Map([['transaction.max.timeout.ms', '900000']]),
    },
    blobStore: {
      put: async (name: string, bytes: Buffer) => {
        await change.put?.();
        tried.push(name);
        blobs.set(name, bytes);
      },
      get: async (name: string) => (change.read === undefined ? blobs.get(name) : Buffer.from(change.read)),
      delete: async (names: readonly string[]) => {
        for (const name of names) blobs.delete(name);
      },
    },
    clock: { elapsedMs: () => 0, now: () => 0, sleep: async () => {} },
    random: { id: () => 'abc', fraction: () => 0 },
    observe: () => {},
  } as unknown as CoordinatorDeps;
  const settings = {
    ...{ job: 'job', commitOffsets: false, maxParallelism: 128, fingerprint: row.fingerprint },
    ...{ checkpointIntervalMs: 1_000, epochTimeoutMs: 60_000, commitTimeoutMs: 30_000, recoveryTimeoutMs: 120_000 },
    ...{ transactionTimeoutMs: 600_000, leaseMs: 30_000 },
    plan: { stages: [{ kind: 'sink', id: 'write', topic: 'out' }] },
  } as unknown as JobSettings;
  return { deps, settings, blobs, tried };
}

describe("what a start asks of a sink's topic", () => {
  it('is how many partitions it has, the largest batch that it takes, and whether it is compacted', async () => {
    const { deps, settings } = world();
    expect(await readSinkTopics(deps, settings)).toEqual({ out: { partitions: 3, maxBatchBytes: 10_000 - 1_024, compacted: true } });
  });

  it("is Kafka's defaults where the broker says nothing", async () => {
    const { deps, settings } = world({ config: new Map() });
    expect(await readSinkTopics(deps, settings)).toEqual({ out: { partitions: 3, maxBatchBytes: 1_048_588 - 1_024, compacted: false } });
  });
});

it('brokers that take smaller requests than output is sent in are refused, with the setting', async () => {
  const { deps, settings } = world();
  const small = { ...deps, kafka: { ...deps.kafka, brokerConfig: async () => new Map([['socket.request.max.bytes', '300000']]) } };
  await expect(readSinkTopics(small, settings)).rejects.toThrow(
    /requests of 300000 bytes at most \(socket\.request\.max\.bytes\), .*: raise it/,
  );
});

describe('the largest batch', () => {
  const MB = 1024 * 1024;
  it.each([
    ["a little below the topic's limit", 10_000, 100 * MB, 10_000 - 1_024],
    ['a part of a limit that is small', 800, 100 * MB, 700],
    ['one that no record fits into, where the topic takes nothing', 0, 100 * MB, 1],
    ['what fits into a request of the broker, where the topic would take more', 300 * MB, 100 * MB, 100 * MB - 4_096],
  ])('is %s', (_what, maxMessageBytes, maxRequestBytes, expected) => {
    expect(maxBatchBytes(maxMessageBytes, maxRequestBytes)).toBe(expected);
  });
});

describe('the blob store is tried', () => {
  it('by a blob that is written, read and deleted, when a person starts the job, and not by a tick', async () => {
    const { deps, settings, blobs, tried } = world();
    await checkStart(deps, settings, row, never);
    expect([tried, blobs.size]).toEqual([['job/i1/exchange/start-0-000000000000-abc'], 0]);
    await checkStart(deps, { ...settings, startKind: 'revival' }, row, never);
    expect(tried).toHaveLength(1);
  });

  it('and one that gives back something else is not used', async () => {
    const { deps, settings } = world({ read: 'something else' });
    await expect(checkStart(deps, settings, row, never)).rejects.toThrow(/read back with other content/);
  });
});

describe('a job whose row was written by a build that knew value states alone', () => {
  const of = (version: number, count: unknown) =>
    JSON.stringify({ version, sources: ['src'], sinks: ['out'], operators: { op: { key: 'utf8', states: { count } } } });
  const earlier = { ...row, fingerprint: of(1, 'int64') };

  it('goes on with the same graph', async () => {
    const { deps, settings } = world();
    const same = { ...settings, fingerprint: of(2, { kind: 'value', serdes: ['int64'] }) };
    await expect(checkStart(deps, same, earlier, never)).resolves.toHaveProperty('out');
  });

  it('is not started when a state is of another kind now: operator, state, both kinds and the mend are said', async () => {
    const { deps, settings } = world();
    const other = { ...settings, fingerprint: of(2, { kind: 'list', serdes: ['int64'] }) };
    await expect(checkStart(deps, other, earlier, never)).rejects.toThrow(
      new JobFailedError(
        'job job cannot go on with this graph: state of op: count was a value state and is now a list state: keep it as it was, and give the list state another name. Give back what was taken away, or start a job of another name',
      ),
    );
  });
});

it('what fails a start refuses it when it would take the job from one that works, and says that nothing was changed', async () => {
  const { deps, settings } = world({ put: () => Promise.reject(new StoreProblem('no such bucket', false)) });
  await expect(checkStart(deps, settings, row, never)).rejects.toThrow(JobFailedError);
  const refused = await checkTakeover(deps, settings, row, never).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StartRefusedError);
  expect(String(refused)).toMatch(/no such bucket\. Nothing was changed: job job runs on, held by generation 4 of host-a/);
  await expect(checkTakeover(deps, { ...settings, maxParallelism: 64 }, row, never)).rejects.toThrow(/was started with 128/);
});
