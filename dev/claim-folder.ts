import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../lib/config/usage-error.ts';
import { reasonOf } from '../lib/ports/reason.ts';
import { loadSqlite } from '../lib/sqlite/load-sqlite.ts';

const [LOCK, OWNER] = ['lock', 'owner'];

/**
 * Makes the folder this process's own until it ends, however it ends: a broker has its data to itself, and a job its epochs. The lock is
 * one of SQLite's on a file without content, which the system gives back.
 *
 * @param fresh what is in it is deleted first
 * @throws UsageError: another process has it, or it cannot be written to
 */
export function claimFolder(folder: string, fresh: boolean): { release(): void } {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(`the folder ${folder} cannot be written to (${reasonOf(error)}): name another with --dir`);
  }
  const lock = new (loadSqlite().DatabaseSync)(join(folder, LOCK));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw new UsageError(
      `another "onceflow dev" (process ${ownerIn(folder)}) works in ${folder}: end it, or name another folder with --dir (${reasonOf(error)})`,
    );
  }
  if (fresh) for (const name of readdirSync(folder)) if (!name.startsWith(LOCK)) rmSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, OWNER), `${process.pid}`);
  return { release: () => lock.close() };
}

function ownerIn(folder: string): string {
  try {
    return readFileSync(join(folder, OWNER), 'utf8');
  } catch {
    return 'unknown';
  }
}
