import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type JobSummary, lookAtSource } from '../host/job/describe.ts';
import { UsageError } from '../lib/config/usage-error.ts';

/** Where a job is looked for that is not named. */
const USUAL_MODULES = ['./src/job.ts', './src/job.js', './src/job.mjs', './job.ts', './job.js', './job.mjs'];

/** @param command whose argument names it. @throws UsageError: none is named, and none is found */
export function moduleOf(named: string | undefined, env: NodeJS.ProcessEnv, command = 'dev'): string {
  const module = named ?? (env['ONCEFLOW_JOB'] || undefined) ?? USUAL_MODULES.find((each) => existsSync(each));
  if (module !== undefined) return asPath(module);
  throw new UsageError(`which job? Name its module: onceflow ${command} ./path/to/job.ts (there is no ${USUAL_MODULES[0]} here)`);
}

/** A shell completes a path without `./`. A package is JavaScript, and what is no file may be one. */
function asPath(module: string): string {
  if (/^(\.|\/|file:)/.test(module)) return module;
  return existsSync(module) || /\.[cm]?ts$/.test(module) ? `./${module}` : module;
}

/** A job's module on disk, which its author changes. */
export interface JobModule {
  /** As it is now. @returns an error: it cannot be loaded, or has no job */
  look(): LoadedJob | Error;
  /** Has any of the files changed that it is made of since the last look? */
  hasChanged(): boolean;
}

export interface LoadedJob {
  readonly summary: JobSummary;
  /** What functions load: the module, or, where Node cannot load it as it is written, what it was translated to. */
  readonly module: string;
}

/** @param env of the job @param folder for what is translated */
export function jobModule(module: string, env: Readonly<Record<string, string | undefined>>, folder: string): JobModule {
  let seen = new Map<string, string>();
  return {
    look() {
      const { found, files } = lookAtSource({ env: { ...env, ONCEFLOW_JOB: module } });
      const own = files.length === 0 ? [...seen.keys(), resolve(module)] : files;
      // A file that is missing may be the reason: then its folder changes when it comes.
      seen = statesOf(found instanceof Error ? [...own, ...own.map((file) => dirname(file))] : own);
      if (found instanceof Error) return found;
      return { summary: found, module: found.translation === undefined ? module : written(found.translation, folder) };
    },
    hasChanged: () => [...seen].some(([file, state]) => stateOf(file) !== state),
  };
}

/** Where packages are is in it as whole paths, so it may lie anywhere. */
function written(translation: string, folder: string): string {
  const path = join(folder, `job-${createHash('sha256').update(translation).digest('hex').slice(0, 12)}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, translation);
  return path;
}

function statesOf(files: readonly string[]): Map<string, string> {
  return new Map(files.map((file) => [file, stateOf(file)]));
}

function stateOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 'missing' : `${found.ino} ${found.mtimeMs} ${found.size}`;
}
