/**
 * `npm run newcomer [-- npm|pnpm]`: packs the package, and does with it what a newcomer does, in an empty folder, with packages from the
 * registry: makes a project, installs, checks types, tests, runs the job on a Kafka of its own with records in and results out, synthesises. Prints how long each step takes. `test/package` tries more of it,
 * without a registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pack } from './pack.ts';

const PNPM = 'pnpm@10.34.9';
const MANAGERS: Readonly<Record<string, readonly string[]>> = { npm: ['npm'], pnpm: ['npx', '--yes', PNPM] };

const LINES = ['hello world', 'hello again'];
const COUNTS = ['again: 1', 'hello: 1', 'hello: 2', 'world: 1'];

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(MANAGERS, name));
const folder = mkdtempSync(join(tmpdir(), 'onceflow-newcomer-'));
try {
  if (unknown !== undefined) throw new Error(`usage: npm run newcomer [-- ${Object.keys(MANAGERS).join('|')}]`);
  const tarball = pack(folder);
  for (const manager of asked.length === 0 ? Object.keys(MANAGERS) : asked) tryOut(manager, tarball);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = unknown === undefined ? 1 : 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tryOut(manager: string, tarball: string): void {
  const name = `with-${manager}`;
  const project = join(folder, name);
  const [command = manager, ...first] = MANAGERS[manager] ?? [];
  const step = (...args: readonly string[]) => run(project, manager, command, [...first, ...args]);
  const dev = (input: string) =>
    run(project, manager, command, [...first, 'exec', ...(manager === 'npm' ? ['--'] : []), 'onceflow', 'dev', '--once'], input);
  run(folder, 'npx', 'npm', ['exec', '--yes', '--package', tarball, '--', 'onceflow', 'init', name]);
  const manifest = join(project, 'package.json');
  const { dependencies, ...others } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies: Record<string, string> };
  writeFileSync(manifest, JSON.stringify({ ...others, dependencies: { ...dependencies, onceflow: `file:${tarball}` } }));
  step('install');
  step('run', 'check');
  step('test');
  // The first one installs its Kafka.
  expectCounts(dev(LINES.join('\n')), COUNTS);
  expectCounts(dev('hello'), ['hello: 3']);
  step('run', 'synth');
}

function expectCounts(shown: string, counts: readonly string[]): void {
  if (shown.trim().split('\n').toSorted().join() !== counts.join())
    throw new Error(`onceflow dev was to show ${counts.join(', ')}, and showed:\n${shown}`);
}

/** What it printed. @throws Error: it did not end with 0 */
function run(cwd: string, title: string, command: string, args: readonly string[], input = ''): string {
  const startMs = performance.now();
  // What `npm run` has set is of this checkout.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|ONCEFLOW_|NODE_OPTIONS|INIT_CWD)/.test(name));
  const env = {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    CI: 'true',
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, input, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${title} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${title} ${args.slice(-3).join(' ')}`);
  return stdout;
}
