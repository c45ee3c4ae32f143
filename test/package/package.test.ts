import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { apiReports, REPORTS } from '../../package/api-reports.ts';
import { pack } from '../../package/pack.ts';
import { fillCache, install, installStrictly, ROOT, runIn } from './installed.ts';

/** Where `npx onceflow init` is called, and the project that it makes. */
const outside = mkdtempSync(join(tmpdir(), 'onceflow-newcomer-'));
const project = join(outside, 'click-counts');
let tarball: string;
const DONE = { code: 0, stderr: '' };
const cache = join(outside, 'cache');
/** Where Java and Python are, and what has been brought. */
const machine = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => ['JAVA_HOME', 'PYENV_ROOT'].includes(name))),
  XDG_CACHE_HOME: cache,
} as Readonly<Record<string, string>>;

beforeAll(() => {
  tarball = pack(outside);
  install(tarball, outside);
  expect(runIn(outside, 'node_modules/onceflow/cli/onceflow.mjs', ['init', 'click-counts'])).toMatchObject(DONE);
  install(tarball, project);
  fillCache(cache);
  return () => rmSync(outside, { recursive: true });
});

describe('a new project with the package installed', () => {
  it('has a job, a test and an app under its own name, and what they need in the versions that were tried here', () => {
    expect(readdirSync(project).toSorted()).toEqual(
      ['.gitignore', 'README.md', 'app.ts', 'cdk.json', 'node_modules', 'package.json', 'src', 'test', 'tsconfig.json'].toSorted(),
    );
    for (const file of globSync('{*.{ts,json,md},src/*,test/*}', { cwd: project }))
      expect(readFileSync(join(project, file), 'utf8')).not.toContain('my-stream');
    const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
    const [own, made] = [read(join(ROOT, 'package.json')), read(join(project, 'package.json'))];
    expect(made.name).toBe('click-counts');
    expect(made.dependencies).toEqual({ onceflow: `^${own.version}` });
    const { '@typescript/native': compiler, ...others } = own.devDependencies;
    const tried: Record<string, string> = { ...others, typescript: compiler.replace('npm:typescript@', '') };
    const names = Object.keys(made.devDependencies);
    expect(made.devDependencies).toEqual(Object.fromEntries(names.map((name) => [name, `^${tried[name]}`])));
  });

  it('passes the compiler', () => {
    expect(runIn(project, 'node_modules/typescript/bin/tsc', [])).toMatchObject({ ...DONE, stdout: '' });
  });

  it('passes its own test of the job, which crashes in the middle', () => {
    const { code, stdout, stderr } = runIn(project, 'node_modules/vitest/vitest.mjs', ['run']);
    expect({ code, stdout, stderr }).toMatchObject({ ...DONE, stdout: expect.stringMatching(/Tests {2}1 passed \(1\)/) });
  });

  it('has every page of docs that the package names in what it says, and that these pages lead to', () => {
    const of = join(project, 'node_modules/onceflow');
    const named = new Set<string>();
    for (const file of globSync(['dist/**/*.{js,mjs}', 'cli/*.mjs', 'README.md'], { cwd: of }))
      for (const [page] of readFileSync(join(of, file), 'utf8').matchAll(/docs\/[a-z/-]+\.md/g)) named.add(page);
    for (const page of globSync('docs/*.md', { cwd: of }))
      for (const [, to = ''] of readFileSync(join(of, page), 'utf8').matchAll(/\]\(([a-z/-]+\.md)/g)) named.add(`docs/${to}`);
    expect(named).toContain('docs/runbook.md');
    const decisions = /^docs\/decisions\//;
    expect([...named].filter((page) => !decisions.test(page) && !existsSync(join(of, page)))).toEqual([]);
  });

  it('is synthesised by the CDK, with a bundle that is made of the project and packages alone', () => {
    const { code, stderr } = runIn(project, 'node_modules/aws-cdk/bin/cdk', ['synth', '--quiet', '--no-notices']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/error/i) });
    const out = join(project, 'cdk.out');
    const { Resources } = JSON.parse(readFileSync(join(out, 'click-counts.template.json'), 'utf8'));
    const names = Object.values(Resources as Record<string, { Type: string; Properties: { FunctionName: string } }>)
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .map(({ Properties }) => Properties.FunctionName);
    expect(names.toSorted()).toEqual(['coordinator', 'operator-count-words-0', 'sink', 'source'].map((of) => `click-counts-${of}`));
    const maps = globSync('asset.*/**/*.map', { cwd: out }).map((file) => join(out, file));
    const sources = maps.flatMap((map) =>
      (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources.map((source) => resolve(dirname(map), source)),
    );
    expect(sources).toContain(join(project, 'src/job.ts'));
    expect(sources.filter((source) => source.startsWith(ROOT) && !source.startsWith(join(ROOT, 'node_modules/')))).toEqual([]);
  });

  it('has the command, which tells with one line and exit code 1 or 2 what it lacks', () => {
    const onceflow = (args: string[], env = {}) => runIn(project, 'node_modules/onceflow/cli/onceflow.mjs', args, env);
    expect(onceflow(['--help'])).toMatchObject({ ...DONE, stdout: expect.stringMatching(/^ {2}init +a project in a new folder/m) });
    expect(onceflow(['describe', '--json'], { ONCEFLOW_JOB: './src/job.ts' })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"stages"'),
    });
    expect(onceflow(['status'])).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^onceflow: which job\?[^\n]*\n$/) });
    const nowhere = { ONCEFLOW_JOB: './src/job.ts', AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_REGION: 'us-east-1' };
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    expect(onceflow(['status'], { ...nowhere, ...keys })).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^onceflow: [^\n]*ECONNREFUSED[^\n]*\n$/),
    });
  });
});

