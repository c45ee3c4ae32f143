import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emulatorFolder } from '../../dev/deployment/install-emulator.ts';
import { COMPILE_CACHE } from '../../local/functions/processes.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = join(ROOT, 'node_modules');

/** Puts the package into a folder as `npm install` would, from its tarball; what it and a project depend on are links to what is installed here. */
export function install(tarball: string, folder: string): void {
  const modules = join(folder, 'node_modules');
  unpack(tarball, join(modules, 'onceflow'));
  for (const name of readdirSync(PACKAGES)) if (!name.startsWith('.') && name !== 'typescript') link(name, modules);
  link('typescript', modules);
}

/**
 * The same as pnpm does: a project finds the packages that its manifest names, and the package those that its own names. No other.
 *
 * @param workspace packages beside it, by name, that its manifest names too
 */
export function installStrictly(tarball: string, folder: string, workspace: Readonly<Record<string, string>>): void {
  const modules = join(folder, 'node_modules');
  const home = join(modules, '.pnpm/onceflow/node_modules');
  unpack(tarball, join(home, 'onceflow'));
  const { dependencies, peerDependencies } = manifestIn(join(home, 'onceflow'));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) link(name, home);
  for (const name of Object.keys(manifestIn(folder).devDependencies)) link(name, modules);
  symlinkSync(join(home, 'onceflow'), join(modules, 'onceflow'));
  for (const [name, target] of Object.entries(workspace)) place(target, join(modules, name));
}

/** What `dev` and `deploy-local` bring at their first time, for which they need a network: as if it had been brought before. */
export function fillCache(cache: string): void {
  const kafka = join(cache, 'onceflow/kafka-4.3.1');
  mkdirSync(kafka, { recursive: true });
  for (const part of ['lib', 'classes.jsa']) symlinkSync(join(ROOT, '.onceflow/kafka', part), join(kafka, part));
  // Each broker begins with a copy of it. A copy of a link would be written to by all.
  cpSync(join(ROOT, '.onceflow/kafka/formatted'), join(kafka, 'formatted'), { recursive: true });
  const emulator = join(ROOT, '.onceflow/emulator');
  const python = /^version = (\d+\.\d+)/m.exec(readFileSync(join(emulator, 'pyvenv.cfg'), 'utf8'))?.[1] ?? '';
  symlinkSync(emulator, join(cache, 'onceflow', emulatorFolder(python)));
}

function unpack(tarball: string, target: string): void {
  mkdirSync(target, { recursive: true });
  expectSuccess(spawnSync('tar', ['-xzf', tarball, '-C', target, '--strip-components', '1'], { encoding: 'utf8' }));
}

function link(name: string, modules: string): void {
  // A checkout has another one under this name.
  place(join(PACKAGES, name === 'typescript' ? '@typescript/native' : name), join(modules, name));
}

function place(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file of a project by Node, as a person in its folder who has set nothing; what Node has compiled is kept, a fifth of what the CDK takes to load. */
export function runIn(
  folder: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Ended {
  const ended = spawnSync(process.execPath, [file, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
    timeout: 180_000,
    env: {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: folder,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CI: 'true',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      NO_COLOR: '1',
      ...env,
    },
  });
  if (ended.error !== undefined) throw ended.error;
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

function expectSuccess({ status, stderr, error }: SpawnSyncReturns<string>): void {
  if (status !== 0) throw error ?? new Error(stderr);
}
