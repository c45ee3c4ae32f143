/**
 * The last step of installing the broker: formats an empty log folder once, so that no start has to, and archives the
 * classes of a running broker, which halves every later start. Run by `local/bootstrap.mjs`.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED } from './installed.ts';
import { runKafkaTool } from './java.ts';
import { brokerSettings, propertiesText, startKafka } from './kafka.ts';
import { createTopics } from './kafka-admin.ts';
import { openKeeper } from './kept-process.ts';

const keeper = await openKeeper();
try {
  rmSync(INSTALLED.kafkaClassArchive, { force: true });
  rmSync(INSTALLED.kafkaFormatted, { recursive: true, force: true });
  const properties = join(keeper.dir, 'format.properties');
  const clusterId = randomBytes(16).toString('base64url');
  writeFileSync(properties, propertiesText(brokerSettings({ port: 1, controllerPort: 2, data: INSTALLED.kafkaFormatted, overrides: {} })));
  const formatted = await runKafkaTool('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', properties]);
  if (formatted.exitCode !== 0) throw new Error(`Kafka's StorageTool failed:\n${formatted.stdout}${formatted.stderr}`);

  const kafka = await startKafka(keeper, { jvm: [`-XX:ArchiveClassesAtExit=${INSTALLED.kafkaClassArchive}`] });
  await createTopics(kafka.bootstrap, [{ topic: 'training' }]);
  await kafka.end();
} finally {
  await keeper.close();
}
