import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { LeftToNextError, SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import { isGarbage } from '../../../lib/epoch/garbage/retain.ts';
import { beginIncarnation } from '../../../lib/epoch/start/begin-incarnation.ts';
import type { PlannedStart } from '../../../lib/epoch/start/plan-start.ts';
import type { EpochStore, JobRow, NextIncarnation, Savepoint } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { jobRowOf, manifestOf, NOW } from '../cli/rows.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);

const manifest = manifestOf(7, { incarnation: 'imported', outputs: {}, committables: [] });
const savepoint: Savepoint = {
  ...{ job: 'word-count', name: 'kept', id: 'i1', standing: 'complete', createdAtMs: NOW, incarnation: 'imported', epoch: 7 },
  ...{ decisionId: manifest.decisionId, fingerprint: 'f', maxParallelism: 128, manifest: { at: 'row', manifest } },
};

/** The row of a job with these columns after a start from a savepoint that was imported. */
async function begun(
  columns: Partial<JobRow>,
  meanwhile = async (_epochs: EpochStore) => {},
  settings: Partial<JobSettings> = {},
  signal = new AbortController().signal,
  begin: (next: NextIncarnation, model: EpochStore) => ReturnType<EpochStore['beginIncarnation']> = (next, model) =>
    model.beginIncarnation(next),
  of: { readonly manifest: Manifest; readonly bucket?: BlobBucket } = { manifest },
): Promise<JobRow> {
  const model = modelEpochStore(new EpochTable(() => NOW), carry);
  const epochs: EpochStore = {
    ...model,
    async beginIncarnation(next) {
      const answer = await begin(next, model);
      await meanwhile(model);
      return answer;
    },
  };
  const row = jobRowOf({ generation: 1, incarnation: 'own', lastCompleted: undefined, lastCommitted: 0, retiredThrough: -1, ...columns });
  await epochs.createJob(row);
  await epochs.importSavepoint(savepoint);
  const clock = { now: () => NOW, elapsedMs: () => 0, sleep: async () => {} };
  const random = { id: () => 'd'.repeat(32), fraction: () => 0 };
  const blobStore = modelBlobStore(of.bucket ?? new BlobBucket(() => NOW), carry);
  const deps = { epochs, clock, random, blobStore, blobs: createBlobs(blobStore, random), observe: () => {} } as unknown as CoordinatorDeps;
  const from = { ...savepoint, what: 'it', savepoint: { name: 'kept', id: 'i1' } };
  const planned: PlannedStart = { from, manifest: of.manifest, incarnation: 'next', rowAfter: row, added: [], renamed: [] };
  return beginIncarnation(deps, { job: 'word-count', fingerprint: 'f', leaseMs: 1_000, ...settings } as JobSettings, row, planned, signal);
}

it('remembers every incarnation whose blobs may be garbage some day: the one that is left, and that of the savepoint', async () => {
  const incarnationsIn = ({ former }: JobRow) => former?.map(({ incarnation }) => incarnation);
  // The savepoint may go while the job still needs its blobs: then nothing but the job's collection ever looks there.
  // One that had no epoch has blobs of starts that died.
  expect(incarnationsIn(await begun({}))).toEqual(['own', 'imported']);
  const last = { epoch: 9, decisionId: 'd9' };
  expect(incarnationsIn(await begun({ lastCompleted: last, lastCommitted: 9 }))).toEqual(['own', 'imported']);
  const former = [{ incarnation: 'imported', leftAtMs: 5 }];
  expect(incarnationsIn(await begun({ lastCompleted: last, lastCommitted: 9, former }))).toEqual(['imported', 'own']);
});

it('remembers the savepoint of ONCEFLOW_START_FROM that a person has passed over: no later start does it', async () => {
  const configured = { configuredFrom: 'kept' };
  const byHand = { at: { epoch: 7 }, once: 'asked', drop: [], onWrittenAgain: 'allow' } as const;
  expect((await begun({}, undefined, { ...configured, startAt: byHand })).startedFrom).toMatchObject([
    { over: { name: 'kept', id: 'i1' } },
  ]);
  const own = { at: { savepoint: 'kept' }, drop: [], onWrittenAgain: 'allow' } as const;
  expect((await begun({}, undefined, { ...configured, startAt: own })).startedFrom?.[0]?.over).toBeUndefined();
  expect((await begun({}, undefined, { configuredFrom: 'gone', startAt: byHand })).startedFrom?.[0]?.over).toBeUndefined();
});

it('lets a job run that was stopped, and leaves a stop alone that was asked for since it was taken', async () => {
  expect(await begun({ desired: 'stopped', failure: 'it failed' })).toMatchObject({ desired: 'running', failure: undefined });
  expect(await begun({ desired: 'running' })).toMatchObject({ desired: 'running' });
  const stopped = begun({ desired: 'running' }, undefined, {}, undefined, async (next, model) => {
    await model.setDesired('word-count', 'stopped', 'own');
    return model.beginIncarnation(next);
  });
  expect(await stopped).toMatchObject({ desired: 'stopped' });
});

it('leaves a stop alone that was asked for since a job was taken that was stopped already', async () => {
  const once = async (next: NextIncarnation, model: EpochStore) => {
    await model.setDesired('word-count', 'stopped', 'own');
    return model.beginIncarnation(next);
  };
  expect(await begun({ desired: 'stopped' }, undefined, {}, undefined, once)).toMatchObject({ desired: 'stopped', stops: 1 });
  expect(await begun({ desired: 'stopped', stops: 3 }, undefined, {}, undefined, once)).toMatchObject({ desired: 'stopped', stops: 4 });
  expect(await begun({ desired: 'stopped', stops: 3 })).toMatchObject({ desired: 'running', stops: 3 });
});

it('that dies with a large manifest leaves no blob of which nobody knows: it is of the incarnation that the job is still in', async () => {
  const bucket = new BlobBucket(() => NOW);
  const of = { manifest: { ...manifest, topicIds: { read: { in: 'x'.repeat(1_000_000) } } }, bucket };
  const last = { lastCompleted: { epoch: 9, decisionId: 'd9' }, lastCommitted: 9 };
  const dies = begun(
    last,
    undefined,
    {},
    undefined,
    async () => {
      throw new Error('it dies');
    },
    of,
  );
  await expect(dies).rejects.toThrow('it dies');
  const facts = { incarnation: 'own', lastCompleted: 9, lastCommitted: 9, live: new Set<string>() };
  expect([...bucket.blobs.keys()].map((name) => [name.split('/')[1], isGarbage(name, facts)])).toEqual([['own', true]]);
});

it('is asked for once more only by a coordinator that has not been told to end', async () => {
  let asked = 0;
  const over = new AbortController();
  over.abort();
  const unreachable = begun({}, undefined, {}, over.signal, async () => {
    asked++;
    throw new StoreProblem('the table does not answer', true);
  });
  await expect(unreachable).rejects.toThrow(LeftToNextError);
  expect(asked).toBe(1);
});

it('is not begun for whoever takes the job over before the answer has come: its generation is another one', async () => {
  const takenOver = begun({}, async (epochs) => void (await epochs.raiseGeneration('word-count', 'another', NOW + 1_000)));
  await expect(takenOver).rejects.toThrow(SupersededError);
});
