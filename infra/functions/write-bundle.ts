import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildFailure, BuildResult } from 'esbuild';
import { loadBundler } from '../../host/job/bundler.ts';
import { jobUrl } from '../../host/job/job-url.ts';
import { ownModule } from '../../host/job/own-module.ts';
import { isUsers } from '../../host/job/users-code.ts';
import { ConfigError } from '../../lib/config/fault.ts';
import { parameters } from '../../lib/config/parameters.ts';

/** The module of the job in the bundle, as ONCEFLOW_JOB names it there. */
export const JOB_IN_BUNDLE = './job.mjs';

/** Kafka's client and some of its parts are CommonJS and ask for Node's modules by `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Bundles the functions of a job into a folder, by esbuild on this machine: each handler and the job are a module of their own, and
 * share what they have in common, so that an error class or a serde is the same one on both sides, and a function loads
 * only what it runs. Names of classes and functions stay: serdes and dead letters are called by them.
 *
 * @param handlers the modules of the functions, by role
 *   @default the engine's
 * @returns the files of the job's author that are in it
 * @throws ConfigError: the job cannot be bundled; UsageError: there is no esbuild
 */
export function writeBundle(entry: string, folder: string, handlers: Readonly<Record<string, string>> = engineHandlers()): string[] {
  const { metafile, warnings } = build(entry, {
    entryPoints: { ...handlers, job: fileURLToPath(jobUrl(entry)) },
    outdir: folder,
  });
  for (const text of loadBundler().formatMessagesSync(warnings, { kind: 'warning' })) console.error(text);
  return Object.keys(metafile.inputs)
    .map((input) => resolve(input))
    .filter(isUsers);
}

function engineHandlers(): Record<string, string> {
  const moduleOf = (role: string) => ownModule(`../../functions/${role}`, import.meta.url);
  return Object.fromEntries(['coordinator', 'source', 'operator', 'sink'].map((role) => [role, moduleOf(role)]));
}

function build(entry: string, where: { readonly entryPoints: Record<string, string>; readonly outdir: string }) {
  const { buildSync } = loadBundler();
  try {
    return buildSync({
      ...where,
      outExtension: { '.js': '.mjs' },
      chunkNames: 'shared/[name]-[hash]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      mainFields: ['module', 'main'],
      banner: { js: REQUIRE },
      minify: true,
      keepNames: true,
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
      metafile: true,
    }) satisfies BuildResult;
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    const each = errors.map(({ text, location }) => (location === null ? text : `${text} (${location.file}:${location.line})`));
    const rule = `a module that can be bundled: ${each.join('; ')}`;
    throw new ConfigError([{ option: parameters.job.variable, value: entry, rule, mend: 'mend the module' }]);
  }
}
