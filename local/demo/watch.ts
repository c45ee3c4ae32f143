import { openManifest } from '../../lib/epoch/decision/read-manifest.ts';
import type { EpochStore } from '../../lib/ports/epoch-store.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { Blobs } from '../../lib/storage/blobs.ts';

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

export interface Watched {
  readonly epochs: EpochStore;
  readonly blobs: Blobs;
  readonly kafka: KafkaRequests;
  readonly job: string;
  readonly source: string;
  readonly input: string;
}

/** Whether everything that is in the input topic now is in an epoch that is recorded as committed. */
export async function isAllCommitted({ epochs, blobs, kafka, job, source, input }: Watched): Promise<boolean> {
  const row = await epochs.readJob(job);
  const last = row?.lastCompleted;
  if (row === undefined || last === undefined || row.lastCommitted < last.epoch) return false;
  const epoch = await epochs.readEpoch(job, row.incarnation, last.epoch);
  if (epoch === undefined) return false;
  const reached = (await openManifest({ blobs }, epoch.manifest)).offsets[source]?.[input] ?? [];
  const ends = await kafka.offsets(
    input,
    reached.map((_, partition) => partition),
    'latest',
  );
  return ends.length > 0 && ends.every((end, partition) => (reached[partition] ?? 0) >= end);
}
