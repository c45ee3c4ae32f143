import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside this file too: in a bundle all of the engine is. */
const OWN = ['.', '../../host/', '../../functions/', '../../lib/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/** Is this file the job's author's: no package's, and none of the engine? */
export function isUsers(path: string): boolean {
  return !isPackaged(path) && !OWN.some((folder) => path.startsWith(folder));
}

export function isPackaged(path: string): boolean {
  return path.includes('/node_modules/');
}

/** As a person in the working directory would name it. */
export function shortPath(path: string): string {
  const fromHere = relative('.', path);
  return fromHere.startsWith('..') ? path : fromHere;
}
