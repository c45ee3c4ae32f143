import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkBlobName, checkBlobPrefix, isBlobName } from '../ports/blob-name.ts';
import { BlobConflictError, type BlobEntry, BlobMissingError, type BlobStore, type ByteRange } from '../ports/blob-store.ts';
import {
  fileProblem,
  isOfFileSystem,
  linkNew,
  makeFolders,
  orUndefined,
  syncFolder,
  unlinkIfThere,
  withFile,
  writeSynced,
} from './durable-files.ts';

/** No blob's name holds a `~`, so what a crash leaves here is never taken for a blob. */
const TEMPORARY_FOLDER = '~writing';
/** Longer than any write takes. A writer that was paused for longer finds its file gone and reports a retriable problem. */
const LEFTOVER_AGE_MS = 3_600_000;

export interface FilePlace {
  readonly folder: string;
  /** What names it, for messages. @default ONCEFLOW_BLOBS */
  readonly option?: string;
}

/**
 * Blobs as files under `folder`, on one machine or a shared POSIX file system with hard links. A blob appears whole or
 * not at all, and `put` resolves when it would survive a power cut: the content is synced under a temporary name,
 * linked to its own (which fails when that exists), and the folders that name it are synced.
 */
export function createFileBlobStore({ folder, option = 'ONCEFLOW_BLOBS' }: FilePlace): BlobStore {
  const store: Store = { folder, option, durableFolders: new Map() };
  return {
    put: (name, ...parts) => put(store, name, parts),
    get: (name, range) => get(store, name, range),
    delete: (names) => deleteAll(store, names),
    list: (prefix) => list(store, prefix),
  };
}

interface Store {
  readonly folder: string;
  readonly option: string;
  /** Folders that this process has made, or found, and synced with all above them. */
  readonly durableFolders: Map<string, Promise<void>>;
}

async function put(store: Store, name: string, parts: readonly Uint8Array[]): Promise<void> {
  checkBlobName(name);
  const path = join(store.folder, name);
  await explained(store, `write blob ${name}`, async () => {
    await Promise.all([ensureTemporaryFolder(store), ensureFolder(store, dirname(path))]);
    const temporary = join(store.folder, TEMPORARY_FOLDER, randomUUID());
    try {
      await writeSynced(temporary, parts);
      const created = await linkNew(temporary, path);
      if (!created && !(await readFile(path)).equals(Buffer.concat(parts))) throw new BlobConflictError(name, whereOf(store));
    } finally {
      await unlinkIfThere(temporary);
    }
    // Also when the blob was there: its writer may have crashed before this.
    await syncFolder(dirname(path));
  });
}

async function get(store: Store, name: string, range?: ByteRange): Promise<Buffer> {
  checkBlobName(name);
  const path = join(store.folder, name);
  const bytes = await explained(store, `read blob ${name}`, () =>
    orUndefined(['ENOENT', 'ENOTDIR', 'EISDIR'], range === undefined ? readFile(path) : readRange(path, range)),
  );
  if (bytes === undefined) throw new BlobMissingError(name, whereOf(store));
  return bytes;
}

async function readRange(path: string, { start, end }: ByteRange): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  let filled = 0;
  await withFile(await open(path, 'r'), async (file) => {
    for (let read = -1; filled < bytes.length && read !== 0; filled += read)
      read = (await file.read(bytes, filled, bytes.length - filled, start + filled)).bytesRead;
  });
  return bytes.subarray(0, filled);
}

async function deleteAll(store: Store, names: readonly string[]): Promise<void> {
  for (const name of names) checkBlobName(name);
  // A deletion that a power cut undoes leaves an orphan, which is harmless: nothing is synced.
  for (const name of names) await explained(store, `delete blob ${name}`, () => unlinkIfThere(join(store.folder, name)));
}

async function* list(store: Store, prefix: string): AsyncIterable<BlobEntry> {
  checkBlobPrefix(prefix);
  yield* listFolder(store, '', prefix);
}

/** Blobs below `path` (empty, or ending in a slash) whose names start with `prefix`. */
async function* listFolder(store: Store, path: string, prefix: string): AsyncIterable<BlobEntry> {
  const found = await explained(store, `list ${path}`, () =>
    orUndefined(['ENOENT'], readdir(join(store.folder, path), { withFileTypes: true })),
  );
  // A folder sorts by its name with the slash, as the names of its blobs do: `a-b` comes before `a/b`.
  const names = (found ?? []).map((entry) => path + entry.name + (entry.isDirectory() ? '/' : '')).sort(byCodeUnits);
  for (const name of names) {
    const isFolder = name.endsWith('/');
    if (!isBlobName(isFolder ? name.slice(0, -1) : name)) continue;
    if (isFolder && (name.startsWith(prefix) || prefix.startsWith(name))) yield* listFolder(store, name, prefix);
    if (isFolder || !name.startsWith(prefix)) continue;
    const file = await explained(store, `list ${path}`, () => orUndefined(['ENOENT'], stat(join(store.folder, name))));
    if (file !== undefined) yield { name, bytes: file.size, modifiedAtMs: Math.trunc(file.mtimeMs) };
  }
}

function byCodeUnits(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Makes the folder and those above it, once for each process, and syncs every folder that names a new one. */
function ensureFolder(store: Store, folder: string): Promise<void> {
  const known = store.durableFolders.get(folder);
  if (known !== undefined) return known;
  const made = makeFolder(store, folder);
  store.durableFolders.set(folder, made);
  // A failed attempt is not remembered.
  made.catch(() => store.durableFolders.delete(folder));
  return made;
}

async function makeFolder(store: Store, folder: string): Promise<void> {
  if (folder !== store.folder) {
    await ensureFolder(store, dirname(folder));
    await makeFolders(folder);
    return syncFolder(dirname(folder));
  }
  const firstMade = (await makeFolders(folder)) ?? folder;
  // Each folder that is new is an entry of the one above it.
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function ensureTemporaryFolder(store: Store): Promise<void> {
  const folder = join(store.folder, TEMPORARY_FOLDER);
  const isFirst = !store.durableFolders.has(folder);
  await ensureFolder(store, folder);
  if (isFirst) await removeLeftovers(folder);
}

/** What writers that were killed have left behind. */
async function removeLeftovers(folder: string): Promise<void> {
  const before = Date.now() - LEFTOVER_AGE_MS;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const file = await orUndefined(['ENOENT'], stat(path));
    if (file !== undefined && file.mtimeMs < before) await unlinkIfThere(path);
  }
}

async function explained<T>(store: Store, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    // The folder may have been removed behind our back: make it again next time.
    store.durableFolders.clear();
    throw fileProblem(error, what, whereOf(store), store.option);
  }
}

function whereOf({ folder }: Store): string {
  return `file://${folder}`;
}
