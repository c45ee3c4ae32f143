import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreProblem } from '../ports/store-problem.ts';

/*
 * Files that survive a power cut: the content is synced under one name and linked to another, and the folders that name it are synced.
 */

/** Errors of the file system that a person has to mend; all others may pass (a full disk, too many open files). */
const PERMANENT = new Set(['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'EXDEV']);

/**
 * Makes the folder, and those above it that are missing; answers the first that it made. Not by `mkdir` with `recursive`: where
 * nothing can be made, as below /proc, that never ends.
 */
export async function makeFolders(folder: string): Promise<string | undefined> {
  const make = () =>
    mkdir(folder).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      },
    );
  try {
    return (await make()) ? folder : undefined;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  const firstMade = await makeFolders(dirname(folder));
  return (await make()) ? (firstMade ?? folder) : firstMade;
}

export async function writeSynced(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await withFile(await open(path, 'wx'), async (file) => {
    await writeAll(file, parts);
    await file.sync();
  });
}

/** In one call, unless the file system takes less than it was given. */
async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let left = parts.filter(({ length }) => length > 0);
  while (left.length > 0) {
    let written = (await file.writev(left)).bytesWritten;
    left = left.flatMap((part) => {
      const ofPart = Math.min(written, part.length);
      written -= ofPart;
      return ofPart === part.length ? [] : [part.subarray(ofPart)];
    });
  }
}

/** A new entry is durable when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  await withFile(await open(path, 'r'), (file) => file.sync());
}

export async function withFile(file: FileHandle, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** False when there is a file of that name already. */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  await orUndefined(['ENOENT', 'ENOTDIR'], unlink(path));
}

/** Undefined for an expected error. */
export async function orUndefined<T>(codes: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Is it an answer of the file system? */
export function isOfFileSystem(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) !== undefined && 'errno' in error;
}

/** What the file system answered, as the problem that it is. @param option what names the folder, for the message */
export function fileProblem(error: Error, what: string, where: string, option: string): StoreProblem {
  const code = codeOf(error) ?? '';
  // Not a folder that went meanwhile: one that cannot be made, as below /proc.
  const cannotBeMade = code === 'ENOENT' && 'syscall' in error && error.syscall === 'mkdir';
  const retriable = !PERMANENT.has(code) && !cannotBeMade;
  const mend = retriable ? 'it may succeed later' : `make the folder writable for this process, or correct ${option}`;
  return new StoreProblem(`could not ${what} in ${where} (${option}): ${error.message}; ${mend}`, retriable, { cause: error });
}
