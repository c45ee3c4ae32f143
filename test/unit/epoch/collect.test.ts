import { expect, it } from 'vitest';
import { type CoordinatorDeps, type JobSettings, SupersededError, type Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { collectGarbage } from '../../../lib/epoch/garbage/collect.ts';
import type { RowExpiry } from '../../../lib/epoch/garbage/expire-rows.ts';
import { createListings } from '../../../lib/epoch/garbage/listings.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { EpochRow, Savepoint } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { jobRowOf } from '../cli/rows.ts';

const LAST = 9;

const EXPIRY = { catchUp: async () => {}, expire: async () => {} } as unknown as RowExpiry;
const NEVER = new AbortController().signal;

/** A job whose newest epoch is 9, and of which 7 and those before are retired. */
function world() {
  const bucket = new BlobBucket(() => 0);
  const real = modelBlobStore(bucket, async (_api, _about, _failure, execute) => execute(undefined as never));
  const deleted: number[] = [];
  let listed = 0;
  const blobStore: BlobStore = {
    ...real,
    async delete(names) {
      const some = [...names];
      await new Promise((resolve) => setImmediate(resolve));
      deleted.push(some.length);
      return real.delete(some);
    },
    list(prefix) {
      listed++;
      return real.list(prefix);
    },
  };
  let ids = 0;
  const blobs = createBlobs(blobStore, { id: () => String(ids++).padStart(32, '0'), fraction: () => 0 });
  const place = (epoch: number) => ({ job: 'word-count', incarnation: 'inc', stage: 'count', subtask: 0, epoch });
  const manifestOf = (epoch: number, state: readonly BlobRef[] = []): Manifest => ({
    ...{ version: 3, job: 'word-count', incarnation: 'inc', epoch, decisionId: `d${epoch}`, parentDecisionId: `d${epoch - 1}` },
    ...{ offsets: {}, outputs: {}, committables: [] },
    state: { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base: undefined, deltas: state }] },
  });
  const rowOf = (epoch: number, manifest: EpochRow['manifest']): EpochRow => ({
    ...{ epoch, decisionId: `d${epoch}`, manifest },
    summary: { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 },
  });
  const told: CoordinatorEvent[] = [];
  let looks = 0;
  let nowMs = 0;
  const job: { lastCompleted: number; lastCommitted: number; savepoints: readonly Savepoint[]; savepointsSince?: readonly Savepoint[] } = {
    ...{ lastCompleted: LAST, lastCommitted: LAST },
    savepoints: [],
  };
  const listings = createListings({ elapsedMs: () => nowMs });
  return {
    bucket,
    told,
    /** What else there is of the job, `savepointsSince` from the first listing of blobs on; a test changes it. */
    job,
    /** How often the bucket was listed. */
    listed: () => listed,
    wait(ms: number) {
      nowMs += ms;
    },
    /** How many blobs each request deleted. */
    deleted,
    manifestOf,
    rowOf,
    write: (epoch: number, folder: 'manifest' | 'state/count' | 'exchange', payload: string) =>
      blobs.write(place(epoch), folder, folder === 'state/count' ? 'state' : folder, [Buffer.from(payload)], 0),
    /** `lostAfter`: after so many looks at the row another coordinator holds the job. */
    collect(rows: readonly EpochRow[], retainedCheckpoints: number, lostAfter = Number.POSITIVE_INFINITY): Promise<void> {
      const { lastCompleted, lastCommitted, savepoints } = job;
      const last = { epoch: lastCompleted, decisionId: `d${lastCompleted}` };
      const row = jobRowOf({ lastCompleted: last, lastCommitted, retiredThrough: LAST - 2 });
      const epochs = {
        readJob: async () => (looks++ < lostAfter ? row : { ...row, generation: row.generation + 1 }),
        listSavepoints: async () => (listed > 0 ? (job.savepointsSince ?? savepoints) : savepoints),
        retireThrough: async () => 'written' as const,
        listEpochs: async (_job: string, _incarnation: string, after: number) => rows.filter(({ epoch }) => epoch > after),
      };
      const deps = { epochs, blobs, blobStore, observe: (event: CoordinatorEvent) => told.push(event) } as unknown as CoordinatorDeps;
      const settings = { job: 'word-count', retainedCheckpoints } as JobSettings;
      const tenure = { generation: row.generation, incarnation: 'inc' } as Tenure;
      return collectGarbage({ deps, settings, tenure, signal: NEVER }, { rows: EXPIRY, listings });
    },
  };
}

