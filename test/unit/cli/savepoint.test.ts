import { expect, it } from 'vitest';
import type { Savepoint } from '../../../lib/ports/epoch-store.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { jobRowOf, manifestOf, NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);

/** A job of whose epochs 0 to 3 the newest two are retained, each with a blob of its own. */
async function world() {
  const table = new EpochTable(() => NOW);
  const bucket = new BlobBucket(() => NOW);
  const epochs = modelEpochStore(table, carry);
  const store = modelBlobStore(bucket, carry);
  let ids = 0;
  const random = { id: () => String(++ids).padStart(32, '0'), fraction: () => 0 };
  const blobs = createBlobs(store, random);
  const born = jobRowOf({ generation: 1, lastCompleted: undefined, lastCommitted: 0, retiredThrough: -1 });
  await epochs.createJob(born);
  for (let epoch = 0; epoch <= 3; epoch++) {
    const place = { job: born.job, incarnation: 'inc', stage: 'count', subtask: 0, epoch };
    const base = await blobs.write(place, 'state/count', 'state', [Buffer.from(`state ${epoch}`)], 0);
    const state = { count: [{ id: `s${epoch}`, keyGroups: { first: 0, last: 127 }, base, deltas: [] }] };
    const parentDecisionId = epoch === 0 ? undefined : `d${epoch - 1}`;
    await epochs.decide({
      ...{ job: born.job, incarnation: 'inc', generation: 1, epoch, decisionId: `d${epoch}`, parentDecisionId, leaseExpiresAtMs: 0 },
      lastCommitted: Math.max(0, epoch - 1),
      manifest: { at: 'row', manifest: manifestOf(epoch, { parentDecisionId, state, outputs: {}, committables: [] }) },
      summary: { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 },
    });
  }
  await epochs.recordCommitted(born.job, 1, 2);
  await epochs.retireThrough(born.job, 1, 0);
  const tools = { epochs, blobStore: async () => store, random, clock: { now: () => NOW }, config: { table: 't' } };
  return { bucket, epochs, row: born, run: (...call: string[]) => runCommand(['savepoint', ...call], tools) };
}

it('keeps the newest epoch that is committed, or a retained one, and shows what it has kept', async () => {
  const { run } = await world();
  expect(await run('create', 'now')).toMatchObject({ code: 0, json: { outcome: 'created', name: 'now', epoch: 2, incarnation: 'inc' } });
  expect((await run('create', 'then', '--epoch', '1')).text).toBe(
    'savepoint then keeps epoch 1 of job word-count: "onceflow start --from then" goes on from there, or, where the job runs as a process, its next start with ONCEFLOW_START_FROM=then',
  );
  const listed = await run('list');
  expect(listed.json).toMatchObject({ job: 'word-count', savepoints: [{ name: 'now' }, { name: 'then' }] });
  expect(listed.text).toMatch(/^savepoint +epoch +incarnation +made at +is\nnow +2 +inc +2026-01-02T03:04:05Z +complete\nthen +1 /);
  const shown = await run('show', 'now');
  expect(shown.json).toMatchObject({ epoch: 2, state: [{ uid: 'count', subtasks: 1, blobs: 1 }] });
  expect(shown.text).toMatch(/^savepoint now of job word-count\n +epoch +2 of incarnation inc\n/);
});

it('has none to show of a job that has none', async () => {
  const { run } = await world();
  expect(await run('list')).toMatchObject({ json: { savepoints: [] }, text: expect.stringMatching(/^job word-count has no savepoint/) });
});

