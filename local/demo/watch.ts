import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';

/** How far readers of the output topic see, in offsets: records, and a control record for each transaction and partition. */
export interface Visible {
  /** Up to the high watermark: also what is not committed, and what was aborted. */
  readonly uncommitted: number;
  /** Up to the last stable offset. */
  readonly committed: number;
}

export async function visible(kafka: KafkaRequests, topic: string): Promise<Visible> {
  const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
  const stable = await kafka.offsets(topic, partitions, 'latest');
  const ranges = partitions.map((partition) => ({ topic, partition, offset: stable[partition] ?? 0, maxBytes: 1 }));
  const fetched = await kafka.fetch(ranges, { maxBytes: 1, maxWaitMs: 1, minBytes: 0 });
  return {
    uncommitted: fetched.reduce((sum, { highWatermark }) => sum + highWatermark, 0),
    committed: fetched.reduce((sum, { lastStableOffset }) => sum + lastStableOffset, 0),
  };
}
