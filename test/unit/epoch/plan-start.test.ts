import { expect, it } from 'vitest';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { withoutDropped } from '../../../lib/epoch/start/dropped.ts';
import { planStart } from '../../../lib/epoch/start/plan-start.ts';
import type { StartAt } from '../../../lib/epoch/start/start-at.ts';
import type { JobRow, Savepoint } from '../../../lib/ports/epoch-store.ts';
import { jobRowOf, manifestOf, NOW } from '../cli/rows.ts';

const identity = (operators: object, sources = ['read'], sinks = ['write']) => JSON.stringify({ version: 2, sources, sinks, operators });
const value = (serde: string) => ({ key: 'utf8', states: { n: { kind: 'value', serdes: [serde] } } });
const GRAPH = identity({ count: value('int64') });
const NEVER = new AbortController().signal;

const manifest = manifestOf(7, { offsets: { read: { lines: [5] }, old: { more: [3] } }, outputs: {}, committables: [] });
const savepoint: Savepoint = {
  ...{ job: 'word-count', name: 'kept', id: 'i1', standing: 'complete', createdAtMs: NOW, incarnation: 'inc', epoch: 7, decisionId: 'd7' },
  ...{ fingerprint: GRAPH, maxParallelism: 128, manifest: { at: 'row', manifest } },
};

function plan(of: {
  startAt?: Partial<StartAt> | null;
  onMissingState?: 'start-anew';
  row?: Partial<JobRow>;
  savepoint?: Partial<Savepoint> | null;
  graph?: string;
  startKind?: 'revival';
  maxParallelism?: number;
  told?: CoordinatorEvent[];
}) {
  const found = of.savepoint === null ? undefined : { ...savepoint, ...of.savepoint };
  const deps = {
    epochs: {
      readSavepoint: async () => found,
      listSavepoints: async () => (found === undefined ? [] : [found]),
      readEpoch: async () => ({ epoch: 8, decisionId: 'd8', manifest: { at: 'row', manifest: manifestOf(8) } }),
    },
    random: { id: () => 'a'.repeat(32) },
    clock: { elapsedMs: () => 0, now: () => NOW },
    observe: (event: CoordinatorEvent) => of.told?.push(event),
  } as unknown as CoordinatorDeps;
  const startAt: StartAt | undefined =
    of.startAt === null ? undefined : { at: { savepoint: 'kept' }, drop: [], onWrittenAgain: 'allow', ...of.startAt };
  const { maxParallelism = 128, graph = GRAPH, startKind, onMissingState = 'stop' } = of;
  const stages = [
    { kind: 'source', id: 'read' },
    { kind: 'source', id: 'old' },
    { kind: 'operator', id: 'count', operators: ['count'] },
  ];
  const rules = { fingerprint: graph, maxParallelism, onMissingState, plan: { stages } };
  const settings = { job: 'word-count', startAt, ...rules, ...(startKind && { startKind }) } as unknown as JobSettings;
  return planStart(deps, settings, jobRowOf({ fingerprint: GRAPH, ...of.row }), NEVER);
}

it('plans another incarnation, with the state and the offsets as they were', async () => {
  expect(await plan({})).toMatchObject({
    incarnation: 'aaaaaaaa',
    manifest,
    added: [],
    rowAfter: { incarnation: 'aaaaaaaa', lastCompleted: { epoch: 7, decisionId: 'd7' }, lastCommitted: 7, fingerprint: GRAPH },
  });
});

it('takes an epoch from before a renaming under the names of the graph that it is kept with, also to leave some of it behind', async () => {
  const refs = [{ id: 's', keyGroups: { first: 0, last: 127 }, base: undefined, deltas: [] }];
  const of = manifestOf(7, { offsets: { read: { lines: [5] } }, state: { count: refs }, outputs: {}, committables: [] });
  const renamed = JSON.stringify({ ...JSON.parse(identity({ tally: value('int64') })), formerly: { tally: ['count'] } });
  const kept = { fingerprint: renamed, manifest: { at: 'row', manifest: of } } as const;
  const both = identity({ tally: value('int64'), count: value('int64') });
  expect(Object.keys((await plan({ savepoint: kept, graph: both }))?.manifest.state ?? {})).toEqual(['tally']);
  const without = await plan({ savepoint: kept, graph: identity({}), startAt: { drop: ['tally'] } });
  expect(without?.manifest.state).toEqual({});
});

