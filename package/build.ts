/**
 * `npm pack` runs it (prepack): makes `dist/`, which is what the package holds: the sources as JavaScript, declarations and source maps. Nothing in a
 * checkout reads it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** What the compiler leaves, and `onceflow dev`, `deploy-local` and `console` read. */
const READ_AS_THEY_ARE = [
  'local/prerequisites.mjs',
  'local/kafka/pom.xml',
  'local/emulator/requirements.txt',
  'console/page/index.html',
  'console/page/style.css',
  'console/page/icon.svg',
];

/** Compiles into `dist` of this checkout, which is there whole or not at all. */
export function buildPackage(): void {
  const making = mkdtempSync(join(ROOT, 'dist-'));
  try {
    compile(making);
    for (const part of ['templates', ...READ_AS_THEY_ARE]) cpSync(join(ROOT, part), join(making, part), { recursive: true });
    rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
    renameSync(making, join(ROOT, 'dist'));
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** @param folder where to. Of what a checkout checks nothing is checked again. */
export function compile(folder: string): void {
  const compiler = join(ROOT, 'node_modules/@typescript/native/bin/tsc');
  const args = ['-p', join(ROOT, 'tsconfig.package.json'), '--noCheck', '--outDir', folder];
  const { status, error } = spawnSync(process.execPath, [compiler, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw error ?? new Error(`the compiler ended with ${status}`);
  // The compiler leaves these as they are, and older ones do not follow them.
  for (const file of globSync('**/*.d.ts', { cwd: folder })) {
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/(?<=(?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '.js'));
  }
}

if (import.meta.main) buildPackage();
