import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../lib/config/usage-error.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { missingPrerequisites } from '../../local/prerequisites.mjs';
import type { InstalledKafka } from '../../local/stack/installed.ts';
import { runKafkaTool } from '../../local/stack/java.ts';
import { brokerSettings, propertiesText } from '../../local/stack/kafka.ts';
import { withProgress } from '../../local/stack/progress.ts';
import { cacheFolder, makeWhole } from '../cache.ts';
import { runProgram } from '../run-program.ts';
import { fetchArchive } from './kafka-archive.ts';

export const KAFKA_VERSION = '4.3.1';
/** Beside this file's folder also in the package. */
const POM = fileURLToPath(new URL('../../local/kafka/pom.xml', import.meta.url));

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
export async function installKafka(archive: string, say: (line: string) => void, cache = cacheFolder()): Promise<ReadyKafka> {
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

async function bring(cache: string, folder: string, archive: string, say: (line: string) => void): Promise<void> {
  try {
    await makeWhole(folder, cache, async (making) => {
      const libs = join(making, 'lib');
      mkdirSync(libs);
      await withProgress(`installing Kafka ${KAFKA_VERSION} in ${cache}, once`, say, fetchLibs(libs, archive, say));
      await format(making);
    });
  } catch (error) {
    throw new UsageError(`Kafka ${KAFKA_VERSION} cannot be installed in ${cache}: ${reasonOf(error)}; ${MEND}`);
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