describe('onceflow console in a new project', () => {
  it('serves its page as JavaScript, with the libraries of the package, and says on it that there is no such job', async () => {
    const env = { PATH: process.env['PATH'] ?? '', ONCEFLOW_JOB: './src/job.ts', ONCEFLOW_TABLE: `file://${project}/none.sqlite` };
    const child = spawn(process.execPath, ['node_modules/onceflow/cli/onceflow.mjs', 'console', '--json'], { cwd: project, env });
    onTestFinished(() => void child.kill());
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { origin, hash } = new URL((JSON.parse(line) as { address: string }).address);
    const read = async (path: string, headers = {}) => {
      const answer = await fetch(origin + path, { headers });
      return `${answer.status} ${answer.headers.get('content-type')?.split(';')[0]} ${await answer.text()}`;
    };
    expect(await read('/')).toMatch(/^200 text\/html [\s\S]*src="\/page\/main\.js"/);
    expect(await read('/page/main.js')).toMatch(
      /^200 text\/javascript import \{ render \} from '\/library\/preact\.js';\nimport \{ App \} from '\.\/app\.js';/,
    );
    expect(await read('/page/style.css')).toMatch(/^200 text\/css/);
    for (const name of ['preact.js', 'preact-hooks.js', 'htm.js', 'uplot.js', 'uplot.css'])
      expect(await read(`/library/${name}`)).toMatch(/^200 text\/(javascript|css) /);
    expect(await read('/panels/job')).toMatch(/^401 /);
    expect(await read('/panels/job', { authorization: `Bearer ${hash.slice(1)}` })).toMatch(
      /^200 application\/json \{"is":"none","why":"there is no job /,
    );
  });
});

describe('onceflow dev in a new project', () => {
  const COMMAND = 'node_modules/onceflow/cli/onceflow.mjs';

  it('runs its job on a Kafka of its own: lines in, counts out, and the next one goes on from there', () => {
    const dev = (input: string) => {
      const { code, stdout, stderr } = runIn(project, COMMAND, ['dev', '--once'], machine, input);
      return { code, shown: stdout.split('\n').toSorted().slice(1), stderr };
    };
    expect(dev('hello world\nhello again')).toMatchObject({ code: 0, shown: ['again: 1', 'hello: 1', 'hello: 2', 'world: 1'] });
    expect(dev('hello\n')).toMatchObject({ code: 0, shown: ['hello: 3'] });
  });

  it('on an older Node is told which one it needs', () => {
    const older = join(outside, 'older.mjs');
    writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '22.1.0' });");
    expect(runIn(project, COMMAND, ['dev'], { NODE_OPTIONS: `--import=${older}` })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'onceflow needs Node 24 and runs on 22.1.0: install it, or "npm install --save-dev node@24" in the project\n',
    });
  });
});

