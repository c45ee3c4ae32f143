import type { InspectDeps } from '../lib/inspect/deps.ts';
import { manifestIn } from '../lib/inspect/manifest.ts';
import type { SourceRequests } from '../lib/ports/kafka-requests.ts';
import { partitionsOf } from './topics.ts';

/** By topic, where what a job reads ends now. */
export type SourceEnds = ReadonlyMap<string, readonly number[]>;

/** @param topics that the job reads */
export async function sourceEnds(kafka: SourceRequests, topics: readonly string[]): Promise<SourceEnds> {
  const ends = [...new Set(topics)].map(
    async (topic) => [topic, await kafka.offsets(topic, await partitionsOf(kafka, topic), 'latest')] as const,
  );
  return new Map(await Promise.all(ends));
}

/** Has the job committed all that was before these ends? */
export async function isCommitted(
  deps: Pick<InspectDeps, 'epochs' | 'blobStore' | 'random'>,
  job: string,
  ends: SourceEnds,
): Promise<boolean> {
  const row = await deps.epochs.readJob(job);
  if (row?.lastCompleted === undefined) return false;
  const last = await deps.epochs.readEpoch(job, row.incarnation, row.lastCommitted);
  if (last === undefined) return false;
  const { offsets } = await manifestIn(deps, last);
  const read = Object.values(offsets).flatMap((byTopic) => Object.entries(byTopic));
  return read.every(([topic, next]) => (ends.get(topic) ?? []).every((end, partition) => (next[partition] ?? 0) >= end));
}
