import { expect, it } from 'vitest';
import type { JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { collectGarbage } from '../../../lib/epoch/garbage/collect.ts';
import { createRowExpiry } from '../../../lib/epoch/garbage/expire-rows.ts';
import { createListings } from '../../../lib/epoch/garbage/listings.ts';
import type { Held } from '../../../lib/epoch/lease/held.ts';
import type { EpochStore } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { jobRowOf, manifestOf } from '../cli/rows.ts';

const HOUR_MS = 3_600_000;
const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);
const NOTHING = { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 };

/** A job that was started from its epoch 1, which names two blobs, and has left one that nothing names. */
async function world(watch: (epochs: EpochStore) => Partial<EpochStore> = () => ({})) {
  let nowMs = 0;
  const bucket = new BlobBucket(() => nowMs);
  const blobStore = modelBlobStore(bucket, carry);
  const epochs = modelEpochStore(new EpochTable(() => nowMs), carry);
  let ids = 0;
  const random = { id: () => `${++ids}`.padStart(32, '0'), fraction: () => 0 };
  const blobs = createBlobs(blobStore, random);
  const write = (epoch: number) =>
    blobs.write(
      { job: 'word-count', incarnation: 'old', stage: 'count', subtask: 0, epoch },
      'state/count',
      'state',
      [Buffer.from('x')],
      0,
    );
  const row = jobRowOf({ generation: 1, incarnation: 'old', lastCompleted: undefined, lastCommitted: 0, retiredThrough: -1 });
  await epochs.createJob(row);
  const [base, delta, orphan] = [await write(0), await write(1), await write(1)];
  const state = { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base, deltas: [delta] }] };
  const decide = async (incarnation: string, epoch: number, parentDecisionId: string | undefined, change: Partial<Manifest>) => {
    const decisionId = `${incarnation}${epoch}`;
    const manifest = manifestOf(epoch, { incarnation, decisionId, parentDecisionId, outputs: {}, committables: [], ...change });
    const of = { job: 'word-count', incarnation, generation: 1, epoch, decisionId, parentDecisionId, leaseExpiresAtMs: 0 };
    expect(await epochs.decide({ ...of, lastCommitted: epoch - 1, manifest: { at: 'row', manifest }, summary: NOTHING })).toBe('decided');
    await epochs.recordCommitted('word-count', 1, epoch);
  };
  await decide('old', 0, undefined, {});
  await decide('old', 1, 'old0', { state });
  const at = { incarnation: 'new', epoch: 1, decisionId: 'new1' };
  const manifest = manifestOf(1, { ...at, parentDecisionId: 'old1', outputs: {}, committables: [], state });
  await epochs.beginIncarnation({
    ...{ job: 'word-count', generation: 1, leaves: 'old', ...at, manifest: { at: 'row', manifest }, summary: NOTHING, fingerprint: 'f' },
    ...{ maxParallelism: 128, leaseExpiresAtMs: 0, startedFrom: [], former: [{ incarnation: 'old', leftAtMs: 0 }], savepoint: undefined },
    letsRunAfterStops: undefined,
  });
  const clock = { now: () => nowMs, elapsedMs: () => nowMs, sleep: async () => {} };
  const deps = { epochs: { ...epochs, ...watch(epochs) }, blobStore, blobs, clock, observe: () => {} };
  const held = {
    ...{ deps, settings: { job: 'word-count', retainedCheckpoints: 1 }, tenure: { generation: 1, incarnation: 'new' } },
    signal: new AbortController().signal,
  } as unknown as Held<JobSettings>;
  const nameOf = (ref: typeof base) => (ref.at === 'store' ? ref.name : '');
  return {
    ...{ bucket, epochs, decide },
    names: { base: nameOf(base), delta: nameOf(delta), orphan: nameOf(orphan) },
    collect: () => collectGarbage(held, { rows: createRowExpiry({ epochs, clock }, 'word-count', 'new'), listings: createListings(clock) }),
    wait: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('what a manifest names of an incarnation that the job has left stays, and the rest of that goes', async () => {
  const { bucket, collect, names } = await world();
  await collect();
  expect([...bucket.blobs.keys()].sort()).toEqual([names.base, names.delta].sort());
});

it('when nothing names any of it, all of it goes; the row forgets it an hour after it was left, and its rows get their end', async () => {
  const { bucket, epochs, collect, decide, wait } = await world();
  await decide('new', 2, 'new1', {});
  await decide('new', 3, 'new2', {});
  await collect();
  expect(bucket.blobs.size).toBe(0);
  await collect();
  expect((await epochs.readJob('word-count'))?.former).toHaveLength(1);
  wait(HOUR_MS);
  await collect();
  expect((await epochs.readJob('word-count'))?.former).toEqual([]);
  const rows = await epochs.listEpochs('word-count', 'old', -1);
  expect(rows.map(({ expiresAtMs }) => expiresAtMs)).toEqual([25 * HOUR_MS, 25 * HOUR_MS]);
});

it('while a savepoint names it, it stays, and the row remembers it', async () => {
  const { bucket, epochs, collect, decide, wait, names } = await world();
  const first = await epochs.readEpoch('word-count', 'new', 1);
  if (first === undefined) throw new Error('it is not there');
  const { epoch, decisionId, manifest } = first;
  const of = {
    job: 'word-count',
    name: 'kept',
    id: 'i',
    standing: 'complete',
    createdAtMs: 0,
    fingerprint: 'f',
    maxParallelism: 128,
  } as const;
  expect(await epochs.createSavepoint({ ...of, incarnation: 'new', epoch, decisionId, manifest })).toBe('created');
  await decide('new', 2, 'new1', {});
  await decide('new', 3, 'new2', {});
  wait(2 * HOUR_MS);
  await collect();
  await collect();
  expect([...bucket.blobs.keys()].sort()).toEqual([names.base, names.delta].sort());
  expect((await epochs.readJob('word-count'))?.former).toHaveLength(1);
});

it('a collector that has lost the job, or its incarnation, since it read deletes nothing', async () => {
  let reads = 0;
  const { bucket, collect } = await world((epochs) => ({
    readJob: async (job) => {
      const row = await epochs.readJob(job);
      return row !== undefined && ++reads > 1 ? { ...row, incarnation: 'another' } : row;
    },
  }));
  await expect(collect()).rejects.toThrow(/was deleted and made anew/);
  expect(bucket.blobs.size).toBe(3);
});

it('an incarnation is forgotten when its rows have got their end, and not before', async () => {
  const written: string[] = [];
  const { collect, decide, wait } = await world((epochs) => ({
    async expireEpoch(job, incarnation, epoch, atMs) {
      await new Promise((resolve) => setImmediate(resolve));
      if (incarnation === 'old') written.push(`row ${epoch}`);
      return epochs.expireEpoch(job, incarnation, epoch, atMs);
    },
    forgetFormer(...of) {
      written.push('forgotten');
      return epochs.forgetFormer(...of);
    },
  }));
  await decide('new', 2, 'new1', {});
  await decide('new', 3, 'new2', {});
  await collect();
  wait(HOUR_MS);
  await collect();
  await collect();
  expect(written).toEqual(['row 0', 'row 1', 'forgotten']);
});
