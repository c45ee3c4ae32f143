import { describe, expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { asThisJobHasIt } from '../../../lib/epoch/start/new-names.ts';
import { recover } from '../../../lib/epoch/start/start.ts';
import { edgeBetween, type PhysicalPlan } from '../../../lib/plan/plan.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { manifestOf } from '../cli/rows.ts';
import { jobRow } from './job-row.ts';
import { snapshotOf } from './stored-as.ts';

const NEVER = new AbortController().signal;
const NOTHING = { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 };

/** Of operators with a state n each. */
function graphOf(uids: readonly string[], formerly?: Readonly<Record<string, readonly string[]>>): string {
  const states = { n: { kind: 'value', serdes: ['int64'] } };
  const operators = Object.fromEntries(uids.map((uid) => [uid, { key: 'utf8', states }]));
  return JSON.stringify({ version: 2, sources: ['read'], sinks: [], operators, ...(formerly && { formerly }) });
}

/** Stages behind one source: of each the uids of its operators. */
function planOf(...stages: readonly (readonly [string, ...string[]])[]): PhysicalPlan {
  return {
    job: 'job',
    stages: [
      { kind: 'source', id: 'read', topic: 'lines', startingOffsets: 'earliest' },
      ...stages.map((operators) => ({ kind: 'operator' as const, id: operators[0], operators })),
    ],
    edges: stages.map(([id]) => edgeBetween({ from: 'read', to: id, input: 0, how: 'key' })),
  };
}

const empty = { outputs: {}, committables: [] };
const count = [snapshotOf([{ name: 'n' }])];

/** A start of a job whose row has this graph, and whose last epoch is from before it. */
async function start(of: { readonly row: string; readonly manifest: Manifest; readonly now: string; readonly plan: PhysicalPlan }) {
  const told: CoordinatorEvent[] = [];
  const epochs = modelEpochStore(new EpochTable(() => 0), async (_api, _about, _failure, execute) => execute(undefined as never));
  await epochs.createJob(jobRow({ job: 'job', generation: 1, lastCompleted: undefined, lastCommitted: 0, fingerprint: of.row }));
  const { decisionId, epoch } = of.manifest;
  const decision = { job: 'job', incarnation: 'inc', generation: 1, epoch, decisionId, parentDecisionId: undefined, leaseExpiresAtMs: 0 };
  const manifest = { at: 'row', manifest: of.manifest } as const;
  expect(await epochs.decide({ ...decision, lastCommitted: 0, manifest, summary: NOTHING })).toBe('decided');
  const row = await epochs.readJob('job');
  if (row === undefined) throw new Error('it was made');
  let ids = 0;
  const random = { id: () => `id${ids++}`, fraction: () => 0 };
  const deps = {
    ...{ epochs, random, blobs: createBlobs({} as never, random), observe: (event: CoordinatorEvent) => told.push(event) },
    kafka: { partitionCount: async () => 2 },
    clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
  } as unknown as CoordinatorDeps;
  const settings = {
    ...{ job: 'job', fingerprint: of.now, plan: of.plan, maxParallelism: 128, parallelism: {}, startKind: 'revival', leaseMs: 1_000 },
    ...{ commitOffsets: false, checkpointIntervalMs: 1_000, epochTimeoutMs: 60_000, commitTimeoutMs: 30_000, recoveryTimeoutMs: 120_000 },
  } as unknown as JobSettings;
  return { parent: (await recover(deps, settings, row, NEVER)).parent, told };
}

describe('of a renaming that was recorded, and died before its epoch was decided', () => {
  const manifest = manifestOf(0, { job: 'job', parentDecisionId: undefined, ...empty, state: { count } });
  const row = graphOf(['tally'], { tally: ['count'] });

  it('the build after it goes on with what was renamed, and an operator that has the free name starts empty', async () => {
    const { parent } = await start({ row, manifest, now: graphOf(['tally', 'count']), plan: planOf(['tally'], ['count']) });
    expect(parent).toMatchObject({ epoch: 1, state: { tally: count } });
    expect(Object.keys(parent.state)).toEqual(['tally']);
  });

  it('the build after it may rename it once more, and need not say the first name', async () => {
    const now = graphOf(['sum'], { sum: ['tally'] });
    const { parent } = await start({ row, manifest, now, plan: planOf(['sum']) });
    expect(parent).toMatchObject({ epoch: 1, state: { sum: count } });
  });

  it('the same build decides it', async () => {
    const { parent } = await start({ row, manifest, now: row, plan: planOf(['tally']) });
    expect(parent).toMatchObject({ epoch: 1, state: { tally: count } });
  });
});

describe('a stage that is called otherwise than in the epoch before keeps its watermark', () => {
  const time = { processingMs: 5, sources: { read: { watermarkMs: 90, partitions: {} } }, stages: { count: 100 } };
  const manifest = manifestOf(7, { ...empty, state: { count }, time });
  const before = graphOf(['count']);
  const stagesOf = (fingerprint: string, plan: PhysicalPlan, from: Manifest = manifest) =>
    asThisJobHasIt(from, before, { fingerprint, plan }).time?.stages;

  it('when another operator comes before its first', () => {
    expect(stagesOf(graphOf(['count', 'first']), planOf(['first', 'count']))).toEqual({ first: 100 });
  });

  it('when that one goes again: it does not begin where it was before that one came', () => {
    const both = graphOf(['count', 'first']);
    const named = asThisJobHasIt(manifest, before, { fingerprint: both, plan: planOf(['first', 'count']) });
    const later = { ...named, time: { ...time, stages: { ...named.time?.stages, first: 500 } } };
    expect(stagesOf(both, planOf(['count']), later)).toEqual({ count: 500 });
  });

  it('when its first operator goes: as far as its sources have come, and as it had come when one of them was idle', () => {
    const bare = { ...manifest, time: { ...time, stages: {} } };
    expect(stagesOf(before, planOf(['count']), bare)).toEqual({ count: 90 });
    expect(stagesOf(before, planOf(['count']), { ...bare, time: { ...time, stages: { gone: 80 } } })).toEqual({ count: 90 });
    const idle = { ...bare, time: { ...time, stages: { gone: 100 } } };
    expect(stagesOf(before, planOf(['count']), idle)).toEqual({ count: 100 });
    // Which of two it was nobody knows: no row of it is late that was not.
    const two = { ...bare, time: { ...time, stages: { gone: 100, other: 95 } } };
    expect(stagesOf(before, planOf(['count']), two)).toEqual({ count: 95 });
    const silent = { ...bare, time: { ...time, sources: {}, stages: { gone: 100 } } };
    expect(stagesOf(before, planOf(['count']), silent)).toEqual({ count: 100 });
    expect(stagesOf(before, planOf(['count']), { ...bare, time: { ...time, sources: {}, stages: {} } })).toEqual({});
  });

  it('and not that of a stage whose operators are another one of now', () => {
    const bare = { ...manifest, time: { ...time, stages: { moved: 500 } } };
    expect(stagesOf(graphOf(['count', 'moved']), planOf(['count'], ['moved']), bare)).toEqual({ moved: 500, count: 90 });
    expect(stagesOf(graphOf(['count', 'moved']), planOf(['count'], ['first', 'moved']), bare)).toEqual({ count: 90 });
  });

  it('when its first operator, which keeps nothing, is renamed', () => {
    const bare = { ...manifest, state: {} };
    expect(stagesOf(graphOf([], { tally: ['count'] }), planOf(['tally']), bare)).toEqual({ tally: 100 });
  });

  it('and one that keeps nothing, as one that is new or was left behind, has none', () => {
    const same = { ...manifest, state: {}, time: { ...time, stages: {} } };
    expect(asThisJobHasIt(same, before, { fingerprint: before, plan: planOf(['new', 'other']) })).toBe(same);
  });
});

it('a name that goes on from one to the next takes nothing from who had it: each has its own under its own name', () => {
  const manifest = manifestOf(7, { ...empty, state: { a: count }, parallelism: { a: 2, b: 3 } });
  const fingerprint = graphOf(['b'], { b: ['a'], c: ['b'] });
  const named = asThisJobHasIt(manifest, graphOf(['a']), { fingerprint, plan: planOf(['b'], ['c']) });
  expect(named).toMatchObject({ state: { b: count }, parallelism: { b: 2, c: 3 } });
});

describe('of what an operator had', () => {
  const plan = planOf(['tally']);
  const now = graphOf(['tally'], { tally: ['count'] });
  const asNow = (manifest: Manifest) => asThisJobHasIt(manifest, graphOf(['count']), { fingerprint: now, plan });

  it('nothing stays behind for a stage of its new name that was there before: its operator was left behind, or had no state and is gone', () => {
    const time = { processingMs: 5, sources: {}, stages: { count: 100, tally: 900 } };
    const named = asNow(manifestOf(7, { ...empty, state: { count }, time, parallelism: { count: 2, tally: 7 } }));
    expect(named).toMatchObject({ state: { tally: count }, time: { stages: { tally: 100 } }, parallelism: { tally: 2 } });
    expect(Object.keys(named.state)).toEqual(['tally']);
  });

  it('the number of subtasks goes on under the new name, also where it has no state', () => {
    expect(asNow(manifestOf(7, { ...empty, state: {}, parallelism: { count: 2 } })).parallelism).toEqual({ tally: 2 });
    const both = manifestOf(7, { ...empty, state: {}, parallelism: { count: 2, tally: 7 } });
    expect(asNow(both)).toBe(both);
  });
});
