import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { pinsOf } from '../../../lib/epoch/garbage/live.ts';
import { exportSavepoint } from '../../../lib/epoch/savepoint/export.ts';
import { importSavepoint } from '../../../lib/epoch/savepoint/import.ts';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import type { EpochStore, Savepoint, UnreadableSavepoint } from '../../../lib/ports/epoch-store.ts';
import { parseManifest } from '../../../lib/protocol/manifest.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { writeSavepoint } from '../../../lib/replay/write-savepoint.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { createFileBlobStore } from '../../../lib/storage/file-blob-store.ts';
import { openSpool } from '../../../lib/storage/spool.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { manifestOf, NOW } from '../cli/rows.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);

/** A table and a blob store. `isDeleting`: beside every blob that is written somebody deletes what no savepoint keeps, as `cancel --retention delete` does. */
function place(job: string, isDeleting = false) {
  const bucket = new BlobBucket(() => NOW);
  const epochs: EpochStore = modelEpochStore(new EpochTable(() => NOW), carry);
  const real = modelBlobStore(bucket, carry);
  let ids = 0;
  const random = { id: () => `${++ids}`.padStart(32, job === 'word-count' ? 'a' : 'b'), fraction: () => 0 };
  const blobs = createBlobs(real, random);
  const blobStore: BlobStore = {
    ...real,
    async put(name, ...parts) {
      await real.put(name, ...parts);
      if (!isDeleting) return;
      const found = [...bucket.blobs.keys()];
      const pins = await pinsOf({ epochs, blobs }, job);
      await real.delete(found.filter((each) => !pins.has(each)));
    },
  };
  return {
    bucket,
    epochs,
    random,
    blobStore,
    blobs: createBlobs(blobStore, random),
    clock: { now: () => NOW, elapsedMs: () => 0, sleep: async () => {} },
  };
}

const savepoint: Savepoint = {
  ...{ job: 'word-count', name: 'kept', id: 'i1', standing: 'complete', createdAtMs: NOW, incarnation: 'inc', epoch: 7, decisionId: 'd7' },
  ...{ fingerprint: 'f', maxParallelism: 128, manifest: { at: 'row', manifest: manifestOf(7, { outputs: {}, committables: [] }) } },
};
const nameIn = (kind: string, incarnation = 'inc') => `word-count/${incarnation}/${kind}/count-0-000000000007-ab`;
const STATE = nameIn('state/count');

/** Of these savepoints. */
function pins(listed: readonly (Savepoint | UnreadableSavepoint)[]) {
  const { blobs } = place('word-count');
  return pinsOf({ epochs: { listSavepoints: async () => listed } as unknown as EpochStore, blobs }, 'word-count');
}

describe('what savepoints keep', () => {
  it('is what they name; one that is on its way out keeps nothing', async () => {
    const ref: BlobRef = { at: 'store', name: STATE, bytes: 1 };
    const state = { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base: ref, deltas: [] }] };
    const of: Savepoint = { ...savepoint, manifest: { at: 'row', manifest: manifestOf(7, { state, outputs: {}, committables: [] }) } };
    const kept = await pins([of]);
    expect([STATE, nameIn('state/other'), nameIn('exchange')].map((name) => kept.has(name))).toEqual([true, false, false]);
    expect((await pins([{ ...of, standing: 'deleting' }])).has(STATE)).toBe(false);
  });

  it('is everything of the incarnation of one that is coming, and nothing of others', async () => {
    const kept = await pins([{ ...savepoint, standing: 'importing', manifest: { at: 'blob', name: nameIn('manifest') } }]);
    expect(kept.unreadable).toEqual([]);
    expect([STATE, nameIn('manifest'), nameIn('state/count', 'other')].map((name) => kept.has(name))).toEqual([true, true, false]);
  });

  it.each<[string, Savepoint | UnreadableSavepoint, RegExp]>([
    [
      'whose row is damaged, or of a newer build',
      { job: 'word-count', name: 'kept', standing: 'unreadable', why: 'it is of version 9' },
      /^savepoint kept of job word-count cannot be read, .* no state is deleted while it is there: it is of version 9\./,
    ],
    [
      'whose manifest is gone',
      { ...savepoint, manifest: { at: 'blob', name: nameIn('manifest') } },
      /blob word-count\/inc\/manifest\S+ is missing/,
    ],
    ['whose manifest is none', { ...savepoint, manifest: { at: 'row', manifest: {} as never } }, /is no manifest/],
  ])(
    'is all state and all manifests while there is one %s, and it is said; what no savepoint ever names may go',
    async (_what, of, why) => {
      const kept = await pins([savepoint, of]);
      expect(kept.unreadable).toEqual([expect.stringMatching(why)]);
      const names = [STATE, nameIn('manifest'), nameIn('state/count', 'other'), nameIn('exchange'), nameIn('output')];
      expect(names.map((name) => kept.has(name))).toEqual([true, true, true, false, false]);
    },
  );
});

