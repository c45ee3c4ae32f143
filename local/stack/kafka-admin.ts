import { Kafka, logLevel } from 'kafkajs';

export interface TopicSpec {
  readonly topic: string;
  /** Default 3. */
  readonly partitions?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Creates the topics that do not exist, and waits until they have leaders. The engine never creates topics; this is for
 * the local stack and for tests, and here because Kafka's own command line tool takes a second for each.
 */
export async function createTopics(brokers: string, topics: readonly TopicSpec[]): Promise<void> {
  const kafka = new Kafka({ clientId: 'onceflow-local', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ topic, partitions = 3, settings = {} }) => ({
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
