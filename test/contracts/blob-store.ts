import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { BlobConflictError, type BlobEntry, BlobMissingError, type BlobStore } from '../../lib/ports/blob-store.ts';

/** What every `BlobStore` promises. `open` is called once; each test has a folder of its own. */
export function blobStoreContract(open: () => Promise<BlobStore>): void {
  let store: BlobStore;

  beforeAll(async () => {
    store = await open();
  });

  const newFolder = () => `job/${randomUUID()}`;

  async function names(prefix: string): Promise<string[]> {
    return (await entries(prefix)).map(({ name }) => name);
  }

  async function entries(prefix: string): Promise<BlobEntry[]> {
    const found: BlobEntry[] = [];
    for await (const entry of store.list(prefix)) found.push(entry);
    return found;
  }

  it.each([0, 1, 100_000, 5_000_000])('gives back the %i bytes that were put', async (bytes) => {
    const name = `${newFolder()}/state/count/0-1`;
    const content = randomBytes(bytes);
    await store.put(name, content);
    const found = await store.get(name);
    expect(Buffer.isBuffer(found)).toBe(true);
    expect(found.equals(content)).toBe(true);
  });

  it('puts the parts of a blob one behind the other, and takes the same bytes in other parts for the same blob', async () => {
    const name = `${newFolder()}/state/count/0-1`;
    const content = randomBytes(3_000_000);
    await store.put(name, content.subarray(0, 16), Buffer.alloc(0), content.subarray(16, 2_000_000), content.subarray(2_000_000));
    expect((await store.get(name)).equals(content)).toBe(true);
    await store.put(name, content.subarray(0, 1_000_000), content.subarray(1_000_000));
    await expect(store.put(name, content.subarray(16), content.subarray(0, 16))).rejects.toThrow(BlobConflictError);
  });

  it('gives back a range of the bytes, as far as there are any', async () => {
    const name = `${newFolder()}/state/count/0-1`;
    const content = randomBytes(100_000);
    await store.put(name, content);
    const range = async (start: number, end: number) => (await store.get(name, { start, end })).toString('base64');
    const expected = (start: number, end: number) => content.subarray(start, end).toString('base64');
    for (const [start, end] of [
      [0, 1],
      [0, 100_000],
      [12_345, 67_890],
      [99_999, 100_000],
      [99_990, 200_000],
      [100_000, 100_001],
      [300_000, 400_000],
    ] as const) {
      expect(await range(start, end)).toBe(expected(start, end));
    }
    const missing = await store.get(`${name}-no`, { start: 0, end: 10 }).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(BlobMissingError);
  });

  it('puts the bytes of a view, not those of the buffer around it', async () => {
    const name = `${newFolder()}/x`;
    const content = Buffer.from('around the view around');
    await store.put(name, content.subarray(7, 15));
    expect((await store.get(name)).toString()).toBe('the view');
  });

  it('takes a second put of the same bytes for success', async () => {
    const name = `${newFolder()}/x`;
    const content = randomBytes(50_000);
    await store.put(name, content);
    await store.put(name, Buffer.from(content));
    expect((await store.get(name)).equals(content)).toBe(true);
  });

  it.each([
    ['shorter', 'abc', 'ab'],
    ['longer', 'abc', 'abcd'],
    ['of the same length', 'abc', 'abd'],
    ['empty', 'abc', ''],
    ['not empty, as the first', '', 'abc'],
  ])('refuses a second put of other bytes: %s', async (_how, first, second) => {
    const name = `${newFolder()}/x`;
    await store.put(name, Buffer.from(first));
    const refused = await store.put(name, Buffer.from(second)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BlobConflictError);
    expect(refused).toMatchObject({ message: expect.stringContaining(name) });
    expect((await store.get(name)).toString()).toBe(first);
  });

  it('of 20 concurrent puts of different bytes exactly one is the blob', async () => {
    const name = `${newFolder()}/x`;
    const contents = Array.from({ length: 20 }, () => randomBytes(20_000));
    const results = await Promise.allSettled(contents.map((content) => store.put(name, content)));
    const winners = contents.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect((await store.get(name)).equals(winners[0] ?? Buffer.alloc(0))).toBe(true);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(BlobConflictError);
  });

  it('lets all of 10 concurrent puts of the same bytes succeed', async () => {
    const name = `${newFolder()}/x`;
    const content = randomBytes(20_000);
    await Promise.all(Array.from({ length: 10 }, () => store.put(name, content)));
    expect((await store.get(name)).equals(content)).toBe(true);
  });

  it('throws for a blob that is missing, naming it and the option', async () => {
    const name = `${newFolder()}/x`;
    const missing = await store.get(name).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(BlobMissingError);
    expect(missing).toMatchObject({ blob: name, message: expect.stringContaining('ONCEFLOW_BLOBS') });
  });

  it('takes a folder of blobs for no blob', async () => {
    const folder = newFolder();
    await store.put(`${folder}/x`, Buffer.from('x'));
    await expect(store.get(folder)).rejects.toBeInstanceOf(BlobMissingError);
  });

  it('deletes the blobs that it is told to, whether they exist or not, and no others', async () => {
    const folder = newFolder();
    await Promise.all(['a', 'b', 'c'].map((blob) => store.put(`${folder}/${blob}`, Buffer.from(blob))));
    await store.delete([`${folder}/a`, `${folder}/never-was`, `${folder}/c`]);
    expect(await names(`${folder}/`)).toEqual([`${folder}/b`]);
    await expect(store.get(`${folder}/a`)).rejects.toBeInstanceOf(BlobMissingError);
    await store.delete([`${folder}/a`, `${folder}/b`]);
    await store.delete([]);
    expect(await names(`${folder}/`)).toEqual([]);
  });

  it('lists names that start with the prefix, in their order, with their sizes', async () => {
    const folder = newFolder();
    const blobs = ['a-b', 'a/b', 'a/b.c', 'a0', 'B', 'state/count/10', 'state/count/9', 'state-2/x'];
    await Promise.all(blobs.map((blob) => store.put(`${folder}/${blob}`, Buffer.alloc(blob.length))));
    expect(await names(`${folder}/`)).toEqual(
      ['B', 'a-b', 'a/b', 'a/b.c', 'a0', 'state-2/x', 'state/count/10', 'state/count/9'].map((blob) => `${folder}/${blob}`),
    );
    expect(await names(`${folder}/state`)).toEqual(['state-2/x', 'state/count/10', 'state/count/9'].map((blob) => `${folder}/${blob}`));
    expect(await names(`${folder}/state/`)).toEqual(['state/count/10', 'state/count/9'].map((blob) => `${folder}/${blob}`));
    expect(await names(`${folder}/state/count/1`)).toEqual([`${folder}/state/count/10`]);
    expect(await names(`${folder}/none`)).toEqual([]);
    const [entry] = await entries(`${folder}/state/count/10`);
    expect(entry?.bytes).toBe('state/count/10'.length);
    expect(Math.abs((entry?.modifiedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('lists and deletes more blobs than fit in one request', { timeout: 60_000 }, async () => {
    const folder = newFolder();
    const blobs = Array.from({ length: 1005 }, (_, index) => `${folder}/${String(index).padStart(4, '0')}`);
    for (let start = 0; start < blobs.length; start += 50) {
      await Promise.all(blobs.slice(start, start + 50).map((blob) => store.put(blob, Buffer.from('x'))));
    }
    expect(await names(`${folder}/`)).toEqual(blobs);
    await store.delete(blobs);
    expect(await names(`${folder}/`)).toEqual([]);
  });

  it.each(['', '/', 'a//b', '/a', 'a/', '.', '..', 'a/../b', '../a', 'a b', 'a\\b', 'ä', 'a\0b', '~a', 'a/./b'])(
    'refuses the name %j',
    async (name) => {
      await expect(store.put(name, Buffer.from('x'))).rejects.toThrow(/is no blob name/);
      await expect(store.get(name)).rejects.toThrow(/is no blob name/);
      await expect(store.delete([name])).rejects.toThrow(/is no blob name/);
    },
  );

  it.each(['../', 'a/../', '/', 'a b'])('refuses to list %j', async (prefix) => {
    await expect(names(prefix)).rejects.toThrow(/is no blob name/);
  });
}
