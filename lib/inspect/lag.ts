import type { SourceRequests } from '../ports/kafka-requests.ts';
import type { Manifest, SourceOffsets } from '../protocol/manifest.ts';
import type { InspectDeps } from './deps.ts';
import { type Known, tryToRead } from './known.ts';
import { manifestIn } from './manifest.ts';

export interface PartitionLag {
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
  /** The next offset that the job reads, as of its last completed epoch. */
  readonly at: number;
  /** Kafka's last stable offset. */
  readonly end: number;
  /** Up to which records are replicated: behind `end` while a transaction is open in the topic. */
  readonly highWatermark: number;
  readonly lag: number;
  /** Offsets behind `end` that a transaction holds up which is open in the topic: nobody can read them yet. */
  readonly heldUp: number;
}

export type Lag = Known<readonly PartitionLag[]>;

export interface LagByPartition {
  readonly job: string;
  /** The last completed epoch, whose positions these are; null: there is none yet. */
  readonly epoch: number | null;
  readonly partitions: readonly PartitionLag[];
}

/** How far the last completed epoch, of this manifest, is behind Kafka, for every source partition. What cannot be asked is said. */
export async function lagOf({ kafka }: Pick<InspectDeps, 'kafka'>, manifest: Known<Manifest>): Promise<Lag> {
  if (!manifest.known) return manifest;
  return tryToRead(async () => partitionLags(await kafka(), manifest.of.offsets));
}

/** The same of a job by its name; here what cannot be asked is thrown. Undefined: there is no such job. */
export async function readLag(deps: InspectDeps): Promise<LagByPartition | undefined> {
  const row = await deps.epochs.readJob(deps.job);
  if (row === undefined) return undefined;
  const { job, lastCompleted } = row;
  const last = lastCompleted === undefined ? undefined : await deps.epochs.readEpoch(job, row.incarnation, lastCompleted.epoch);
  if (last === undefined) return { job, epoch: null, partitions: [] };
  const { offsets } = await manifestIn(deps, last);
  return { job, epoch: last.epoch, partitions: await partitionLags(await deps.kafka(), offsets) };
}

async function partitionLags(kafka: SourceRequests, offsets: SourceOffsets): Promise<PartitionLag[]> {
  const topics = Object.entries(offsets).flatMap(([source, byTopic]) =>
    Object.entries(byTopic).map(([topic, known]) => ({ source, topic, known })),
  );
  const lags = topics.map(async ({ source, topic, known }) => {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    // Partitions that came since the last epoch are read from their beginning.
    const added = partitions.slice(known.length);
    const [ends, highWatermarks, starts] = await Promise.all([
      kafka.offsets(topic, partitions, 'latest'),
      kafka.offsets(topic, partitions, 'end'),
      added.length === 0 ? [] : kafka.offsets(topic, added, 'earliest'),
    ]);
    const positions = [...known, ...starts];
    return partitions.map((partition): PartitionLag => {
      const at = positions[partition] ?? 0;
      const end = ends[partition] ?? at;
      const highWatermark = highWatermarks[partition] ?? end;
      const heldUp = Math.max(0, highWatermark - Math.max(end, at));
      return { source, topic, partition, at, end, highWatermark, lag: Math.max(0, end - at), heldUp };
    });
  });
  return (await Promise.all(lags)).flat();
}