const nameOf = (ref: BlobRef) => (ref.at === 'store' ? ref.name : expect.fail('it is inline'));

it('a manifest that lies in a blob, because it is large, is kept for as long as its epoch is live, and goes when it is retired', async () => {
  const { bucket, told, write, manifestOf, rowOf, collect } = world();
  const names = await Promise.all(
    [LAST - 1, LAST].map(async (epoch) => nameOf(await write(epoch, 'manifest', JSON.stringify(manifestOf(epoch))))),
  );
  const rows = names.map((name, index) => rowOf(LAST - 1 + index, { at: 'blob', name }));

  await collect(rows, 2);
  expect([...bucket.blobs.keys()].sort()).toEqual([...names].sort());
  expect(told).toEqual([]);
  await collect(rows, 1);
  expect([...bucket.blobs.keys()]).toEqual([names[1]]);
  expect(told).toEqual([{ event: 'collected', blobs: 1, retired: 1 }]);
});

it('of many blobs that nothing needs each is deleted once, at most 500 in a request, and what is needed stays', async () => {
  const { bucket, told, deleted, write, manifestOf, rowOf, collect } = world();
  for (let count = 0; count < 1_001; count++) await write(LAST, 'state/count', `${count}`);
  const live = await write(LAST, 'state/count', 'live');
  const row = rowOf(LAST, { at: 'row', manifest: manifestOf(LAST, [live]) });

  await collect([row], 2);
  expect([...bucket.blobs.keys()]).toEqual([nameOf(live)]);
  expect(deleted).toEqual([500, 500, 1]);
  await collect([row], 2);
  expect(deleted).toHaveLength(3);
  expect(told).toEqual([{ event: 'collected', blobs: 1_001, retired: 0 }]);
});

it('who has lost the job since it has listed the blobs deletes none: whoever holds it may have started from what a savepoint kept', async () => {
  const { bucket, deleted, write, manifestOf, rowOf, collect } = world();
  const unnamed = await write(LAST, 'state/count', 'of a savepoint that was deleted since');
  const rows = [rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })];
  await expect(collect(rows, 2, 1)).rejects.toThrow(SupersededError);
  expect(deleted).toEqual([]);
  expect([...bucket.blobs.keys()]).toEqual([nameOf(unnamed)]);
});

it('epochs that are retired and leave nothing to delete are told', async () => {
  const { told, rowOf, manifestOf, collect } = world();
  await collect([rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })], 1);
  expect(told).toEqual([{ event: 'collected', blobs: 0, retired: 1 }]);
});

it('where nothing has changed since nothing is listed again, until what comes late is to be found', async () => {
  const { bucket, listed, wait, write, manifestOf, rowOf, collect } = world();
  const live = await write(LAST, 'state/count', 'live');
  const rows = [rowOf(LAST, { at: 'row', manifest: manifestOf(LAST, [live]) })];
  for (let count = 0; count < 5; count++) await collect(rows, 2);
  expect(listed()).toBe(1);
  // Of an attempt that was given up long ago.
  const late = nameOf(await write(LAST, 'state/count', 'late'));
  wait(599_999);
  await collect(rows, 2);
  expect(bucket.blobs.has(late)).toBe(true);
  wait(1);
  await collect(rows, 2);
  expect([bucket.blobs.has(late), listed()]).toEqual([false, 2]);
  // What the manifests name is another thing now: what they named before may be garbage.
  await collect([rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })], 2);
  expect([bucket.blobs.size, listed()]).toEqual([0, 3]);
});

