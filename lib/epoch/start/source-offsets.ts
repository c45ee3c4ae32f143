import { byName, ofName } from '../../config/by-name.ts';
import type { SourceTime } from '../../protocol/event-time.ts';
import type { Manifest, SourceOffsets, TopicIds } from '../../protocol/manifest.ts';
import { type CoordinatorDeps, type JobSettings, sourceStages } from '../coordinator/context.ts';
import { startOfSource } from './ask-starting-offsets.ts';

const SAID_BY = '--source-offsets, ONCEFLOW_START_SOURCE_OFFSETS';

/**
 * The epoch with the offsets that its sources are to go on at, if others were asked for: as numbers, for the point may be another one when it is
 * resolved again after a crash. Of a source that the epoch has not it is the job's own setting that counts. Partitions of before say nothing of
 * those that are read now, neither how far their time has come nor when they were last active; sources and stages do not go back behind the
 * watermarks that they had.
 *
 * @throws JobFailedError: there is no such point in a topic
 */
export async function withSourceOffsets(
  deps: CoordinatorDeps,
  settings: Pick<JobSettings, 'groupId' | 'plan' | 'startAt'>,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Manifest> {
  const point = settings.startAt?.sourceOffsets;
  if (point === undefined) return manifest;
  const known = sourceStages(settings).filter(({ id }) => ofName(manifest.offsets, id) !== undefined);
  const offsets: [string, SourceOffsets[string]][] = [];
  const topicIds: [string, TopicIds[string]][] = [];
  for (const source of known) {
    const { id, topic } = source;
    const { topicId, numbers } = await startOfSource(deps, settings, { ...source, startingOffsets: point }, signal, SAID_BY);
    offsets.push([id, byName([[topic, numbers]])]);
    if (topicId !== undefined) topicIds.push([id, byName([[topic, topicId]])]);
  }
  const { time } = manifest;
  if (time === undefined) return { ...manifest, offsets: byName(offsets), topicIds: byName(topicIds) };
  const isKnown = (id: string) => known.some((source) => source.id === id);
  const sources = Object.entries(time.sources).map(([id, of]): [string, SourceTime] => [id, isKnown(id) ? { ...of, partitions: {} } : of]);
  return { ...manifest, offsets: byName(offsets), topicIds: byName(topicIds), time: { ...time, sources: byName(sources) } };
}
