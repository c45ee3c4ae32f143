/**
 * The last step of installing the broker: formats an empty log folder once, so that no start has to, and archives the
 * classes of a running broker, which halves every later start. Run by `local/bootstrap.mjs` with the part's name.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED } from './installed.ts';
import { runKafkaTool } from './java.ts';
import { brokerSettings, propertiesText, startKafka } from './kafka.ts';
import { createTopics } from './kafka-admin.ts';
import { openKeeper } from './kept-process.ts';

/** Archiving the classes takes seconds of a processor, and on a busy machine minutes; a broker that is killed over it leaves none. */
const ARCHIVE_TIMEOUT_MS = 300_000;

const release = [INSTALLED.kafka, INSTALLED.kafka39].find(({ part }) => part === process.argv[2]);
if (release === undefined) throw new Error(`usage: prepare-kafka.ts kafka|kafka-3.9 (not ${process.argv[2]})`);

const keeper = await openKeeper();
try {
  rmSync(release.classArchive, { force: true });
  rmSync(release.formatted, { recursive: true, force: true });
  const properties = join(keeper.dir, 'format.properties');
  // Behind a letter: a tool would take what begins with "-" for an option.
  const clusterId = `A${randomBytes(16).toString('base64url').slice(1)}`;
  writeFileSync(properties, propertiesText(brokerSettings({ port: 1, controllerPort: 2, data: release.formatted, overrides: {} })));
  const formatted = await runKafkaTool('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', properties], { release });
  if (formatted.exitCode !== 0) throw new Error(`Kafka's StorageTool failed:\n${formatted.stdout}${formatted.stderr}`);

  const kafka = await startKafka(keeper, { release, jvm: [`-XX:ArchiveClassesAtExit=${release.classArchive}`] });
  await createTopics(kafka.bootstrap, [{ topic: 'training' }]);
  await kafka.end(ARCHIVE_TIMEOUT_MS);
} finally {
  await keeper.close();
}
