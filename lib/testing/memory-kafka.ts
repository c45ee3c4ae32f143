import type { KafkaRequests, PartitionBatch } from '../ports/kafka-requests.ts';
import type { MemoryTopics } from './memory-topics.ts';

/** What the stages ask of Kafka, answered at once and always. Output is taken as at least once: when an epoch is decided, outside of transactions. */
export interface MemoryKafka extends KafkaRequests {
  /** What was produced since this was last called. */
  takeProduced(): readonly PartitionBatch[];
}

/** @param topics those that sources read. What sinks write to is kept apart: a test reads it by the sink */
export function memoryKafka(topics: MemoryTopics): MemoryKafka {
  let produced: PartitionBatch[] = [];
  const partitionsOf = (topic: string) => Array.from({ length: topics.partitions(topic) }, (_, partition) => partition);
  const unused = (request: string) => (): never => {
    throw new Error(`${request}: a job in memory has no transactions and no consumer groups`);
  };
  return {
    takeProduced() {
      const taken = produced;
      produced = [];
      return taken;
    },
    async fetch(ranges) {
      return ranges.map(({ topic, partition, offset, maxBytes }) => {
        const end = topics.end(topic, partition);
        const records = topics.from(topic, partition, offset, maxBytes);
        return { topic, partition, answer: 'NONE', logStartOffset: 0, highWatermark: end, lastStableOffset: end, aborted: [], records };
      });
    },
    async produce(_who, _leader, batches) {
      produced.push(...batches);
      return { answer: 'NONE', baseOffsets: batches.map(() => 0) };
    },
    partitionCount: async (topic) => topics.partitions(topic),
    topicId: async () => undefined,
    offsets: async (topic, partitions, at) => partitions.map((partition) => (at === 'earliest' ? 0 : topics.end(topic, partition))),
    leaders: async (topic) => partitionsOf(topic).map(() => 0),
    forgetLeaders() {},
    brokerConfig: async () => new Map(),
    topicConfig: async () => new Map(),
    async close() {},
    offsetsAtTime: unused('offsetsAtTime'),
    initProducerId: unused('initProducerId'),
    addPartitions: unused('addPartitions'),
    endTxn: unused('endTxn'),
    offsetFetch: unused('offsetFetch'),
    describeProducers: unused('describeProducers'),
    describeTransactions: unused('describeTransactions'),
    groupOffsets: unused('groupOffsets'),
    commitGroupOffsets: unused('commitGroupOffsets'),
  };
}
