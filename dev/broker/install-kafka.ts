import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../lib/config/usage-error.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { missingPrerequisites } from '../../local/prerequisites.mjs';
import type { InstalledKafka } from '../../local/stack/installed.ts';
import { runKafkaTool } from '../../local/stack/java.ts';
import { brokerSettings, propertiesText } from '../../local/stack/kafka.ts';
import { withProgress } from '../../local/stack/progress.ts';
import { fetchArchive } from './kafka-archive.ts';
import { runProgram } from './run-program.ts';

export const KAFKA_VERSION = '4.3.1';
/** Beside this file's folder also in the package. */
const POM = fileURLToPath(new URL('../../local/kafka/pom.xml', import.meta.url));
/** What was left of an installation that was killed. */
const LEFTOVER_AGE_MS = 3_600_000;

const MEND = 'name brokers that run in ONCEFLOW_BROKERS, or an archive that can be reached in ONCEFLOW_KAFKA_ARCHIVE';

/** A broker's program, ready to be started, shared by all projects of this user. */
export interface ReadyKafka extends InstalledKafka {
  /** For the classes that a broker has loaded: where there is no archive of them yet. */
  readonly archivesClasses: boolean;
}

/**
 * Kafka in the user's cache folder, brought there at the first time: by Maven if the machine has it, with the mirrors that are set
 * there, otherwise from the archive.
 *
 * @throws UsageError: there is no Java, or Kafka cannot be brought
 */
export async function installKafka(archive: string, say: (line: string) => void, cache = cacheFolder(process.env)): Promise<ReadyKafka> {
  const java = await missingPrerequisites(['java']);
  if (java.problem !== undefined)
    throw new UsageError(`the embedded Kafka needs Java: ${java.problem}; or name brokers that run, in ONCEFLOW_BROKERS`);
  // One that is too old, where a newer one is on the PATH: what starts a broker asks this first.
  if (java.commands['java'] === 'java') delete process.env['JAVA_HOME'];
  const folder = join(cache, `kafka-${KAFKA_VERSION}`);
  if (!existsSync(folder)) await bring(cache, folder, archive, say);
  const ready = kafkaIn(folder);
  return { ...ready, archivesClasses: !existsSync(ready.classArchive) };
}

function kafkaIn(folder: string): InstalledKafka {
  return { part: 'kafka', libs: join(folder, 'lib'), formatted: join(folder, 'formatted'), classArchive: join(folder, 'classes.jsa') };
}

/** Under another name first: it is there whole or not at all. */
async function bring(cache: string, folder: string, archive: string, say: (line: string) => void): Promise<void> {
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  const making = join(cache, `making-${randomBytes(6).toString('hex')}`);
  mkdirSync(join(making, 'lib'), { recursive: true });
  try {
    await withProgress(`installing Kafka ${KAFKA_VERSION} in ${cache}, once`, say, fetchLibs(join(making, 'lib'), archive, say));
    await format(making);
    renameSync(making, folder);
  } catch (error) {
    // Another process was quicker.
    if (existsSync(folder)) return;
    throw new UsageError(`Kafka ${KAFKA_VERSION} cannot be installed in ${cache}: ${reasonOf(error)}; ${MEND}`);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

async function fetchLibs(libs: string, archive: string, say: (line: string) => void): Promise<void> {
  const hasMaven = await runProgram('mvn', ['--version']).then(
    () => true,
    () => false,
  );
  if (!hasMaven) return fetchArchive(archive, libs, say);
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${libs}`, '-DincludeScope=runtime'];
  await runProgram('mvn', ['-q', '-B', '-f', POM, ...goal]);
}

/** An empty log folder, so that no start has to make one: that takes a JVM of its own, a second. */
async function format(folder: string): Promise<void> {
  const release = kafkaIn(folder);
  const properties = join(folder, 'format.properties');
  // Behind a letter: a tool would take what begins with "-" for an option.
  const clusterId = `A${randomBytes(16).toString('base64url').slice(1)}`;
  writeFileSync(properties, propertiesText(brokerSettings({ port: 1, controllerPort: 2, data: release.formatted, overrides: {} })));
  const formatted = await runKafkaTool('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', properties], { release });
  if (formatted.exitCode !== 0) throw new Error(`its StorageTool failed:\n${formatted.stdout}${formatted.stderr}`);
}

function removeLeftovers(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const isLeft =
      name.startsWith('making-') && Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > LEFTOVER_AGE_MS;
    if (isLeft) rmSync(path, { recursive: true, force: true });
  }
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const system = process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache');
  return join(env['XDG_CACHE_HOME'] || system, 'onceflow');
}
