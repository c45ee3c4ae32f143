import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = join(ROOT, 'node_modules');

/** Puts the package into a folder as `npm install` would, from its tarball; what it and a project depend on are links to what is installed here. */
export function install(tarball: string, folder: string): void {
  const modules = join(folder, 'node_modules');
  const target = join(modules, 'onceflow');
  mkdirSync(target, { recursive: true });
  expectSuccess(spawnSync('tar', ['-xzf', tarball, '-C', target, '--strip-components', '1'], { encoding: 'utf8' }));
  for (const name of readdirSync(PACKAGES))
    if (!name.startsWith('.') && name !== 'typescript') symlinkSync(join(PACKAGES, name), join(modules, name));
  // A checkout has another one under this name.
  symlinkSync(join(PACKAGES, '@typescript/native'), join(modules, 'typescript'));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file of a project by Node, as a person in its folder who has set nothing. */
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
