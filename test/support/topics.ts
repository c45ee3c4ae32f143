import { randomBytes } from 'node:crypto';
import { CompressionTypes, type Producer } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { brokers, endsOf, kafkaJs } from './kafka-wire.ts';
import { waitFor } from './wait-for.ts';

export interface TopicOptions {
  /** @default 3 */
  readonly partitions?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly at?: string[];
}

/** A name that no other test uses. */
export function uniqueName(what: string): string {
  return `${what}-${randomBytes(4).toString('hex')}`;
}

/** Creates a topic of a name that no other test uses. */
export async function newTopic(what: string, options: TopicOptions = {}): Promise<string> {
  const topic = uniqueName(what);
  await createTopic(topic, options);
  return topic;
}

/** Creates a topic, whose partitions can be written to and read when it resolves. */
export async function createTopic(topic: string, { partitions = 3, settings = {}, at = brokers() }: TopicOptions = {}): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await withAdmin(
    (admin) =>
      admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }] }),
    at,
  );
  // kafkajs's own wait fails when the broker has not heard of the topic yet.
  await waitFor(`topic ${topic}`, () => leadersAnswer(topic, at));
}

/**
 * True when every partition's leader answers as such. Not when it is only named: kafkajs repeats a send that one partition
 * refused for all of them.
 */
async function leadersAnswer(topic: string, at: string[]): Promise<boolean> {
  const ends = await endsOf(topic, 'uncommitted', at).catch((): number[] => []);
  return ends.length > 0 && ends.every((end) => end === 0);
}

export async function withAdmin<T>(
  work: (admin: ReturnType<ReturnType<typeof kafkaJs>['admin']>) => Promise<T>,
  at = brokers(),
): Promise<T> {
  const admin = kafkaJs(at).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A connected producer that is disconnected when the test ends. */
export async function newProducer(transactionalId?: string, at = brokers()): Promise<Producer> {
  const producer = kafkaJs(at).producer(
    transactionalId === undefined
      ? { allowAutoTopicCreation: false }
      : { transactionalId, maxInFlightRequests: 1, idempotent: true, allowAutoTopicCreation: false },
  );
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return producer;
}

/** Line i goes to partition i mod `partitions`. */
export async function send(producer: Pick<Producer, 'send'>, topic: string, lines: readonly string[], partitions = 3): Promise<void> {
  const messages = lines.map((value, index) => ({ value, partition: index % partitions }));
  await producer.send({ topic, messages, compression: CompressionTypes.None });
}

/** Deletes what is before `offset`, as retention does. */
export async function deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
  await withAdmin(async (admin) => {
    // kafkajs's admin client knows only topics that it has been asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  });
}
