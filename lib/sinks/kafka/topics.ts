import { byName } from '../../config/by-name.ts';
import { clusterOf } from '../../config/clusters.ts';
import type { KafkaRequests } from '../../ports/kafka-requests.ts';
import type { Learnt, SinkOfRun } from '../connector.ts';
import { isCompacted } from './compacted-topics.ts';
import type { KafkaFacts, TopicFacts } from './facts.ts';
import { REQUEST_BYTES } from './send-staged.ts';
import type { KafkaTarget } from './spec.ts';

/** Room in a Produce request and the broker's bookkeeping below max.message.bytes. */
const BATCH_MARGIN_BYTES = 1024;
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** Kafka's default of socket.request.max.bytes: a broker ends the connection of whoever sends a larger request. */
const DEFAULT_MAX_REQUEST_BYTES = 104_857_600;
/** Of a Produce request besides its only batch: names, at most. */
const REQUEST_MARGIN_BYTES = 4096;
const MAX_REQUEST = 'socket.request.max.bytes';

/** What is to be known of the topics of the sinks, as the brokers have them now. */
export async function learnTopics(kafka: KafkaRequests, sinks: readonly SinkOfRun[]): Promise<Learnt> {
  const topics = [...new Set(sinks.flatMap(topicsOf))];
  for (const topic of topics) kafka.forgetLeaders(topic);
  const limits = await Promise.all(
    [...new Set(topics.map(clusterOf))].map(async (cluster) => {
      const broker = await kafka.brokerConfig([MAX_REQUEST], cluster);
      return [cluster, Number(broker.get(MAX_REQUEST) ?? DEFAULT_MAX_REQUEST_BYTES)] as const;
    }),
  );
  const least = REQUEST_BYTES + REQUEST_MARGIN_BYTES;
  for (const [cluster, maxRequestBytes] of limits) {
    if (maxRequestBytes >= least) continue;
    return {
      outcome: 'refused',
      message: `${cluster === '' ? 'the brokers' : `the brokers of cluster ${cluster}`} take requests of ${maxRequestBytes} bytes at most (${MAX_REQUEST}), and output is sent in requests of up to ${least}: raise it`,
    };
  }
  const maxRequestBytes = new Map(limits);
  const described = new Map(
    await Promise.all(
      topics.map(
        async (topic) =>
          [topic, await describeTopic(kafka, topic, maxRequestBytes.get(clusterOf(topic)) ?? DEFAULT_MAX_REQUEST_BYTES)] as const,
      ),
    ),
  );
  const factsOf = (sink: SinkOfRun): KafkaFacts => ({ topics: topicsOf(sink).flatMap((topic) => described.get(topic) ?? []) });
  return { outcome: 'learnt', facts: byName(sinks.map((of) => [of.sink, factsOf(of)] as const)) };
}

export function topicsOf({ target }: Pick<SinkOfRun, 'target'>): readonly string[] {
  return (target as KafkaTarget).topics;
}

async function describeTopic(kafka: KafkaRequests, topic: string, maxRequestBytes: number): Promise<TopicFacts> {
  const [partitions, config] = await Promise.all([
    kafka.partitionCount(topic),
    kafka.topicConfig(topic, ['max.message.bytes', 'cleanup.policy']),
  ]);
  const maxMessageBytes = Number(config.get('max.message.bytes') ?? DEFAULT_MAX_MESSAGE_BYTES);
  return { topic, partitions, maxBatchBytes: maxBatchBytes(maxMessageBytes, maxRequestBytes), compacted: isCompacted(config) };
}

/** What a batch for the topic may have: no more than the topic takes, nor than the brokers take in one request. 1 at least: no record fits then. */
export function maxBatchBytes(maxMessageBytes: number, maxRequestBytes: number): number {
  // Of a small limit a small part: there are topics for small records.
  const forTopic = maxMessageBytes - Math.min(BATCH_MARGIN_BYTES, maxMessageBytes >>> 3);
  return Math.max(1, Math.min(forTopic, maxRequestBytes - REQUEST_MARGIN_BYTES));
}