it('says what is new, and starts empty', async () => {
  expect((await plan({ graph: identity({ count: value('int64'), more: value('utf8') }) }))?.added).toEqual(['keyed operator more is new']);
});

it('is nothing to do for a schedule, and when the job was started from it before: by its id, also when it was deleted since', async () => {
  const startedFrom = [{ id: 'i1', savepoint: 'kept', incarnation: 'inc', epoch: 7, atMs: 1 }];
  expect(await plan({ startKind: 'revival' })).toBeUndefined();
  expect(await plan({ row: { startedFrom } })).toBeUndefined();
  expect(await plan({ row: { startedFrom }, savepoint: null })).toBeUndefined();
  expect(await plan({ row: { startedFrom: [{ ...startedFrom[0], id: 'once' } as never] }, startAt: { once: 'once' } })).toBeUndefined();
  // Another savepoint of that name, or another start from the same one.
  expect(await plan({ row: { startedFrom }, savepoint: { id: 'i2' } })).toBeDefined();
  expect(await plan({ row: { startedFrom }, startAt: { once: 'again' } })).toBeDefined();
});

it('is not done a second time, nor when a person has started the job from elsewhere since; each time it is said why', async () => {
  const start = { id: 'i1', savepoint: 'kept', incarnation: 'inc', epoch: 7, atMs: NOW };
  const said = async (of: Parameters<typeof plan>[0]) => {
    const told: CoordinatorEvent[] = [];
    expect(await plan({ ...of, told })).toBeUndefined();
    return told.map((event) => (event.event === 'start-passed-over' ? event.message : event.event));
  };
  expect(await said({ row: { startedFrom: [start] } })).toEqual([
    expect.stringMatching(
      /^ONCEFLOW_START_FROM=kept was done already, at \S+ from savepoint kept, epoch 7: job word-count goes on from its last/,
    ),
  ]);
  const byHand = { ...start, id: 'asked', savepoint: 'other', over: { name: 'kept', id: 'i1' } };
  expect(await said({ row: { startedFrom: [byHand] } })).toEqual([
    expect.stringMatching(
      /^ONCEFLOW_START_FROM=kept is passed over, because job word-count was started at \S+ from savepoint other, epoch 7 by hand/,
    ),
  ]);
  expect(await said({ row: { startedFrom: [byHand] }, savepoint: null })).toHaveLength(1);
  // A savepoint that was made since under that name is another one.
  expect(await plan({ row: { startedFrom: [byHand] }, savepoint: { id: 'i2' } })).toBeDefined();
  expect(await said({ startKind: 'revival' })).toEqual([
    expect.stringMatching(/^ONCEFLOW_START_FROM=kept is not done yet: a schedule goes on/),
  ]);
  expect(await said({ startKind: 'revival', row: { startedFrom: [start] } })).toEqual([]);
});

it('is what a schedule does too, as long as the job has no epoch: a start that died is not one from the beginning', async () => {
  const row = { lastCompleted: undefined };
  expect(await plan({ startKind: 'revival', row })).toMatchObject({ from: { epoch: 7 } });
  const asked = { startKind: 'revival', row, startAt: null } as const;
  await expect(plan(asked)).rejects.toThrow(
    /^the start of job word-count ended before its first epoch, .*\(it has kept\): start it again, from one .* or anew$/,
  );
  expect(await plan({ ...asked, savepoint: null })).toBeUndefined();
  expect(await plan({ ...asked, savepoint: { standing: 'deleting' } })).toBeUndefined();
  expect(await plan({ ...asked, onMissingState: 'start-anew' })).toBeUndefined();
  expect(await plan({ row, startAt: null })).toBeUndefined();
});

