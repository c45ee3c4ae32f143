import { type KafkaAnswer, KafkaProblem } from '../../ports/kafka-requests.ts';
import { retriedAnswer } from '../../ports/retry.ts';
import type { SourceOffsets } from '../../protocol/manifest.ts';
import type { CoordinatorDeps, JobSettings } from '../coordinator/context.ts';
import { witnessFor } from './witness.ts';

const PATIENCE_MS = 5_000;

/**
 * Takes from the consumer group what says that the job has run, so that a start of this name begins anew without being asked; the
 * offsets stay. Best effort: answers what was refused, for people.
 */
export async function forgetWitness(
  { kafka, clock, random }: Pick<CoordinatorDeps, 'kafka' | 'clock' | 'random'>,
  { job, groupId }: Pick<JobSettings, 'job' | 'groupId'>,
  offsets: SourceOffsets,
): Promise<string[]> {
  const asking = { clock, random, deadlineMs: clock.elapsedMs() + PATIENCE_MS };
  const refused: string[] = [];
  for (const topics of Object.values(offsets)) {
    for (const [topic, { length }] of Object.entries(topics)) {
      const partitions = Array.from({ length }, (_, partition) => partition);
      try {
        const found = await kafka.groupOffsets(groupId, topic, partitions);
        const left = found.flatMap((at, partition) =>
          at !== undefined && witnessFor(job, at.metadata) !== undefined ? [{ partition, offset: at.offset }] : [],
        );
        const answer: KafkaAnswer =
          left.length === 0 ? 'NONE' : await retriedAnswer(asking, () => kafka.commitGroupOffsets(groupId, topic, left, ''));
        if (answer !== 'NONE') refused.push(answer);
      } catch (error) {
        if (!(error instanceof KafkaProblem)) throw error;
        refused.push(error.message);
      }
    }
  }
  return refused;
}
