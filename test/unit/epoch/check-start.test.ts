import { describe, expect, it } from 'vitest';
import { type CoordinatorDeps, JobFailedError, type JobSettings, StartRefusedError } from '../../../lib/epoch/coordinator/context.ts';
import { checkStart, checkTakeover } from '../../../lib/epoch/start/check-start.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import type { SinkCoordination } from '../../../lib/sinks/connector.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { manifestOf } from '../cli/rows.ts';
import { snapshotOf } from './stored-as.ts';

const row = {
  job: 'job',
  incarnation: 'i1',
  generation: 4,
  holder: 'host-a',
  maxParallelism: 128,
  fingerprint: '{"version":1,"nodes":[]}',
} as JobRow;
const never = new AbortController().signal;

/** What the sink of the job answers a start: facts, or why it cannot be. */
type SinkAnswers = Partial<Pick<SinkCoordination, 'refusalOf' | 'learn'>>;

function world(change: { readonly put?: () => Promise<void>; readonly read?: string; readonly sink?: SinkAnswers } = {}) {
  const blobs = new Map<string, Buffer>();
  const tried: string[] = [];
  const deps = {
    sinks: {
      forTarget: () => ({
        connector: 'some',
        refusalOf: async () => undefined,
        learn: async () => ({ outcome: 'learnt', facts: { write: { all: 'there is to know' } } }),
        ...change.sink,
      }),
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
    leaseMs: 30_000,
    plan: { stages: [{ kind: 'sink', id: 'write', to: { kind: 'some' } }] },
  } as unknown as JobSettings;
  return { deps, settings, blobs, tried };
}

describe("what a sink's connector says", () => {
  it('is what stages are told of the sink', async () => {
    const { deps, settings } = world();
    expect(await checkStart(deps, settings, row, never)).toEqual({ write: { all: 'there is to know' } });
  });

  it('that it cannot work with the times of the job, or with what it writes to, ends the start', async () => {
    const late = world({ sink: { refusalOf: async () => 'it takes too long' } });
    await expect(checkStart(late.deps, late.settings, row, never)).rejects.toThrow(new JobFailedError('it takes too long'));
    const small = world({ sink: { learn: async () => ({ outcome: 'refused', message: 'it is too small' }) } });
    await expect(checkStart(small.deps, small.settings, row, never)).rejects.toThrow(new JobFailedError('it is too small'));
  });
});

it('a job that waits longer for an answer than half of the time for an epoch does not start', async () => {
  const { deps, settings } = world();
  const waiting = (longestCallMs: number) => ({
    ...settings,
    plan: { ...settings.plan, stages: [{ kind: 'operator', id: 'read', longestCallMs }] },
  });
  await checkStart(deps, waiting(30_000) as unknown as JobSettings, row, never);
  await expect(checkStart(deps, waiting(30_001) as unknown as JobSettings, row, never)).rejects.toThrow(
    /a mapAsync of stage read has timeoutMs 30001, and it must be at most 30000, half of ONCEFLOW_EPOCH_TIMEOUT_MS=60000/,
  );
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
    await expect(checkStart(deps, same, earlier, never)).resolves.toHaveProperty('write');
  });

  it('is not started when a state is of another kind now: operator, state, both kinds and the mend are said', async () => {
    const { deps, settings } = world();
    const other = { ...settings, fingerprint: of(2, { kind: 'list', serdes: ['int64'] }) };
    await expect(checkStart(deps, other, earlier, never)).rejects.toThrow(
      new JobFailedError(
        'job job cannot go on with this graph: state of op: count was a value state and is now a list state: keep it as it was, and give the list state another name. Give back what was taken away, start from a savepoint and name what is left behind (--drop), or start a job of another name',
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

describe('a build that reads an earlier form no longer', () => {
  const of = (states: object) => JSON.stringify({ version: 2, sources: [], sinks: [], operators: { count: { key: 'utf8', states } } });
  const before = of({ n: { kind: 'value', serdes: ['json@2'], reads: [['int64']] } });
  const after = of({ n: { kind: 'value', serdes: ['json@2'] } });
  const running = (epoch: number) => ({ ...row, fingerprint: before, lastCompleted: { epoch, decisionId: `d${epoch}` } }) as JobRow;

  /** Its last epoch has a blob of before, until there is a later one. */
  function taking(later?: JobRow) {
    const { deps, settings } = world();
    const at = (serde: string) => manifestOf(7, { state: { count: [snapshotOf([{ name: 'n', serde }])] }, offsets: {} });
    let looked = 0;
    const epochs = {
      readEpoch: async (_job: string, _incarnation: string, epoch: number) => {
        looked++;
        if (epoch === 7 && later !== undefined) return undefined;
        return { epoch, decisionId: `d${epoch}`, manifest: { at: 'row', manifest: at(epoch === 7 ? 'int64' : 'json@2') } };
      },
      readJob: async () => later,
    };
    const blobs = createBlobs({} as never, { id: () => 'a', fraction: () => 0 });
    const stages = [...settings.plan.stages, { kind: 'operator', id: 'count', operators: ['count'] }];
    const taken = { ...settings, fingerprint: after, plan: { ...settings.plan, stages } } as unknown as JobSettings;
    return {
      start: () => checkTakeover({ ...deps, epochs, blobs } as unknown as CoordinatorDeps, taken, running(7), never),
      looks: () => looked,
    };
  }

  it('does not take a job over of which a blob is still in that form: the job runs on', async () => {
    const { start } = taking();
    await expect(start()).rejects.toThrow(StartRefusedError);
    await expect(start()).rejects.toThrow(
      /^epoch 7: a part of state n of count was not written since it was another one: it had serde int64 and has now json@2: .*Nothing was changed: job job runs on/,
    );
  });

  it('looks at the epoch that has taken the place of one which is gone meanwhile', async () => {
    const { start, looks } = taking(running(8));
    await expect(start()).resolves.toBeUndefined();
    expect(looks()).toBe(2);
  });
});
