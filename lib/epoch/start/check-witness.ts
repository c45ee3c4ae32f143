import type { JobRow } from '../../ports/epoch-store.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, sourceStages } from '../coordinator/context.ts';
import { type Witness, witnessFor } from './witness.ts';

/**
 * Does the job's row know of what the group's offsets tell? They are kept elsewhere, and say how far the job was.
 *
 * - A table that was restored to a point in time has gone back within an incarnation, whose epochs are numbered and decided once:
 *   going on from it would send again what readers have.
 * - A row without an epoch, where a job of this name has run, is one of another table (the deployment was destroyed and made anew, and
 *   what it retained was not adopted): starting anew would lose the state, and skip what `latest` skips.
 *
 * @throws JobFailedError
 */
export async function checkWitness(deps: CoordinatorDeps, settings: JobSettings, row: JobRow): Promise<void> {
  if (!settings.commitOffsets) return;
  const topics = [...new Set(sourceStages(settings).map(({ topic }) => topic))];
  const own = (await Promise.all(topics.map((topic) => witnessesIn(deps, settings, topic)))).flat();
  const latest = own
    .filter(({ incarnation }) => incarnation === row.incarnation)
    .sort(byEpoch)
    .at(-1);
  const elsewhere = own
    .filter(({ incarnation }) => incarnation !== row.incarnation)
    .sort(byEpoch)
    .at(-1);
  const isSetBack = (of: JobRow | undefined) => latest !== undefined && latest.epoch > epochOf(of);
  const isForgotten = (of: JobRow | undefined) =>
    settings.onMissingState === 'stop' && elsewhere !== undefined && of?.lastCompleted === undefined;
  if (!isSetBack(row) && !isForgotten(row)) return;
  // The row may have been read a while ago, and its job have gone on since. What is in the group was decided before it was read there.
  const now = await deps.epochs.readJob(row.job);
  if (now?.incarnation !== row.incarnation) return;
  if (latest !== undefined && isSetBack(now)) throw new JobFailedError(setBackMessage(settings, now, latest));
  if (elsewhere !== undefined && isForgotten(now)) throw new JobFailedError(forgottenMessage(settings, now, elsewhere));
}

function setBackMessage({ groupId }: JobSettings, row: JobRow, { epoch }: Witness): string {
  const known = epochOf(row);
  return `consumer group ${groupId} says that epoch ${epoch} of job ${row.job} (incarnation ${row.incarnation}) was committed, and table row ${row.job} knows of ${known < 0 ? 'none' : `epoch ${known}`}: the table was set back. Going on would send again what readers have ("Restoring the table" in docs/operations.md)`;
}

function forgottenMessage({ groupId }: JobSettings, { job }: JobRow, { incarnation, epoch }: Witness): string {
  return (
    `consumer group ${groupId} says that job ${job} has run (incarnation ${incarnation}, epoch ${epoch} was committed), and this table knows no epoch of it: ` +
    'starting anew would lose its state and may skip input. Have it go on with the table and the blobs that it had ' +
    '(ONCEFLOW_TABLE and ONCEFLOW_BLOBS; in a deployment ONCEFLOW_ADOPT_TABLE and ONCEFLOW_ADOPT_BLOBS), ' +
    'or start it once with ONCEFLOW_ON_MISSING_STATE=start-anew ("Destroy and deploy again" in docs/operations.md)'
  );
}

function byEpoch(one: Witness, other: Witness): number {
  return one.epoch - other.epoch;
}

function epochOf(row: JobRow | undefined): number {
  return row?.lastCompleted?.epoch ?? -1;
}

async function witnessesIn({ kafka }: CoordinatorDeps, { job, groupId }: JobSettings, topic: string): Promise<Witness[]> {
  try {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    return (await kafka.groupOffsets(groupId, topic, partitions)).flatMap((found) => witnessFor(job, found?.metadata ?? '') ?? []);
  } catch (error) {
    // A group that may not be read is no witness; that it may not be written to, each epoch says.
    if (error instanceof KafkaProblem && !error.retriable) return [];
    throw error;
  }
}
