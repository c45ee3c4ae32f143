import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OpenUpload, UploadStore } from '../ports/uploads.ts';
import { fileProblem, isOfFileSystem, linkNew, makeFolders, orUndefined, syncFolder, unlinkIfThere, writeSynced } from './durable-files.ts';

/** Readers of the folder do not look into what begins with a dot. */
const UPLOADS = '.onceflow-uploads';
/** Holds the key of an upload. */
const KEY_FILE = 'key';

/**
 * Files below a folder, on one machine or a shared POSIX file system with hard links. An upload is a folder of its own, beside which
 * nobody sees anything; completed, it is a file that is linked to its name, and durable.
 */
export function createFolderUploads({ folder }: { readonly folder: string }): UploadStore {
  const uploadsFolder = join(folder, UPLOADS);
  const own = (upload: string, file = '') => join(uploadsFolder, upload, file);
  const explained = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw isOfFileSystem(error) ? fileProblem(error, what, `file://${folder}`, 'the location of a sink') : error;
    }
  };
  const isThere = async (path: string) => (await orUndefined(['ENOENT', 'ENOTDIR'], stat(path))) !== undefined;
  return {
    begin: (key) =>
      explained(`begin ${key}`, async () => {
        const upload = randomUUID();
        await makeFolders(uploadsFolder);
        await mkdir(own(upload));
        await writeSynced(own(upload, KEY_FILE), [Buffer.from(key)]);
        return upload;
      }),
    part: (key, upload, number, bytes) =>
      explained(`write ${key}`, async () => {
        const name = `part-${number}-${randomUUID()}`;
        await writeSynced(own(upload, name), [bytes]);
        return name;
      }),
    complete: (key, upload, parts) =>
      explained(`complete ${key}`, async () => {
        const path = join(folder, key);
        if (!(await isThere(own(upload, KEY_FILE)))) return 'gone';
        const whole = own(upload, `whole-${randomUUID()}`);
        const contents = await orUndefined(['ENOENT'], Promise.all(parts.map((part) => readFile(own(upload, part)))));
        if (contents === undefined) return 'gone';
        await writeSynced(whole, contents);
        const firstMade = await makeFolders(dirname(path));
        const isNew = await linkNew(whole, path);
        // Also when it was there: whoever linked it may have died before this.
        const last = firstMade === undefined ? dirname(path) : dirname(firstMade);
        for (let made = dirname(path); ; made = dirname(made)) {
          await syncFolder(made);
          if (made === last) break;
        }
        if (!isNew) {
          await unlinkIfThere(whole);
          return 'exists';
        }
        await rm(own(upload), { recursive: true, force: true });
        return 'completed';
      }),
    abort: (key, upload) => explained(`end the upload of ${key}`, () => rm(own(upload), { recursive: true, force: true })),
    isOpen: (key, upload) => explained(`look for the upload of ${key}`, () => isThere(own(upload, KEY_FILE))),
    sizeOf: (key) => explained(`look for ${key}`, async () => (await orUndefined(['ENOENT', 'ENOTDIR'], stat(join(folder, key))))?.size),
    open: () =>
      explained('look for uploads', async () => {
        await makeFolders(uploadsFolder);
        const uploads = await readdir(uploadsFolder);
        const found = await Promise.all(
          uploads.map(async (upload): Promise<OpenUpload[]> => {
            const key = await orUndefined(['ENOENT', 'ENOTDIR'], readFile(own(upload, KEY_FILE), 'utf8'));
            return key === undefined ? [] : [{ key, upload }];
          }),
        );
        return found.flat();
      }),
  };
}
