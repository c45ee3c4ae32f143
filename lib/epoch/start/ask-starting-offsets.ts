import { parseStartingOffsets, type StartingPoint } from '../../config/starting-offsets.ts';
import type { SourceStage } from '../../plan/plan.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { resolveStart } from './starting-offsets.ts';

/** Where each partition of a source begins that has nothing to go on from. Throws `JobFailedError` when a person has to say more. */
export async function askStartingOffsets(
  { kafka }: Pick<CoordinatorDeps, 'kafka'>,
  { groupId }: Pick<JobSettings, 'groupId'>,
  { id, topic, startingOffsets }: SourceStage,
  saidBy = 'ONCEFLOW_STARTING_OFFSETS, or startingOffsets of the source',
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
  throw new JobFailedError(`source ${id} is to start in topic ${topic} at ${from}: ${decision.message} (${saidBy})`);

  async function find(at: StartingPoint): Promise<readonly (number | undefined)[]> {
    if (at.at === 'group') return (await kafka.groupOffsets(groupId, topic, partitions)).map((found) => found?.offset);
    return at.at === 'timestamp' ? kafka.offsetsAtTime(topic, partitions, at.timestampMs) : [];
  }
}

/** Starting offsets, and of which topic they are: one that is made anew while it is asked is asked again. `saidBy`: for people, what says them. */
export async function startOfSource(
  deps: CoordinatorDeps,
  settings: Pick<JobSettings, 'groupId'>,
  source: SourceStage,
  signal: AbortSignal,
  saidBy?: string,
): Promise<{ readonly topicId: string | undefined; readonly numbers: readonly number[] }> {
  const { id, topic } = source;
  const askForId = () => untilAnswered(deps, `asking for the id of topic ${topic}`, () => deps.kafka.topicId(topic, 'now'), signal);
  for (let topicId = await askForId(); ; ) {
    const asking = () => askStartingOffsets(deps, settings, source, saidBy);
    const numbers = await untilAnswered(deps, `resolving the starting offsets of ${id}`, asking, signal);
    const idBehind = await askForId();
    if (idBehind === topicId) return { topicId, numbers };
    topicId = idBehind;
  }
}
