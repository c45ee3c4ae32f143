import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { createFileBlobStore } from '../../../lib/storage/file-blob-store.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { jobRowOf, manifestOf, NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);

/** A table and a blob store of their own, and what `onceflow savepoint` does with them. */
function place(job: string) {
  const bucket = new BlobBucket(() => NOW);
  const epochs = modelEpochStore(new EpochTable(() => NOW), carry);
  const store = modelBlobStore(bucket, carry);
  let ids = 0;
  const random = { id: () => `${++ids}`.padStart(32, job === 'word-count' ? 'a' : 'b'), fraction: () => 0 };
  const tools = {
    ...{ job, epochs, random, clock: { now: () => NOW }, config: { table: 't' }, blobStore: async () => store },
    placeAt: async ({ folder }: { readonly folder: string }) => createFileBlobStore({ folder }),
  };
  return { bucket, epochs, blobs: createBlobs(store, random), run: (...call: string[]) => runCommand(['savepoint', ...call], tools) };
}

/** A job with a savepoint `kept` of a base and a delta in blobs and one inline, exported to a folder. */
async function exported() {
  const folder = await mkdtemp(join(tmpdir(), 'onceflow-export-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const from = place('word-count');
  const born = jobRowOf({ generation: 1, lastCompleted: undefined, lastCommitted: 0, retiredThrough: -1 });
  await from.epochs.createJob(born);
  const at = { job: born.job, incarnation: 'inc', stage: 'count', subtask: 0, epoch: 0 };
  const write = (text: string, inlineUpTo = 0) => from.blobs.write(at, 'state/count', 'state', [Buffer.from(text)], inlineUpTo);
  const snapshot = {
    id: 's',
    keyGroups: { first: 0, last: 127 },
    base: await write('base'),
    deltas: [await write('delta'), await write('x', 999)],
  };
  const manifest = manifestOf(0, { parentDecisionId: undefined, state: { count: [snapshot] }, outputs: {}, committables: [] });
  await from.epochs.decide({
    ...{ job: born.job, incarnation: 'inc', generation: 1, epoch: 0, decisionId: 'd0', parentDecisionId: undefined, leaseExpiresAtMs: 0 },
    ...{ lastCommitted: 0, manifest: { at: 'row', manifest } },
    summary: { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 },
  });
  await from.run('create', 'kept');
  const target = join(folder, 'there');
  expect(await from.run('export', 'kept', `file://${target}`)).toMatchObject({ json: { outcome: 'exported', blobs: 2 } });
  return { from, target };
}

it('is one folder that needs neither table nor blobs: a job of another name has it elsewhere, byte for byte', async () => {
  const { from, target } = await exported();
  const before = [...from.bucket.blobs.values()].map(({ bytes }) => bytes.toString('hex'));
  const to = place('other');
  expect(await to.run('import', 'from-old', `file://${target}`)).toMatchObject({
    json: { outcome: 'imported', job: 'other', name: 'from-old', blobs: 2 },
  });
  expect([...to.bucket.blobs.values()].map(({ bytes }) => bytes.toString('hex')).sort()).toEqual(before.sort());
  const savepoint = await to.epochs.readSavepoint('other', 'from-old');
  if (savepoint?.manifest.at !== 'row') throw new Error('it has no manifest in its row');
  const { manifest } = savepoint.manifest;
  expect(savepoint).toMatchObject({
    standing: 'complete',
    epoch: 0,
    fingerprint: 'f',
    maxParallelism: 128,
    incarnation: manifest.incarnation,
  });
  expect(manifest).toMatchObject({ job: 'other', offsets: manifestOf(0).offsets });
  const [{ base, deltas } = { base: undefined, deltas: [] }] = manifest.state['count'] ?? [];
  const names = [base, ...deltas].flatMap((ref) => (ref?.at === 'store' ? [ref.name] : []));
  expect(names).toHaveLength(2);
  for (const name of names) expect(to.bucket.blobs.has(name) && name.startsWith(`other/${savepoint.incarnation}/state/count/`)).toBe(true);
});

it('takes all its blobs along when it is deleted, though the job has never run', async () => {
  const { target } = await exported();
  const to = place('other');
  await to.run('import', 'from-old', `file://${target}`);
  expect(await to.run('delete', 'from-old')).toMatchObject({ json: { outcome: 'deleted', blobs: 2 } });
  expect(to.bucket.blobs.size).toBe(0);
});

it('is finished by a second import when the first one died between its blobs', async () => {
  const { target } = await exported();
  const to = place('other');
  const put = to.bucket.put.bind(to.bucket);
  let puts = 0;
  to.bucket.put = (name, bytes) => {
    if (++puts === 2) throw new Error('killed');
    put(name, bytes);
  };
  await expect(to.run('import', 'from-old', `file://${target}`)).rejects.toThrow('killed');
  expect(await to.epochs.readSavepoint('other', 'from-old')).toMatchObject({ standing: 'importing' });
  expect(await to.run('import', 'from-old', `file://${target}`)).toMatchObject({ json: { outcome: 'imported' } });
  expect(to.bucket.blobs.size).toBe(2);
});

it('that somebody deletes while it is imported is not said to be there, and leaves no blob', async () => {
  const { target } = await exported();
  const to = place('other');
  const put = to.bucket.put.bind(to.bucket);
  let deletion: Promise<unknown> | undefined;
  to.bucket.put = (name, bytes) => {
    put(name, bytes);
    deletion ??= to.run('delete', 'from-old');
  };
  await expect(to.run('import', 'from-old', `file://${target}`)).rejects.toThrow(
    /savepoint from-old was not imported: it was deleted by somebody else meanwhile/,
  );
  expect(await deletion).toMatchObject({ json: { outcome: 'deleted' } });
  expect(to.bucket.blobs.size).toBe(0);
});

const edited = (change: (index: Record<string, unknown>) => unknown) => async (target: string) => {
  const file = join(target, 'savepoint.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify(change(index)));
};

it.each<[string, (target: string) => Promise<unknown>, RegExp]>([
  [
    'whose index is gone',
    (target) => rm(join(target, 'savepoint.json')),
    /no savepoint\.json is there: it is no exported savepoint, or its export did not come to its end/,
  ],
  [
    'of which a blob is gone',
    (target) => rm(join(target, 'blobs/000001')),
    /blobs\/000001 \(blob word-count\/inc\/state\/count\/\S+\) is missing: the export is damaged/,
  ],
  [
    'of which a blob is cut',
    (target) => writeFile(join(target, 'blobs/000000'), 'x'),
    /blobs\/000000 .* has 1 bytes, and was written with \d+/,
  ],
  [
    'of which a blob has other bytes',
    async (target) => {
      const file = join(target, 'blobs/000000');
      const bytes = await readFile(file);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await writeFile(file, bytes);
    },
    /blobs\/000000 .* has another content than was written/,
  ],
  [
    'of a newer format',
    edited((index) => ({ ...index, format: 2 })),
    /it is of format 2, and this build reads format 1: import it with a later one/,
  ],
  ['of a format that there never was', edited((index) => ({ ...index, format: 0 })), /its savepoint\.json is damaged: format/],
  ['that is something else', edited(() => ({ any: 'thing' })), /its savepoint\.json is not that of an exported savepoint/],
  ['whose index is damaged', edited((index) => ({ ...index, epoch: -1 })), /its savepoint\.json is damaged: epoch/],
  [
    'whose manifest is of another epoch',
    edited((index) => ({ ...index, epoch: Number(index['epoch']) + 3 })),
    /its savepoint\.json is damaged: it is of epoch \d+ .*, and its manifest of epoch \d+/,
  ],
  ['whose manifest is damaged', edited((index) => ({ ...index, manifest: {} })), /its savepoint\.json is damaged: manifest is no manifest/],
  ['that lists too little', edited((index) => ({ ...index, blobs: [] })), /is damaged: it lists no file for blob word-count\/inc\/state/],
])('an export %s is refused in one message, and nothing is changed', async (_what, damage, message) => {
  const { target } = await exported();
  await damage(target);
  const to = place('other');
  await expect(to.run('import', 'from-old', `file://${target}`)).rejects.toThrow(message);
  expect(to.bucket.blobs.size).toBe(0);
  expect(await to.epochs.listSavepoints('other')).toEqual([]);
});

it.each<[string, (bucket: BlobBucket, name: string) => void, RegExp]>([
  ['is gone', (bucket, name) => bucket.delete([name]), /kept was not exported: blob word-count\/inc\/state\S+ is missing from/],
  [
    'is cut',
    ({ blobs }, name) => blobs.set(name, { bytes: Buffer.from('x'), modifiedAtMs: NOW }),
    /kept was not exported: blob word-count\/inc\/state\S+ .* cannot be used/,
  ],
])('a savepoint of which a blob %s is not exported, and leaves nothing of an export', async (_what, damage, message) => {
  const { from, target } = await exported();
  damage(from.bucket, [...from.bucket.blobs.keys()].at(-1) ?? '');
  const other = `${target}-2`;
  await expect(from.run('export', 'kept', `file://${other}`)).rejects.toThrow(message);
  expect((await readdir(other, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())).toEqual([]);
});

it.each<[string, string[], RegExp]>([
  ['to a place where something is', ['export', 'kept', 'PLACE'], /savepoint kept was not exported: something is there already/],
  ['of one that is not there', ['export', 'gone', 'PLACE/new'], /job word-count has no savepoint gone: it has kept/],
  ['to what is no place', ['export', 'kept', 'there'], /there is no place for an exported savepoint: it must be file:/],
  ['without a place', ['import', 'kept'], /savepoint import takes the name of one savepoint, and a URL/],
  ['under a name that is taken', ['import', 'kept', 'PLACE'], /job word-count has a savepoint kept already/],
])('refuses an export or an import %s', async (_what, call, message) => {
  const { from, target } = await exported();
  const files = await readdir(target, { recursive: true });
  const before = from.bucket.blobs.size;
  await expect(from.run(...call.map((each) => each.replace('PLACE', `file://${target}`)))).rejects.toThrow(message);
  expect(await readdir(target, { recursive: true })).toEqual(files);
  expect(from.bucket.blobs.size).toBe(before);
});