/** All that a savepoint names is there. */
async function isWhole({ epochs, bucket, blobs }: ReturnType<typeof place>, job: string, name: string): Promise<number> {
  const found = await epochs.readSavepoint(job, name);
  if (found?.standing !== 'complete') throw new Error(`savepoint ${name} is ${found?.standing}`);
  const { manifest } = found;
  const own =
    manifest.at === 'row'
      ? manifest.manifest
      : parseManifest(JSON.parse(String(await blobs.read('manifest', { at: 'store', name: manifest.name, bytes: 0 }))), 'it');
  const names = Object.values(own.state).flatMap((subtasks) =>
    subtasks.flatMap(({ base, deltas }) => [base, ...deltas].flatMap((ref) => (ref?.at === 'store' ? [ref.name] : []))),
  );
  for (const each of names) expect(bucket.blobs.has(each)).toBe(true);
  return names.length;
}

async function* linesOf(keys: number): AsyncGenerator<string> {
  for (let key = 0; key < keys; key++) yield JSON.stringify({ operator: 'count-words', key: `word ${key}`, state: 'count', value: key });
}

function written(to: ReturnType<typeof place>, lines: AsyncIterable<string>) {
  const spool = openSpool();
  onTestFinished(() => spool.close());
  return writeSavepoint({ ...to, spool } as never, { job: wordCount, name: 'word-count', maxParallelism: 128 }, 'prepared', lines);
}

describe('a job that is deleted beside it loses', () => {
  it('nothing of a savepoint that is written from lines', async () => {
    const to = place('word-count', true);
    expect(await written(to, linesOf(500))).toEqual({ outcome: 'made', lines: 500 });
    expect(await isWhole(to, 'word-count', 'prepared')).toBeGreaterThan(10);
  });

  it('nothing of a savepoint that is imported with a manifest of its own blob', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onceflow-export-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const from = place('word-count');
    await written(from, linesOf(500));
    const kept = await from.epochs.readSavepoint('word-count', 'prepared');
    if (kept === undefined) throw new Error('it is not there');
    // So large that no row holds it.
    const manifest = JSON.parse(
      String(await from.blobs.read('manifest', { at: 'store', name: kept.manifest.at === 'blob' ? kept.manifest.name : '', bytes: 0 })),
    );
    const [first] = manifest.state['count-words'];
    manifest.state['count-words'][0] = { ...first, deltas: Array.from({ length: 4_000 }, () => first.base) };
    const large: Savepoint = { ...kept, manifest: { at: 'row', manifest } };
    await exportSavepoint(from, large, createFileBlobStore({ folder: join(folder, 'there') }));
    const to = place('other', true);
    const imported = await importSavepoint(to, 'other', 'theirs', createFileBlobStore({ folder: join(folder, 'there') }));
    expect(imported).toMatchObject({ outcome: 'imported', savepoint: { manifest: { at: 'blob' } } });
    expect(await isWhole(to, 'other', 'theirs')).toBeGreaterThan(4_000);
  });
});

it('an import is no savepoint to start from until all that it names is there', async () => {
  const from = place('word-count');
  await written(from, linesOf(200));
  const kept = await from.epochs.readSavepoint('word-count', 'prepared');
  if (kept === undefined) throw new Error('it is not there');
  const folder = place('there').blobStore;
  await exportSavepoint(from, kept, folder);
  const to = place('other');
  const standings = new Set<string | undefined>();
  const put: BlobStore['put'] = async (name, ...parts) => {
    standings.add((await to.epochs.readSavepoint('other', 'theirs'))?.standing);
    await to.blobStore.put(name, ...parts);
  };
  expect(await importSavepoint({ ...to, blobStore: { ...to.blobStore, put } }, 'other', 'theirs', folder)).toMatchObject({
    outcome: 'imported',
  });
  expect([...standings]).toEqual(['importing']);
  expect(await isWhole(to, 'other', 'theirs')).toBeGreaterThan(10);
});

it('a write of state that fails leaves neither a savepoint nor a blob, and one that died leaves what a deletion finds', async () => {
  const to = place('word-count');
  async function* broken(): AsyncGenerator<string> {
    yield* linesOf(50);
    yield JSON.stringify({ operator: 'count-words', key: 'word 7', state: 'count', value: 9 });
  }
  await expect(written(to, broken())).rejects.toThrow('state count of this key was said by a line before');
  expect(await to.epochs.listSavepoints('word-count')).toEqual([]);
  expect(to.bucket.blobs.size).toBe(0);

  const dies = { ...to, epochs: { ...to.epochs, moveSavepoint: () => Promise.reject(new Error('killed')) } };
  await expect(written(dies, linesOf(50))).rejects.toThrow('killed');
  expect(await to.epochs.readSavepoint('word-count', 'prepared')).toMatchObject({ standing: 'importing' });
  expect(await written(to, linesOf(50))).toEqual({ outcome: 'exists', standing: 'importing' });
});
