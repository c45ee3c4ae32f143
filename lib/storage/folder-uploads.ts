import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { UploadStore } from '../ports/uploads.ts';
import { fileProblem, isOfFileSystem, linkNew, makeFolders, orUndefined, syncFolder, unlinkIfThere, writeSynced } from './durable-files.ts';

/** Readers of the folder do not look into what begins with a dot. */
const UPLOADS = '.onceflow-uploads';
/** Between the name of the file that an upload is of, which says whose it is, and what tells it from others of that file. */
const SEPARATOR = '~';
/** Of an upload that was ended, and whose content may be there in part. */
const ENDED = '.ended';

/**
 * Files below a folder, on one machine or a shared POSIX file system with hard links. An upload is a folder of its own, beside which
 * nobody sees anything; completed, it is a file that is linked to its name, and durable. It begins and ends in one step each, so that
 * whoever dies at it leaves an upload that is found by its name, or none.
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
  const end = async (upload: string) => {
    const ended = upload.endsWith(ENDED) ? upload : `${upload}${ENDED}`;
    if (ended !== upload) await orUndefined(['ENOENT'], rename(own(upload), own(ended)));
    await rm(own(ended), { recursive: true, force: true });
  };
  return {
    begin: (key) =>
      explained(`begin ${key}`, async () => {
        const upload = `${basename(key)}${SEPARATOR}${randomUUID()}`;
        await makeFolders(uploadsFolder);
        await mkdir(own(upload));
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
        if (!(await isThere(own(upload)))) return 'gone';
        const whole = own(upload, `whole-${randomUUID()}`);
        const contents = await orUndefined(['ENOENT'], Promise.all(parts.map((part) => readFile(own(upload, part)))));
        if (contents === undefined) {
          // A power cut has taken a part. With what is left of it nobody can do anything: it is no upload any more.
          await end(upload);
          return 'gone';
        }
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
        await end(upload);
        return 'completed';
      }),
    abort: (key, upload) => explained(`end the upload of ${key}`, () => end(upload)),
    isOpen: (key, upload) => explained(`look for the upload of ${key}`, () => isThere(own(upload))),
    sizeOf: (key) => explained(`look for ${key}`, async () => (await orUndefined(['ENOENT', 'ENOTDIR'], stat(join(folder, key))))?.size),
    open: () =>
      explained('look for uploads', async () => {
        await makeFolders(uploadsFolder);
        return (await readdir(uploadsFolder)).map((upload) => ({ key: upload.split(SEPARATOR, 1)[0] ?? '', upload }));
      }),
  };
}
