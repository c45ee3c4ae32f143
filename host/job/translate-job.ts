import { registerHooks } from 'node:module';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { loadBundler } from './bundler.ts';
import { isPackaged, isUsers } from './users-code.ts';

/** What Node says of TypeScript that it does not translate, and of imports that it does not find. */
const NOT_AS_IT_IS: readonly unknown[] = [
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
];
const TYPESCRIPT: readonly string[] = ['.ts', '.mts', '.cts', '.tsx'];
/** For CommonJS in it. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Could a module that failed so be loaded when a bundler has translated it? */
export function needsTranslation(failure: unknown): boolean {
  return failure instanceof SyntaxError || NOT_AS_IT_IS.includes((failure as NodeJS.ErrnoException | undefined)?.code);
}

export interface Translation {
  /** Where it can be imported from in this process. */
  readonly url: string;
  /** JavaScript, which is the same in any folder. */
  readonly source: string;
  /** What it is made of. */
  readonly files: readonly string[];
}

/**
 * Translates a job's module as a deployment's bundle is made, for one that Node cannot load as it is: an enum, a path alias of
 * tsconfig.json, a workspace package of TypeScript. Packages stay outside, and are loaded as Node does it. Nothing is written.
 *
 * @returns undefined: a bundler cannot make it either, or there is none
 */
export async function translateJob(url: string): Promise<Translation | undefined> {
  const made = await translated(fileURLToPath(url)).catch(() => undefined);
  if (made === undefined) return undefined;
  const { source } = made;
  process.setSourceMapsEnabled(true);
  const as = `${url}?translated`;
  registerHooks({
    resolve: (specifier, context, next) => (specifier === as ? { url: as, shortCircuit: true } : next(specifier, context)),
    load: (asked, context, next) => (asked === as ? { format: 'module', source, shortCircuit: true } : next(asked, context)),
  });
  return { url: as, ...made };
}

async function translated(file: string): Promise<Omit<Translation, 'url'>> {
  const { outputFiles, metafile } = await loadBundler().build({
    entryPoints: [file],
    outfile: `${file}.mjs`,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: REQUIRE },
    keepNames: true,
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    metafile: true,
    plugins: [packagesOutside],
  });
  return { source: outputFiles[0]?.text ?? '', files: Object.keys(metafile.inputs).map((input) => resolve(input)) };
}

/** Marks what this plugin asks itself. */
const ASKED = Symbol('asked');
const packagesOutside: Plugin = {
  name: 'packages-outside',
  setup: (build) => build.onResolve({ filter: /./ }, (of) => resolved(build, of)),
};

async function resolved(build: PluginBuild, { path, kind, importer, resolveDir, pluginData }: OnResolveArgs): Promise<OnResolveResult> {
  if (kind === 'entry-point' || pluginData === ASKED) return {};
  const { errors, external, path: found } = await build.resolve(path, { kind, importer, resolveDir, pluginData: ASKED });
  // Node refuses TypeScript of a package.
  const isInside = isUsers(found) || (isPackaged(found) && TYPESCRIPT.includes(extname(found)));
  if (errors.length > 0 || external || isInside) return {};
  return { path: kind.startsWith('require') ? found : pathToFileURL(found).href, external: true };
}