it.each<[string, Parameters<typeof plan>[0], RegExp]>([
  ['a savepoint that is not there', { savepoint: null }, /^job word-count has no savepoint kept: it has none$/],
  ['one that is imported in part', { savepoint: { standing: 'importing' } }, /is not imported to its end: run its import again/],
  ['one that is being deleted', { savepoint: { standing: 'deleting' } }, /is being deleted/],
  [
    'an epoch that is retired',
    { startAt: { at: { epoch: 3 } } },
    /cannot start from epoch 3, which is not retained: the retained ones are 7 to 8/,
  ],
  ['an epoch that is not committed', { startAt: { at: { epoch: 9 } } }, /cannot start from epoch 9, which is not retained/],
  ['another maximum parallelism', { maxParallelism: 64 }, /ONCEFLOW_MAX_PARALLELISM=64: savepoint kept, epoch 7 was made with 128/],
  [
    'state that the job has no longer',
    { graph: identity({}) },
    /cannot start from savepoint kept, epoch 7 with this graph: keyed operator count is gone, and with it its state n\. .*--drop UID/,
  ],
  ['a serde that is another', { graph: identity({ count: value('utf8') }) }, /state of count: n had serde int64 and has now utf8/],
  [
    'a uid to drop that there is not',
    { startAt: { drop: ['cuont'] } },
    /has nothing of uid cuont to leave behind: it has read, write, count/,
  ],
  [
    'one state of an operator to drop, which lies with the others',
    { startAt: { drop: ['count:n'] } },
    /has nothing of uid count:n to leave behind: .* One state alone cannot be left behind: it lies in the snapshots of its operator/,
  ],
  [
    'what was imported from another job, which has other sources and sinks',
    { savepoint: { fingerprint: identity({}, ['theirs'], ['out']) } },
    /with this graph: source theirs is gone.*; sink out is gone\. /,
  ],
  [
    'output that is written again',
    { startAt: { onWrittenAgain: 'stop' } },
    /^a start from savepoint kept, epoch 7 would write output again that readers have: epochs 8 to 9 were committed\. .*ONCEFLOW_ON_WRITTEN_AGAIN=allow/,
  ],
  [
    'output of another incarnation that is written again',
    { startAt: { onWrittenAgain: 'stop' }, row: { incarnation: 'x' } },
    /to epoch 9 of another incarnation/,
  ],
])('refuses %s', async (_what, of, message) => {
  const planned = plan(of);
  await expect(planned).rejects.toThrow(JobFailedError);
  await expect(planned).rejects.toThrow(message);
});

it('writes nothing again when it starts from the last epoch, or where no epoch is', async () => {
  const stop = { onWrittenAgain: 'stop' } as const;
  expect(await plan({ startAt: stop, row: { lastCompleted: { epoch: 7, decisionId: 'd7' } } })).toBeDefined();
  expect(await plan({ startAt: stop, row: { lastCompleted: undefined } })).toBeDefined();
});

it('leaves behind what ONCEFLOW_START_DROP names, of the manifest and of what the graph is compared with', () => {
  const from = { what: 'it', fingerprint: identity({ count: value('int64'), 'old.broadcast': value('int64') }, ['read', 'old']) };
  const due = { id: 's', keyGroups: { first: 0, last: 127 }, deltas: [] };
  const stored = { ...manifest, state: { count: [due], 'old.broadcast': [due] }, topicIds: { read: { lines: 'a' }, old: { more: 'b' } } };
  const dropped = withoutDropped(from, stored, ['old'], { stages: [] });
  expect(dropped).toMatchObject({ outcome: 'dropped', fingerprint: identity({ count: value('int64') }) });
  if (dropped.outcome !== 'dropped') throw new Error('it is not');
  expect(dropped.manifest.offsets).toEqual({ read: { lines: [5] } });
  expect(dropped.manifest.topicIds).toEqual({ read: { lines: 'a' } });
  expect(Object.keys(dropped.manifest.state)).toEqual(['count']);
});

it('leaves behind the watermark of a stage of which it leaves all operators: what is read again with empty state is not late there', () => {
  const operators = { one: value('int64'), other: value('int64'), alone: value('int64') };
  const from = { what: 'it', fingerprint: JSON.stringify({ version: 2, sources: ['read'], sinks: [], operators }) };
  const stage = (id: string, uids: readonly string[]) => ({ kind: 'operator', id, operators: uids }) as const;
  const stages = [stage('one', ['one', 'other']), stage('alone', ['alone'])];
  const time = { processingMs: 9, sources: { read: { partitions: {} } }, stages: { one: 7, alone: 8 } };
  const after = (drop: readonly string[]) => {
    const dropped = withoutDropped(from, { ...manifest, time }, drop, { stages });
    return dropped.outcome === 'dropped' ? dropped.manifest.time : dropped;
  };
  expect(after(['read', 'alone'])).toEqual({ processingMs: 9, sources: {}, stages: { one: 7 } });
  expect(after(['one'])).toMatchObject({ stages: { one: 7, alone: 8 } });
  expect(after(['one', 'other'])).toMatchObject({ stages: { alone: 8 } });
});
