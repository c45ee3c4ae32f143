/** `npm run docs:site`: see USAGE. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../lib/config/usage-error.ts';
import { runCommand } from '../local/command.ts';
import { referencesElsewhere } from './built.ts';
import { linksIn } from './links.ts';
import { addressOf, copyOf, PAGES, ROOT, targetOf } from './pages.ts';
import { DEFAULT_PORT, portIn, serve } from './serve.ts';

const USAGE = `npm run docs:site [-- --serve] [--port PORT] [--base /FOLDER/] [--links]

Builds the documentation into site/dist, and checks what it built: each page is there, each link leads somewhere, and nothing is loaded from
another host.

  --serve           shows it then at 127.0.0.1, until Ctrl-C
  --port PORT       where (${DEFAULT_PORT})
  --base /FOLDER/   it will be served from this folder (/)
  --links           lists the links to other hosts, by page, and builds nothing`;

const SITE = join(ROOT, 'site');
const DIST = join(SITE, 'dist');
const INSTALLED = join(ROOT, '.onceflow', 'site', 'node_modules');

const options = { serve: { type: 'boolean' }, port: { type: 'string' }, base: { type: 'string' }, links: { type: 'boolean' } } as const;

await runCommand({ name: 'npm run docs:site', usage: USAGE, options }, async ({ serve: isServed, port, base = '/', links }) => {
  if (!/^\/([\w.-]+\/)*$/.test(base)) throw new UsageError(`--base is ${JSON.stringify(base)}: it must be a folder, as in /onceflow/`);
  const where = portIn(port);
  if (links === true) {
    for (const page of PAGES)
      for (const href of linksIn(page)) if (targetOf(page, href).kind === 'elsewhere') console.log(`${page}: ${href}`);
    return 0;
  }
  const startedAt = performance.now();
  build(base);
  const faults = faultsOf(base);
  for (const fault of faults) console.error(fault);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (faults.length > 0) return 1;
  console.error(`${PAGES.length} pages and the API in site/dist, in ${seconds} s`);
  if (isServed !== true) return 0;
  console.error(`${await serve(DIST, where)}${base}, until Ctrl-C`);
  return new Promise(() => {});
});

/** @throws when a program of it fails, which has said why */
function build(base: string): void {
  // Modules are looked for from the file that names them up: so they have to be below it.
  const link = join(SITE, 'node_modules');
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link, { recursive: true });
  symlinkSync(INSTALLED, link);
  for (const made of ['reference', 'dist']) rmSync(join(SITE, made), { recursive: true, force: true });
  run('typedoc', ['--options', 'typedoc.json', '--logLevel', 'Error'], {});
  nameEntryPoints();
  run('vitepress', ['build', '.'], { SITE_BASE: base });
  for (const page of PAGES)
    for (const href of linksIn(page)) {
      const target = targetOf(page, href);
      if (target.kind !== 'file') continue;
      const copy = join(DIST, copyOf(target.file));
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(join(ROOT, target.file), copy);
    }
}

/** TypeDoc calls an entry point by its file; an author imports it by another name. */
function nameEntryPoints(): void {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  const names = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string'
      ? []
      : [[target.types.replace(/^\.\/dist\//, '').replace(/(\/index)?\.d\.ts$/, ''), `onceflow${entry.slice(1)}`] as const],
  );
  for (const page of globSync('reference/**/*.md', { cwd: SITE })) {
    const file = join(SITE, page);
    const named = names.reduce(
      (text, [source, name]) => text.replace(new RegExp(`^# ${source}$`, 'm'), `# ${name}`).replaceAll(`[${source}]`, `[${name}]`),
      readFileSync(file, 'utf8'),
    );
    writeFileSync(file, named);
  }
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, error } = spawnSync(join(INSTALLED, '.bin', program), args, {
    cwd: SITE,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${program} ended with ${error?.message ?? `exit code ${status}`}`);
}

function faultsOf(base: string): string[] {
  const missing = [...PAGES.map(addressOf), '/reference/'].map((address) => (address.endsWith('/') ? `${address}index.html` : address));
  const [index = ''] = globSync('assets/chunks/@localSearchIndexroot*.js', { cwd: DIST }).map((file) =>
    readFileSync(join(DIST, file), 'utf8'),
  );
  return [
    ...PAGES.filter((page) => !index.includes(`${addressOf(page)}#`)).map((page) => `${page}: search does not know it`),
    ...missing.filter((address) => !existsSync(join(DIST, address))).map((address) => `${base}${address.slice(1)}: is not there`),
    ...referencesElsewhere(DIST).map((found) => `${found}: would be loaded from another host`),
  ];
}
