import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import { createFileBlobStore } from '../../../lib/storage/file-blob-store.ts';
import { blobStoreContract } from '../../contracts/blob-store.ts';

describe('the file blob store', () => {
  let root = '';
  let made = 0;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'onceflow-blobs-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  function newStore(): { readonly folder: string; readonly store: BlobStore } {
    const folder = join(root, `${made++}`, 'made/by/the/store');
    return { folder, store: createFileBlobStore({ folder }) };
  }

  async function names(store: BlobStore): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of store.list('')) found.push(name);
    return found;
  }

  blobStoreContract(async () => newStore().store);

  it('is empty before its folder exists', async () => {
    expect(await names(newStore().store)).toEqual([]);
  });

  it('leaves nothing behind but the blob, whether it was created, there already, or another', async () => {
    const { folder, store } = newStore();
    await store.put('job/x', Buffer.from('x'));
    await store.put('job/x', Buffer.from('x'));
    await store.put('job/x', Buffer.from('y')).catch(() => undefined);
    expect(await readdir(folder)).toEqual(['job', '~writing']);
    expect(await readdir(join(folder, 'job'))).toEqual(['x']);
    expect(await readdir(join(folder, '~writing'))).toEqual([]);
  });

  it('does not see what a crash left of a write', async () => {
    const { folder, store } = newStore();
    await store.put('job/x', Buffer.from('x'));
    await writeFile(join(folder, '~writing/half'), 'hal');
    await writeFile(join(folder, 'job/not~a~blob'), 'x');
    expect(await names(store)).toEqual(['job/x']);
    await expect(store.get('~writing/half')).rejects.toThrow(/is no blob name/);
  });

  it('removes what a crash left more than an hour ago, and nothing that may be being written', async () => {
    const { folder, store } = newStore();
    await mkdir(join(folder, '~writing'), { recursive: true });
    await writeFile(join(folder, '~writing/old'), 'x');
    await writeFile(join(folder, '~writing/new'), 'x');
    const anHourAgo = Date.now() / 1000 - 3_601;
    await utimes(join(folder, '~writing/old'), anHourAgo, anHourAgo);
    await store.put('job/x', Buffer.from('x'));
    expect(await readdir(join(folder, '~writing'))).toEqual(['new']);
  });

  it('says which path is in the way when its folder is a file', async () => {
    const { folder, store } = newStore();
    await mkdir(join(folder, '..'), { recursive: true });
    await writeFile(folder, 'a file');
    await expect(store.put('job/x', Buffer.from('x'))).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: expect.stringContaining(`could not write blob job/x in file://${folder} (ONCEFLOW_BLOBS): `),
    });
  });

  it.each(['/proc/onceflow', '/proc/onceflow/below'])('says so, and ends, where no folder can be made: %s', async (folder) => {
    const store = createFileBlobStore({ folder });
    await expect(store.put('job/x', Buffer.from('x'))).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
  });

  it('goes on after its folder was removed and the next write made it again', async () => {
    const { folder, store } = newStore();
    await store.put('job/x', Buffer.from('x'));
    await rm(folder, { recursive: true });
    await expect(store.put('job/y', Buffer.from('y'))).rejects.toMatchObject({ name: 'StoreProblem', retriable: true });
    await store.put('job/y', Buffer.from('y'));
    expect(await names(store)).toEqual(['job/y']);
  });
});