describe('a job with a workspace dependency, in a project where a package finds only what it names, as with pnpm', () => {
  const shop = join(outside, 'shop');
  const job = join(shop, 'jobs/word-count');
  const COUNTS = ['again: 1', 'hello: 1', 'hello: 2', 'world: 1'];
  const INPUT = 'HELLO world\nHello again';
  const onceflow = (args: string[], input: string) => {
    const { code, stdout, stderr } = runIn(job, 'node_modules/onceflow/cli/onceflow.mjs', args, machine, input);
    return { code, shown: stdout.split('\n').toSorted().slice(1), stderr };
  };

  beforeAll(() => {
    const words = join(shop, 'packages/words');
    mkdirSync(words, { recursive: true });
    writeFileSync(join(words, 'package.json'), JSON.stringify({ name: '@shop/words', type: 'module', exports: './index.ts' }));
    // Of an enum Node cannot make JavaScript.
    writeFileSync(
      join(words, 'index.ts'),
      "enum Between { words = ' ' }\nexport const wordsOf = (line: string): string[] => line.toLowerCase().split(Between.words);\n",
    );
    mkdirSync(dirname(job));
    expect(runIn(outside, 'node_modules/onceflow/cli/onceflow.mjs', ['init', job])).toMatchObject(DONE);
    installStrictly(tarball, job, { '@shop/words': words });
    const file = join(job, 'src/job.ts');
    const text = readFileSync(file, 'utf8').replace("line.split(' ')", 'wordsOf(line)');
    writeFileSync(file, `import { wordsOf } from '@shop/words';\n${text}`);
  });

  it('runs: lines in, counts out', () => {
    expect(onceflow(['dev', '--once'], INPUT)).toMatchObject({ code: 0, shown: COUNTS });
  });

  it('is deployed to the emulator by its own CDK app, and counts there as Lambda functions, started cold and by nobody else', () => {
    const { code, shown, stderr } = onceflow(['deploy-local', '--once'], INPUT);
    expect({ code, shown, stderr }).toMatchObject({ code: 0, shown: COUNTS });
    expect(stderr).toMatch(/^job word-count as Lambda functions of the emulator at http:\S+, on Kafka at 127\.0\.0\.1:\d+\n/m);
    expect(readdirSync(job).toSorted()).not.toContain('cdk.out');
  });
});

describe('a job of such a project', () => {
  const synthesize = (file: string, text: string) => {
    const app = readFileSync(join(project, 'app.ts'), 'utf8').replace("job: './src/job.ts'", `job: './src/${file}'`);
    writeFileSync(join(project, 'other-app.ts'), app);
    writeFileSync(join(project, 'src', file), text);
    writeFileSync(join(project, 'src/native.node'), '');
    return runIn(project, 'other-app.ts', [], { CDK_OUTDIR: join(project, 'cdk.other') });
  };
  const body = "(job) => void job.source('read', kafkaSource({ topic: Topic.clicks, value: utf8 }))";

  // One with an enum is deployed above.
  it.each([
    [
      'in CommonJS',
      'job.cjs',
      `const { defineJob, kafkaSource, utf8 } = require('onceflow'); const Topic = { clicks: 'a' }; module.exports = defineJob('clicks', ${body});`,
    ],
    [
      'of formats',
      'formats.ts',
      `import { defineJob, kafkaSource } from 'onceflow'; import { avro } from 'onceflow/avro'; import { protobuf } from 'onceflow/protobuf'; import { schemaRegistry } from 'onceflow/registry'; import { parquet } from 'onceflow/parquet';
       import { TimestampSchema } from '@bufbuild/protobuf/wkt';
       const Topic = { clicks: 'a' }; const registry = schemaRegistry({ url: 'http://registry:8081' });
       const utf8 = avro('long', { registry, longs: 'bigint' }); protobuf(TimestampSchema, { registry }); parquet({ columns: [{ name: 'n', type: 'int64' }] }); export default defineJob('clicks', ${body});`,
    ],
  ])('%s is bundled', (_how, file, text) => {
    expect(synthesize(file, text)).toEqual({ code: 0, stdout: '', stderr: expect.stringMatching(/^Bundling asset [^\n]*\n$/) });
  });

  it.each([
    [
      'exports nothing',
      'nothing.ts',
      'export {};',
      /^JobDefinitionError: .*nothing\.ts: the module has no default export made by defineJob$/m,
    ],
    [
      'throws',
      'throws.ts',
      "\nthrow new RangeError('no clicks');",
      /^JobDefinitionError: .*throws\.ts: the module cannot be loaded: no clicks \(src\/throws\.ts:2\)$/m,
    ],
    [
      'has a native module',
      'native.cjs',
      `const { defineJob, kafkaSource, utf8 } = require('onceflow'); const Topic = { clicks: 'a' }; exports.native = () => require('./native.node'); exports.default = defineJob('clicks', ${body});`,
      /ConfigError: .*native\.cjs\W+ it must be a module that can be bundled: No loader is configured for \W+node\W+ files: .*native\.node/,
    ],
  ])('that %s is refused, with one message', (_what, file, text, message) => {
    const { code, stderr } = synthesize(file, text);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe('what the package declares', () => {
  it('is what docs/api says: after a change that is meant, "npm run docs:api" writes it', () => {
    const kept = readdirSync(REPORTS).map((name) => [name, readFileSync(join(REPORTS, name), 'utf8')] as const);
    expect(Object.fromEntries(apiReports(ROOT))).toEqual(Object.fromEntries(kept));
  });
});
