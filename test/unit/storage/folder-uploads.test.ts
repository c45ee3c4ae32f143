import promises, { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createFolderUploads } from '../../../lib/storage/folder-uploads.ts';

const KEY = 'day=1/job-1-files-0-000000000001-0.jsonl';
const CONTENT = 'first second';

/** What a process that is dead is given: nothing, ever. */
const never = new Promise<never>(() => {});

const calls = ['link', 'mkdir', 'open', 'readFile', 'readdir', 'rename', 'rm', 'stat', 'unlink'] as const;
const real = { ...promises };

afterEach(revive);

function revive(): void {
  Object.assign(promises, real);
  syncBuiltinESMExports();
}

/** The process dies at the n-th thing that it asks of the file system; a folder's removal it dies at half-way. */
function dieAt(nth: number): Promise<void> {
  return new Promise((died) => {
    let asked = 0;
    for (const call of calls) {
      const ask = real[call] as (...args: unknown[]) => Promise<unknown>;
      const dying = async (...args: unknown[]): Promise<unknown> => {
        if (++asked < nth) return ask(...args);
        if (asked === nth) {
          if (call === 'rm') await removeHalf(String(args[0]));
          died();
        }
        return never;
      };
      Object.assign(promises, { [call]: dying });
    }
    syncBuiltinESMExports();
  });
}

async function removeHalf(folder: string): Promise<void> {
  const files = await real.readdir(folder).catch(() => []);
  for (const file of files.slice(0, Math.ceil(files.length / 2))) await real.rm(join(folder, file));
}

interface Uploaded {
  readonly upload: string;
  readonly parts: readonly string[];
}

const histories: Readonly<Record<string, (store: ReturnType<typeof createFolderUploads>, uploaded: Uploaded) => Promise<unknown>>> = {
  begins: (store) => store.begin(KEY, 'text/plain'),
  'writes a part': (store, { upload }) => store.part(KEY, upload, 3, Buffer.from('third')),
  completes: (store, { upload, parts }) => store.complete(KEY, upload, parts),
  ends: (store, { upload }) => store.abort(KEY, upload),
};

describe('uploads in a folder', () => {
  for (const [name, history] of Object.entries(histories))
    it(`a process that dies at any step when it ${name} leaves an upload that completes or is gone, and nothing that a settling does not find`, async () => {
      for (let nth = 1, isOver = false; !isOver; nth++) {
        const folder = await mkdtemp(join(tmpdir(), 'onceflow-uploads-'));
        try {
          const store = createFolderUploads({ folder });
          const upload = await store.begin(KEY, 'text/plain');
          const parts = [
            await store.part(KEY, upload, 1, Buffer.from(CONTENT.slice(0, 5))),
            await store.part(KEY, upload, 2, Buffer.from(CONTENT.slice(5))),
          ];
          const died = dieAt(nth);
          isOver = await Promise.race([history(store, { upload, parts }).then(() => true), died.then(() => false)]);
          revive();
          const next = createFolderUploads({ folder });
          const at = `at step ${nth}`;
          const isOpen = await next.isOpen(KEY, upload);
          const isThere = (await next.sizeOf(KEY)) !== undefined;
          const open = await next.open();
          expect(
            open.map(({ key }) => key),
            at,
          ).toEqual(open.map(() => 'job-1-files-0-000000000001-0.jsonl'));
          expect(await next.complete(KEY, upload, parts), at).toBe(isOpen ? (isThere ? 'exists' : 'completed') : 'gone');
          if (isOpen || isThere) expect(await readFile(join(folder, KEY), 'utf8'), at).toBe(CONTENT);
          for (const { key, upload: left } of await next.open()) await next.abort(key, left);
          expect(await readdir(join(folder, '.onceflow-uploads')), at).toEqual([]);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }
    });

  it('an upload that a power cut has taken a part from is gone: it is made again, and not waited for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onceflow-uploads-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = createFolderUploads({ folder });
    const upload = await store.begin(KEY, 'text/plain');
    const parts = [await store.part(KEY, upload, 1, Buffer.from('first ')), await store.part(KEY, upload, 2, Buffer.from('second'))];
    await rm(join(folder, '.onceflow-uploads', upload, parts[1] ?? ''));
    expect(await store.complete(KEY, upload, parts)).toBe('gone');
    expect(await store.isOpen(KEY, upload)).toBe(false);
    expect(await store.sizeOf(KEY)).toBeUndefined();
    expect(await readdir(join(folder, '.onceflow-uploads'))).toEqual([]);
  });
});