it.each<[string, string[], RegExp]>([
  ['an epoch that is retired', ['create', 'x', '--epoch', '0'], /epoch 0 of job word-count is retired, .* the retained ones are 1 to 2/],
  [
    'an epoch that is not committed',
    ['create', 'x', '--epoch', '3'],
    /epoch 3 of job word-count is not recorded as committed: the retained ones are 1 to 2/,
  ],
  ['a name that is taken', ['create', 'taken'], /job word-count has a savepoint taken already/],
  ['a name that is none', ['create', 'a b'], /"a b" is no name of a savepoint: it must be 1 to 100 letters/],
  ['no name', ['create'], /savepoint create takes the name of one savepoint/],
  ['no action', [], /savepoint takes one of create, list, show, delete/],
  ['a savepoint that is not there', ['show', 'gone'], /job word-count has no savepoint gone: it has taken/],
  ['a deletion of one that is not there', ['delete', 'gone'], /job word-count has no savepoint gone: it has taken/],
  ['an epoch where none is taken', ['list', '--epoch', '1'], /savepoint list takes no --epoch/],
])('refuses %s in one message, and changes nothing', async (_what, call, message) => {
  const { run, epochs } = await world();
  await run('create', 'taken');
  const before = await epochs.listSavepoints('word-count');
  await expect(run(...call)).rejects.toThrow(message);
  expect(await epochs.listSavepoints('word-count')).toEqual(before);
});

it('deletes what only it needed when the job has left its incarnation, and leaves the job its own', async () => {
  const { run, bucket, epochs, row } = await world();
  await run('create', 'one', '--epoch', '1');
  await run('create', 'two', '--epoch', '2');
  expect(await run('delete', 'one')).toMatchObject({ json: { outcome: 'deleted', blobs: 0 } });
  expect(bucket.blobs.size).toBe(4);
  await epochs.createSavepoint({ ...(await savepointOf(epochs, 'two')), name: 'three', id: 'three', epoch: 2 });
  await epochs.recordCommitted(row.job, 1, 3);
  const two = await savepointOf(epochs, 'two');
  await epochs.beginIncarnation({
    ...two,
    ...{ generation: 1, leaves: 'inc', incarnation: 'next', leaseExpiresAtMs: 0, startedFrom: [], former: [], savepoint: two },
    letsRunAfterStops: undefined,
    summary: { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 },
  });
  // Its new incarnation and the other savepoint name the blob of epoch 2.
  expect(await run('delete', 'two')).toMatchObject({ json: { outcome: 'deleted', blobs: 3 } });
  expect([...bucket.blobs.keys()].map((name) => /-(\d{12})-/.exec(name)?.[1])).toEqual(['000000000002']);
});

it('deletes with the last savepoint what its incarnation was started from, though the job knows of that no more', async () => {
  const { run, bucket, epochs, row } = await world();
  await run('create', 'two', '--epoch', '2');
  await epochs.recordCommitted(row.job, 1, 3);
  const two = await savepointOf(epochs, 'two');
  const begin = async (leaves: string, incarnation: string, manifest: Savepoint['manifest']) => {
    const next = { generation: 1, leaves, incarnation, leaseExpiresAtMs: 0, startedFrom: [], former: [], savepoint: two, manifest };
    const summary = { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 };
    expect(await epochs.beginIncarnation({ ...two, ...next, letsRunAfterStops: undefined, summary })).toBe('written');
  };
  await begin('inc', 'next', two.manifest);
  expect(await epochs.createSavepoint({ ...two, name: 'of-next', id: 'of-next', incarnation: 'next' })).toBe('created');
  if (two.manifest.at !== 'row') throw new Error('the manifest is in no row');
  await begin('next', 'third', { at: 'row', manifest: { ...two.manifest.manifest, incarnation: 'third', state: {} } });
  await run('delete', 'two');
  expect(bucket.blobs.size).toBe(1);
  expect(await run('delete', 'of-next')).toMatchObject({ json: { outcome: 'deleted', blobs: 1 } });
  expect(bucket.blobs.size).toBe(0);
});

async function savepointOf(epochs: ReturnType<typeof modelEpochStore>, name: string) {
  const found = await epochs.readSavepoint('word-count', name);
  if (found === undefined) throw new Error(`no savepoint ${name}`);
  return found;
}
