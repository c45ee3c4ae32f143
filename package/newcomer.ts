/**
 * `npm run newcomer [-- npm|pnpm]`: packs the package, and does with it what a newcomer does, in an empty folder, with packages from the
 * registry and no file of this checkout: makes a project, installs, tests, runs the job on a Kafka of its own with records in and results
 * out; the same once more with what was downloaded; then a job with a workspace dependency, which is also deployed to the emulator. Prints
 * how long each step takes. `test/package` tries more of it, without a registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pack } from './pack.ts';

const PNPM = 'pnpm@10.34.9';

interface Manager {
  readonly command: readonly string[];
  /** Between its name and a program of the project. */
  readonly exec: readonly string[];
  /** What makes a folder one that has workspaces, by file. */
  readonly workspaces: Readonly<Record<string, string>>;
  /** The version by which one names another. */
  readonly ofWorkspace: string;
}

const FOLDERS = ['packages/*', 'jobs/*'];
const MANAGERS: Readonly<Record<string, Manager>> = {
  npm: {
    command: ['npm'],
    exec: ['exec', '--'],
    workspaces: { 'package.json': JSON.stringify({ private: true, workspaces: FOLDERS }) },
    ofWorkspace: '*',
  },
  pnpm: {
    command: ['npx', '--yes', PNPM],
    exec: ['exec'],
    workspaces: {
      'package.json': JSON.stringify({ private: true }),
      'pnpm-workspace.yaml': `packages: ${JSON.stringify(FOLDERS)}\n`,
    },
    ofWorkspace: 'workspace:*',
  },
};

const LINES = ['hello world', 'hello again'];
const COUNTS = ['again: 1', 'hello: 1', 'hello: 2', 'world: 1'];
/** A package of the workspace, in TypeScript. */
const WORDS = {
  'package.json': JSON.stringify({ name: '@shop/words', version: '1.0.0', private: true, type: 'module', exports: './index.ts' }),
  'index.ts': "export function wordsOf(line: string): string[] {\n  return line.toLowerCase().split(' ');\n}\n",
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(MANAGERS, name));
const folder = mkdtempSync(join(tmpdir(), 'onceflow-newcomer-'));
try {
  if (unknown !== undefined) throw new Error(`usage: npm run newcomer [-- ${Object.keys(MANAGERS).join('|')}]`);
  const tarball = pack(folder);
  for (const name of asked.length === 0 ? Object.keys(MANAGERS) : asked) {
    const manager = MANAGERS[name];
    if (manager !== undefined) tryOut(name, manager, tarball);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = unknown === undefined ? 1 : 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tryOut(name: string, manager: Manager, tarball: string): void {
  console.log(`\n${name}: a new project, with downloads`);
  firstMinutes(join(folder, `${name}-first`), manager, tarball);
  console.log(`\n${name}: the next one, which downloads nothing`);
  const project = join(folder, `${name}-next`);
  firstMinutes(project, manager, tarball);
  const step = (...args: readonly string[]) => run(project, args.join(' '), [...manager.command, ...args]);
  expectCounts(onceflow(project, manager, ['dev', '--once'], 'hello'), ['hello: 3']);
  step('run', 'check');
  step('run', 'synth');
  console.log(`\n${name}: a job with a workspace dependency, deployed to the emulator`);
  workspace(join(folder, `${name}-shop`), manager, tarball);
}

/** From nothing to the first committed result. */
function firstMinutes(project: string, manager: Manager, tarball: string): void {
  const startMs = performance.now();
  initialise(project, tarball);
  run(project, 'install', [...manager.command, 'install']);
  run(project, 'test', [...manager.command, 'test']);
  expectCounts(onceflow(project, manager, ['dev', '--once'], LINES.join('\n')), COUNTS);
  say(startMs, 'in all, up to the first committed results');
}

function workspace(shop: string, manager: Manager, tarball: string): void {
  const project = join(shop, 'jobs/word-count');
  write(shop, manager.workspaces);
  write(join(shop, 'packages/words'), WORDS);
  mkdirSync(join(shop, 'jobs'));
  initialise(project, tarball, { '@shop/words': manager.ofWorkspace });
  const job = join(project, 'src/job.ts');
  const split = "line.split(' ')";
  const text = readFileSync(job, 'utf8');
  if (!text.includes(split)) throw new Error(`${job} was to have ${split}`);
  writeFileSync(job, `import { wordsOf } from '@shop/words';\n${text.replace(split, 'wordsOf(line)')}`);
  const step = (...args: readonly string[]) => run(project, args.join(' '), [...manager.command, ...args]);
  run(shop, 'install', [...manager.command, 'install']);
  step('run', 'check');
  step('test');
  const input = LINES.join('\n').toUpperCase();
  expectCounts(onceflow(project, manager, ['dev', '--once'], input), COUNTS);
  step('run', 'synth');
  expectCounts(onceflow(project, manager, ['deploy-local', '--once'], input), COUNTS);
  // The first one has installed the emulator.
  expectCounts(onceflow(project, manager, ['deploy-local', '--once'], input), COUNTS);
}

/** `npx onceflow init`, with the tarball for what is not published. */
function initialise(project: string, tarball: string, more: Readonly<Record<string, string>> = {}): void {
  run(dirname(project), 'onceflow init', ['npm', 'exec', '--yes', '--package', tarball, '--', 'onceflow', 'init', project]);
  const manifest = join(project, 'package.json');
  const { dependencies, ...others } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies: Record<string, string> };
  writeFileSync(manifest, JSON.stringify({ ...others, dependencies: { ...dependencies, onceflow: `file:${tarball}`, ...more } }));
}

function onceflow(project: string, { command, exec }: Manager, args: readonly string[], input: string): string {
  return run(project, `onceflow ${args.join(' ')}`, [...command, ...exec, 'onceflow', ...args], input);
}

function write(into: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(into, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(into, name), text);
}

function expectCounts(shown: string, counts: readonly string[]): void {
  if (shown.trim().split('\n').toSorted().join() !== counts.join())
    throw new Error(`it was to show ${counts.join(', ')}, and showed:\n${shown}`);
}

/** What it printed. @throws Error: it did not end with 0 */
function run(cwd: string, title: string, [command = '', ...args]: readonly string[], input = ''): string {
  const startMs = performance.now();
  // What `npm run` has set is of this checkout.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|ONCEFLOW_|NODE_OPTIONS|INIT_CWD)/.test(name));
  const env = {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    CI: 'true',
    // Nothing that this user has downloaded before; of Maven there is one place for all.
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_DATA_HOME: join(folder, 'data'),
    npm_config_cache: join(folder, 'npm'),
  };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, input, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${title} ended with ${status}:\n${stdout}${stderr}`);
  say(startMs, title);
  return stdout;
}

function say(startMs: number, title: string): void {
  console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${title}`);
}
