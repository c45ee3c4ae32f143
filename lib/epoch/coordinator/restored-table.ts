import type { JobRow } from '../../ports/epoch-store.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, sourceStages } from './context.ts';

/** An epoch that was committed, as the offsets of the consumer group tell of it. */
interface Witnessed {
  readonly incarnation: string;
  readonly epoch: number;
}

/** The text that a committed epoch leaves with its group offsets. */
export function witnessOf({ incarnation, epoch }: Witnessed): string {
  return `onceflow incarnation ${incarnation} epoch ${epoch}`;
}

/** Undefined for what others wrote there. */
export function readWitness(metadata: string): Witnessed | undefined {
  const [, incarnation, epoch] = /^onceflow incarnation (\S+) epoch (\d+)$/.exec(metadata) ?? [];
  return incarnation === undefined ? undefined : { incarnation, epoch: Number(epoch) };
}

/**
 * A table that was restored to a point in time has gone back within an incarnation, whose epochs are numbered and decided once:
 * going on from it would send again what readers have. The group's offsets are kept elsewhere and say how far the job was.
 * @throws JobFailedError when they know a later epoch than the row.
 */
export async function checkNotRestored(deps: CoordinatorDeps, settings: JobSettings, row: JobRow): Promise<void> {
  // A row that this start has just made has an incarnation that nobody has seen; the group is not worth the wait for its coordinator.
  if (!settings.commitOffsets || row.generation === 1) return;
  const topics = [...new Set(sourceStages(settings).map(({ topic }) => topic))];
  const seen = await Promise.all(topics.map((topic) => witnessedIn(deps, settings, topic, row.incarnation)));
  const latest = Math.max(...seen.flat());
  if (latest <= epochOf(row)) return;
  // The row may have been read a while ago, and its job have gone on since. What is in the group was decided before it was read there.
  const now = await deps.epochs.readJob(row.job);
  const known = epochOf(now);
  if (now?.incarnation !== row.incarnation || latest <= known) return;
  throw new JobFailedError(
    `consumer group ${settings.groupId} says that epoch ${latest} of job ${row.job} (incarnation ${row.incarnation}) was committed, and table row ${row.job} knows of ${known < 0 ? 'none' : `epoch ${known}`}: the table was set back. Going on would send again what readers have ("Restoring the table" in docs/operations.md)`,
  );
}

function epochOf(row: JobRow | undefined): number {
  return row?.lastCompleted?.epoch ?? -1;
}

async function witnessedIn({ kafka }: CoordinatorDeps, { groupId }: JobSettings, topic: string, incarnation: string): Promise<number[]> {
  try {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    return (await kafka.groupOffsets(groupId, topic, partitions)).flatMap((found) => {
      const witness = readWitness(found?.metadata ?? '');
      return witness?.incarnation === incarnation ? [witness.epoch] : [];
    });
  } catch (error) {
    // A group that may not be read is no witness; that it may not be written to, each epoch says.
    if (error instanceof KafkaProblem && !error.retriable) return [];
    throw error;
  }
}
