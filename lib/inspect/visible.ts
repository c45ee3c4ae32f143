import type { JobRow } from '../ports/epoch-store.ts';
import { KafkaProblem, type KafkaRequests, type TopicPartition } from '../ports/kafka-requests.ts';
import { sinksOf } from '../protocol/pool.ts';
import { CONNECTOR } from '../sinks/kafka/committable.ts';

/** How far readers of a partition see, in offsets: records, and a control record for each transaction. */
export interface VisiblePartition extends TopicPartition {
  /** With `read_committed`: up to the last stable offset. */
  readonly committed: number;
  /** With `read_uncommitted`: up to the high watermark, also what is open or was aborted. */
  readonly uncommitted: number;
}

/** Of every topic that the job's sinks have written to in this incarnation. One that is gone has no readers. */
export async function visibleOutput(kafka: KafkaRequests, { pool }: Pick<JobRow, 'pool'>): Promise<VisiblePartition[]> {
  const topics = new Set(Object.values(sinksOf(pool, CONNECTOR)).flatMap(({ places }) => places));
  return (await Promise.all([...topics].map((topic) => visibleIn(kafka, topic)))).flat();
}

export async function visibleIn(kafka: KafkaRequests, topic: string): Promise<VisiblePartition[]> {
  try {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    const stable = await kafka.offsets(topic, partitions, 'latest');
    const ranges = partitions.map((partition) => ({ topic, partition, offset: stable[partition] ?? 0, maxBytes: 1 }));
    // Nothing is there to be read: what the answer is asked for are its two offsets, which are of one moment.
    const fetched = await kafka.fetch(ranges, { maxBytes: 1, maxWaitMs: 1, minBytes: 0 });
    return fetched
      .filter(({ answer }) => answer === 'NONE')
      .map(({ partition, lastStableOffset, highWatermark }) => ({
        topic,
        partition,
        committed: lastStableOffset,
        uncommitted: highWatermark,
      }));
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
    throw error;
  }
}
