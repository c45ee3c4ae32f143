import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

/** The packages that speak to services. */
const CLIENTS = ['@aws-sdk/*', 'aws-msk-iam-sasl-signer-js', 'kafkajs'];
/** What a job imports of the engine: it is that of the bundle. */
const ENTRIES = {
  api: 'lib/api/index.ts',
  registry: 'lib/formats/registry.ts',
  avro: 'lib/formats/avro.ts',
  protobuf: 'lib/formats/protobuf.ts',
};
/** Of a deployment's functions alone. */
const NEVER = ['@aws-lambda-powertools/*'];
/** A job that runs may load a part of its bundle at any time. */
const KEPT_MS = 7 * 24 * 3_600_000;

export interface FunctionsBundle {
  /** The checkout. */
  readonly root: string;
  /** The bundle's; it is there at once or not at all. */
  readonly folder: string;
  /** The packages that speak to services: in the bundle, or those of the checkout. */
  readonly clients: 'inside' | 'outside';
}

/**
 * Bundles `child.ts` with the engine, and the API for jobs. Unlike a deployment's bundle (`infra/functions`) it has no job: that one
 * is loaded from where it is, and so a stack names its lines.
 */
export function writeFunctions({ root, folder, clients }: FunctionsBundle): void {
  const entries = Object.entries(ENTRIES).map(([name, file]) => [name, join(root, file)] as const);
  const cache = dirname(folder);
  mkdirSync(cache, { recursive: true });
  removeOld(cache);
  const making = mkdtempSync(join(cache, 'making-'));
  buildSync({
    entryPoints: { child: join(root, 'local/functions/bundled-child.ts'), ...Object.fromEntries(entries) },
    outdir: making,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: clients === 'inside' ? NEVER : [...NEVER, ...CLIENTS],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    define: { ENTRIES: JSON.stringify(Object.fromEntries(entries.map(([name, file]) => [pathToFileURL(file).href, name]))) },
  });
  try {
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process was quicker.
    if (!existsSync(folder)) throw error;
  }
}

function removeOld(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const made = statSync(path, { throwIfNoEntry: false });
    if (made !== undefined && Date.now() - made.mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}
