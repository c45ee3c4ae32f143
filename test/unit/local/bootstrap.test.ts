import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A checkout with node modules, on a machine that has just what `has` puts on the PATH. */
let checkout: string;
let bin: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'onceflow-bootstrap-'));
  bin = join(checkout, 'bin');
  mkdirSync(bin);
  for (const folder of ['local', 'bench', 'test/conformance']) cpSync(join(ROOT, folder), join(checkout, folder), { recursive: true });
  cpSync(join(ROOT, 'package-lock.json'), join(checkout, 'package-lock.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function has(command: string, script: string): void {
  writeFileSync(join(bin, command), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
  chmodSync(join(bin, command), 0o755);
}

const hasJava = (version: string) => has('java', `echo 'openjdk version "${version}"' >&2`);
/** Puts a line into mvn.calls for every installation, and what the real one would bring into the folder. */
const hasMaven = (andThen: string) =>
  has(
    'mvn',
    `case "$*" in *--version*) exit 0;; esac\necho call >> ${checkout}/mvn.calls\nmkdir -p ${checkout}/.onceflow/dynamodb-local/lib\n${andThen}`,
  );

const installs = () =>
  existsSync(join(checkout, 'mvn.calls')) ? readFileSync(join(checkout, 'mvn.calls'), 'utf8').split('\n').length - 1 : 0;

function bootstrap(...args: string[]) {
  const child = spawn(process.execPath, [join(checkout, 'local/bootstrap.mjs'), ...args], {
    env: { PATH: bin },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return { child, ended };
}

test('everything that is missing is named at once, and nothing is installed', async () => {
  const { exitCode, output } = await bootstrap('--with', 'kafka,emulator').ended;
  expect(exitCode).toBe(1);
  expect(output).toContain('this machine lacks Java 17 or newer, Maven, Python 3.10 or newer with venv');
  expect(existsSync(join(checkout, '.onceflow/kafka'))).toBe(false);
});

test('a Java that is too old counts as missing', async () => {
  hasJava('11.0.2');
  hasMaven('');
  const { exitCode, output } = await bootstrap('--with', 'dynamodb-local').ended;
  expect(exitCode).toBe(1);
  expect(output).toContain('lacks Java 17 or newer');
  expect(output).not.toContain('Maven');
});

test('a part is installed once, and again when its inputs change', async () => {
  hasJava('17.0.1');
  hasMaven('');
  const run = () => bootstrap('--with', 'dynamodb-local').ended;
  expect((await run()).output).toMatch(/installing DynamoDB Local .*done in/s);
  expect(await run()).toEqual({ exitCode: 0, output: '' });
  expect(installs()).toBe(1);

  appendFileSync(join(checkout, 'local/dynamodb-local/pom.xml'), '<!-- another version -->');
  await run();
  expect(installs()).toBe(2);
});

test('an installation that was killed in the middle is begun anew', async () => {
  hasJava('17.0.1');
  hasMaven(`touch ${checkout}/.onceflow/dynamodb-local/lib/half.jar\nexec sleep 5`);
  const first = bootstrap('--with', 'dynamodb-local');
  const half = join(checkout, '.onceflow/dynamodb-local/lib/half.jar');
  await expect.poll(() => existsSync(half), { timeout: 10_000 }).toBe(true);
  first.child.kill('SIGKILL');

  hasMaven('');
  const { exitCode } = await bootstrap('--with', 'dynamodb-local').ended;
  expect(exitCode).toBe(0);
  expect(installs()).toBe(2);
  expect(existsSync(half)).toBe(false);
});

test('two at the same time install once', async () => {
  hasJava('17.0.1');
  hasMaven('sleep 1');
  const both = await Promise.all([bootstrap('--with', 'dynamodb-local').ended, bootstrap('--with', 'dynamodb-local').ended]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(installs()).toBe(1);
});

test('an installation that fails shows the end of its log and stops there', async () => {
  hasJava('17.0.1');
  hasMaven('echo no such artifact >&2\nexit 7');
  const { exitCode, output } = await bootstrap('--with', 'dynamodb-local', '--', 'local/local.ts').ended;
  expect(exitCode).toBe(1);
  expect(output).toMatch(/mvn .* ended with exit code 7.*dynamodb-local\.log:\nno such artifact\n$/s);
});

test('the script runs on Node 24 with its arguments, and its exit code is the answer', async () => {
  writeFileSync(
    join(checkout, 'script.ts'),
    'const say: string = process.version;\nconsole.log(say, process.argv.slice(2));\nprocess.exit(3);\n',
  );
  const { exitCode, output } = await bootstrap('--', 'script.ts', 'a', '--b').ended;
  expect(output).toMatch(/^v24\.\S+ \[ 'a', '--b' \]\n$/);
  expect(exitCode).toBe(3);
});

test('what another checkout has installed is used through a link, and never installed into', async () => {
  hasJava('17.0.1');
  hasMaven('');
  expect((await bootstrap('--with', 'dynamodb-local').ended).exitCode).toBe(0);
  // A second checkout, beside the first: its parts are those of the first.
  const second = join(checkout, 'second');
  mkdirSync(second);
  for (const folder of ['local', 'bench', 'test', 'package-lock.json', 'node_modules', '.onceflow'])
    symlinkSync(join(checkout, folder), join(second, folder));
  rmSync(join(second, 'local'));
  cpSync(join(checkout, 'local'), join(second, 'local'), { recursive: true });
  const inSecond = async () => {
    const child = spawn(process.execPath, [join(second, 'local/bootstrap.mjs'), '--with', 'dynamodb-local'], { env: { PATH: bin } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const [exitCode] = await once(child, 'close');
    return { exitCode, output };
  };
  expect(await inSecond()).toEqual({ exitCode: 0, output: '' });
  appendFileSync(join(second, 'local/dynamodb-local/pom.xml'), '<!-- another version -->');
  expect(await inSecond()).toMatchObject({
    exitCode: 1,
    output: expect.stringMatching(/second\/\.onceflow is a link to .*\.onceflow, which lacks dynamodb-local as this checkout has it/),
  });
  expect(installs()).toBe(1);
});

test('to show how a command is called nothing of a stack is installed', async () => {
  writeFileSync(join(checkout, 'script.ts'), 'console.log(process.argv[2]);\n');
  const { exitCode, output } = await bootstrap('--with', 'kafka', '--', 'script.ts', '--help').ended;
  expect({ exitCode, output }).toEqual({ exitCode: 0, output: '--help\n' });
  expect(existsSync(join(checkout, '.onceflow'))).toBe(false);
});

test('with ONCEFLOW_STACK=external nothing of a stack is installed', async () => {
  const child = spawn(process.execPath, [join(checkout, 'local/bootstrap.mjs'), '--with', 'kafka'], {
    env: { PATH: bin, ONCEFLOW_STACK: 'external' },
  });
  const [exitCode] = await once(child, 'close');
  expect(exitCode).toBe(0);
  expect(existsSync(join(checkout, '.onceflow'))).toBe(false);
});
