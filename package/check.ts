/**
 * `npm run check` runs it: packs the package as a release does, and has the tarball looked at by publint (does everything that its
 * manifest names exist, in the form that it says?) and by attw (do the compiler and Node find the same behind each entry point?).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pack } from './pack.ts';

const BIN = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'onceflow-package-'));
try {
  const tarball = pack(folder);
  // ESM alone: Node 24 has `require` of it.
  for (const [tool, ...args] of [['publint', 'run', tarball, '--strict'] as const, ['attw', tarball, '--profile', 'esm-only'] as const])
    if (spawnSync(join(BIN, tool), args, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
