import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What was left of an installation that was killed. */
const LEFTOVER_AGE_MS = 3_600_000;

/** This user's, shared by all projects. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const system = process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache');
  return join(env['XDG_CACHE_HOME'] || system, 'onceflow');
}

/**
 * Makes a folder of the cache, under another name first: it is there whole or not at all.
 *
 * @param make fills the folder that it is given
 * @throws what `make` throws, unless another process was quicker
 */
export async function makeWhole(folder: string, cache: string, make: (making: string) => Promise<void>): Promise<void> {
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  const making = join(cache, `making-${randomBytes(6).toString('hex')}`);
  mkdirSync(making);
  try {
    await make(making);
    renameSync(making, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function removeLeftovers(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const isLeft =
      name.startsWith('making-') && Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > LEFTOVER_AGE_MS;
    if (isLeft) rmSync(path, { recursive: true, force: true });
  }
}
