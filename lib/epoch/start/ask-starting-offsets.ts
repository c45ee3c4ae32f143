import { parseStartingOffsets, type StartingPoint } from '../../config/starting-offsets.ts';
import type { SourceStage } from '../../plan/plan.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../coordinator/context.ts';
import { resolveStart } from './starting-offsets.ts';

/** Where each partition of a source begins that has nothing to go on from. Throws `JobFailedError` when a person has to say more. */
export async function askStartingOffsets(
  { kafka }: Pick<CoordinatorDeps, 'kafka'>,
  { groupId }: Pick<JobSettings, 'groupId'>,
  { id, topic, startingOffsets }: SourceStage,
): Promise<readonly number[]> {
  const point = parseStartingOffsets(startingOffsets);
  if (point === undefined) throw new Error(`source ${id} has starting offsets that nobody checked: ${startingOffsets}`);
  const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
  const starts = await kafka.offsets(topic, partitions, 'earliest');
  const ends = await kafka.offsets(topic, partitions, 'latest');
  const highWatermarks = point.at === 'offsets' ? await kafka.offsets(topic, partitions, 'end') : ends;
  const decision = resolveStart(point, { starts, ends, highWatermarks, found: await find(point) });
  if (decision.outcome === 'resolved') return decision.offsets;
  const from = point.at === 'group' ? `the offsets of consumer group ${groupId} (${startingOffsets}; ONCEFLOW_GROUP_ID)` : startingOffsets;
  throw new JobFailedError(
    `source ${id} is to start in topic ${topic} at ${from}: ${decision.message} (ONCEFLOW_STARTING_OFFSETS, or startingOffsets of the source)`,
  );

  async function find(at: StartingPoint): Promise<readonly (number | undefined)[]> {
    if (at.at === 'group') return (await kafka.groupOffsets(groupId, topic, partitions)).map((found) => found?.offset);
    return at.at === 'timestamp' ? kafka.offsetsAtTime(topic, partitions, at.timestampMs) : [];
  }
}