it('what was listed is listed again when the job is further, whatever its manifests name', async () => {
  const { bucket, job, listed, write, manifestOf, rowOf, collect } = world();
  job.lastCommitted = LAST - 1;
  await write(LAST, 'exchange', 'rows');
  const rows = [rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })];
  await collect(rows, 2);
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([1, 1]);
  job.lastCommitted = LAST;
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([0, 2]);
  // Decided, and not committed yet: what other attempts at it have written is garbage.
  job.lastCompleted = LAST + 1;
  await collect(rows, 2);
  expect(listed()).toBe(3);
});

/** A savepoint of epoch 4. */
const savepointOf = (manifest: Manifest): Savepoint => ({
  ...{ job: 'word-count', name: 'kept', id: 'i', standing: 'complete', createdAtMs: 0, incarnation: 'inc', epoch: LAST - 5 },
  ...{ decisionId: 'd', fingerprint: 'f', maxParallelism: 128, manifest: { at: 'row', manifest } },
});

it('what a savepoint has kept since the blobs were listed stays', async () => {
  const { bucket, job, told, write, manifestOf, rowOf, collect } = world();
  const kept = await write(LAST - 5, 'state/count', 'kept');
  await write(LAST - 5, 'state/count', 'garbage');
  job.savepointsSince = [savepointOf(manifestOf(LAST - 5, [kept]))];
  await collect([rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })], 2);
  expect([...bucket.blobs.keys()]).toEqual([nameOf(kept)]);
  expect(told).toEqual([{ event: 'collected', blobs: 1, retired: 0 }]);
});

it('where the manifest of a savepoint is none, nothing is deleted, and it is said', async () => {
  const { bucket, job, told, write, manifestOf, rowOf, collect } = world();
  await write(LAST - 5, 'state/count', 'of the savepoint, perhaps');
  const name = nameOf(await write(LAST - 5, 'manifest', 'no manifest'));
  job.savepoints = [{ ...savepointOf(manifestOf(LAST - 5)), manifest: { at: 'blob', name } }];
  await collect([rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })], 2);
  expect(bucket.blobs.size).toBe(2);
  expect(told).toMatchObject([{ event: 'warning', message: expect.stringContaining('savepoint kept') }]);
});

it('what was listed is listed again when savepoints keep less: also when one is on its way out, and when one could not be read', async () => {
  const { bucket, job, listed, write, manifestOf, rowOf, collect } = world();
  const rows = [rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })];
  const kept = savepointOf(manifestOf(LAST - 5, [await write(LAST - 5, 'state/count', 'kept')]));
  job.savepoints = [kept];
  await collect(rows, 2);
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([1, 1]);
  job.savepoints = [{ ...kept, standing: 'deleting' }];
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([0, 2]);

  await write(LAST - 5, 'state/count', 'of an unknown one');
  job.savepoints = [{ job: 'word-count', name: 'kept', standing: 'unreadable', why: 'it is of a later build' } as never];
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([1, 3]);
  job.savepoints = [];
  await collect(rows, 2);
  expect([bucket.blobs.size, listed()]).toEqual([0, 4]);
});

it('what could not be deleted is found again at the next collection', async () => {
  const { bucket, write, manifestOf, rowOf, collect } = world();
  await write(LAST, 'state/count', 'garbage');
  const { delete: given } = bucket;
  bucket.delete = () => {
    throw new Error('the bucket is away');
  };
  const rows = [rowOf(LAST, { at: 'row', manifest: manifestOf(LAST) })];
  await expect(collect(rows, 2)).rejects.toThrow('away');
  bucket.delete = given;
  await collect(rows, 2);
  expect(bucket.blobs.size).toBe(0);
});
