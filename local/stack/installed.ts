import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

type Part =
  | 'kafka'
  | 'kafka-3.9'
  | 'dynamodb-local'
  | 'emulator'
  | 'localstack'
  | 'clickhouse'
  | 'duckdb'
  | 'postgresql'
  | 'chromium'
  | 'bench-jars'
  | 'bench'
  | 'conformance';

/** One release of Kafka. */
export interface InstalledKafka {
  readonly part: Part;
  /** Java libraries of the broker and of Kafka's command line tools. */
  readonly libs: string;
  /** An empty, formatted log folder of a single-node cluster, to be copied. */
  readonly formatted: string;
  /** The broker's classes as the JVM has them in memory: halves its start. Optional. */
  readonly classArchive: string;
}

function installedKafka(part: 'kafka' | 'kafka-3.9'): InstalledKafka {
  const folder = join(ROOT, '.onceflow', part);
  return { part, libs: join(folder, 'lib'), formatted: join(folder, 'formatted'), classArchive: join(folder, 'classes.jsa') };
}

/** What `local/bootstrap.mjs` installs, and where. */
export const INSTALLED = {
  kafka: installedKafka('kafka'),
  /** An older broker, for contract tests. */
  kafka39: installedKafka('kafka-3.9'),
  dynamodbLocalLibs: join(ROOT, '.onceflow/dynamodb-local/lib'),
  /** Libraries of what the benchmarks compare with, a folder for each program. */
  benchJars: join(ROOT, '.onceflow/bench-jars'),
  /** Classes of those programs and of the benchmarks' probe, a folder for each. */
  benchClasses: join(ROOT, '.onceflow/bench'),
  /** Flink's test harnesses, and the classes of the program that runs cases through them. */
  conformance: join(ROOT, '.onceflow/conformance'),
  emulatorPython: join(ROOT, '.onceflow/emulator/bin/python'),
  clickhousePython: join(ROOT, '.onceflow/clickhouse/bin/python'),
  duckdbPython: join(ROOT, '.onceflow/duckdb/bin/python'),
  postgresqlPython: join(ROOT, '.onceflow/postgresql/bin/python'),
  /** Its server and clients. */
  postgresqlBinaries: join(ROOT, '.onceflow/postgresql/binaries'),
  /** A folder; only on Linux there is something in it. */
  chromium: join(ROOT, '.onceflow/chromium'),
  localstackPython: join(ROOT, '.onceflow/localstack/bin/python'),
} as const;

/** The path, or an error that says how to install it. */
export function installed(part: Part, path: string): string {
  if (existsSync(path)) return path;
  throw new Error(`${path} is missing: install it with "node local/bootstrap.mjs --with ${part}"`);
}

/** The JVM: that of JAVA_HOME if set, else the one on the PATH. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  const own = home === undefined || home === '' ? undefined : join(home, 'bin', 'java');
  return own !== undefined && existsSync(own) ? own : 'java';
}

/** The PATH with the Node of this process first, so that what the emulator runs as "node" is the Node of this project. */
export function pathWithNode(): string {
  return [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
}
