import { expect, it } from 'vitest';
import type { CoordinatorDeps } from '../../../lib/epoch/coordinator/context.ts';
import { deleteSavepoint } from '../../../lib/epoch/savepoint/delete.ts';
import type { Savepoint } from '../../../lib/ports/epoch-store.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { manifestOf, NOW } from '../cli/rows.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);
let ids = 0;
const random = { id: () => `${++ids}`.padStart(32, '0'), fraction: () => 0 };

/** A savepoint of incarnation `next`, whose state was written in `older` and whose manifest in `left`: its job is gone. */
async function world(failsAt: string) {
  const bucket = new BlobBucket(() => NOW);
  const store = modelBlobStore(bucket, carry);
  const blobs = createBlobs(store, random);
  const write = (incarnation: string, folder: string, format: 'state' | 'manifest', text: string) =>
    blobs.write({ job: 'word-count', incarnation, stage: 'count', subtask: 0, epoch: 7 }, folder, format, [Buffer.from(text)], 0);
  const base = await write('older', 'state/count', 'state', 'x');
  await write('next', 'state/count', 'state', 'of an attempt');
  const state = { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base, deltas: [] }] };
  const manifest = manifestOf(7, { incarnation: 'next', outputs: {}, committables: [], state });
  const stored = await write('left', 'manifest', 'manifest', JSON.stringify(manifest));
  const savepoint = {
    ...{ job: 'word-count', name: 'kept', id: 'i', standing: 'complete', createdAtMs: NOW, incarnation: 'next', epoch: 7 },
    ...{ decisionId: manifest.decisionId, fingerprint: 'f', maxParallelism: 128 },
    manifest: { at: 'blob', name: stored.at === 'store' ? stored.name : '' },
  } as Savepoint;
  let fails = true;
  const blobStore = {
    ...store,
    async delete(names: readonly string[]) {
      if (fails && names.some((name) => name.includes(`/${failsAt}/`))) {
        fails = false;
        throw new Error('the store does not answer');
      }
      return store.delete(names);
    },
  };
  const epochs = {
    moveSavepoint: async () => 'moved',
    readJob: async () => undefined,
    listSavepoints: async () => [],
    deleteSavepoint: async () => {},
  };
  const deps = { epochs, blobs, blobStore } as unknown as CoordinatorDeps;
  return { bucket, remove: () => deleteSavepoint(deps, savepoint) };
}

it.each(['older', 'next', 'left'])(
  'a deletion that dies at the blobs of incarnation %s finds all that is left when it is run again',
  async (failsAt) => {
    const { bucket, remove } = await world(failsAt);
    await expect(remove()).rejects.toThrow('the store does not answer');
    expect(bucket.blobs.size).toBeGreaterThan(0);
    await remove();
    expect([...bucket.blobs.keys()]).toEqual([]);
  },
);
