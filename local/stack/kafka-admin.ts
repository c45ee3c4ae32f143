import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { kafkaJsClient } from './kafka-js.ts';

const PROBE_EVERY_MS = 50;
const LEADERS_TIMEOUT_MS = 60_000;

export interface TopicSpec {
  readonly topic: string;
  /** Default 3. */
  readonly partitions?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Creates the topics that do not exist, and waits until their leaders answer. The engine never creates topics; this is for
 * the local stack and for tests, and here because Kafka's own command line tool takes a second for each.
 */
export async function createTopics(brokers: string, topics: readonly TopicSpec[]): Promise<void> {
  const admin = kafkaJsClient('onceflow-local', brokers).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      // kafkajs's own wait fails when the broker that it asks has not heard of the topic yet.
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions = 3, settings = {} }) => ({
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })),
    });
    await Promise.all(missing.map(({ topic }) => untilLed(admin, topic)));
  } finally {
    await admin.disconnect();
  }
}

/** Deletes the topics; those that do not exist are no error. */
export async function deleteTopics(brokers: string, topics: readonly string[]): Promise<void> {
  const admin = kafkaJsClient('onceflow-local', brokers).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const present = topics.filter((topic) => existing.has(topic));
    if (present.length > 0) await admin.deleteTopics({ topics: present });
  } finally {
    await admin.disconnect();
  }
}

/**
 * Not only until metadata name the leaders: a leader that has not taken over yet refuses what is sent to it, and kafkajs's
 * producer then sends all partitions' records again.
 */
async function untilLed(admin: Admin, topic: string): Promise<void> {
  for (const untilMs = Date.now() + LEADERS_TIMEOUT_MS; ; ) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await sleep(PROBE_EVERY_MS);
    }
  }
}
