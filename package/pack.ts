import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Makes the tarball as a release does, in this folder. @returns its path */
export function pack(folder: string): string {
  const { status, error } = spawnSync('npm', ['pack', '--pack-destination', folder, '--loglevel', 'error'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  if (status !== 0 || file === undefined) throw error ?? new Error(`npm pack ended with ${status}`);
  return join(folder, file);
}
