import { createRequire } from 'node:module';
import type * as esbuild from 'esbuild';
import { UsageError } from '../../lib/config/usage-error.ts';

/** esbuild, an optional peer: who deploys has it installed. @throws UsageError: it is missing. */
export function loadBundler(): typeof esbuild {
  try {
    return createRequire(import.meta.url)('esbuild');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new UsageError('esbuild bundles the functions of a job, and it is not installed: npm install --save-dev esbuild');
  }
}
