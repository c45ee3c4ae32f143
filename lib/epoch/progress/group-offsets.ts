import type { Manifest } from '../../protocol/manifest.ts';
import type { CoordinatorDeps, JobSettings } from '../coordinator/context.ts';
import { witnessOf } from '../start/witness.ts';

/**
 * Commits an epoch's input offsets to the consumer group: for lag tools, and as a witness of how far the job was. It goes on from
 * its manifest. Best effort: answers what was refused, for people.
 */
export async function commitGroupOffsets(
  { kafka }: Pick<CoordinatorDeps, 'kafka'>,
  { groupId }: Pick<JobSettings, 'groupId'>,
  { job, offsets, incarnation, epoch }: Manifest,
): Promise<string | undefined> {
  for (const topics of Object.values(offsets)) {
    for (const [topic, numbers] of Object.entries(topics)) {
      const of = numbers.map((offset, partition) => ({ partition, offset }));
      const answer = await kafka.commitGroupOffsets(groupId, topic, of, witnessOf({ job, incarnation, epoch }));
      if (answer !== 'NONE') return `offsets of group ${groupId}, topic ${topic}, could not be committed for lag tools: ${answer}`;
    }
  }
  return undefined;
}
