import type { Manifest } from '../../format/manifest.ts';
import type { CoordinatorDeps, JobSettings } from './context.ts';
import { witnessOf } from './witness.ts';

/** After a refusal (the group has a member of somebody else) an idle job tries again after so long. */
const RETRY_MS = 5_000;

/** Input offsets in the consumer group: for lag tools, and as a witness of how far the job was. It goes on from its manifest. */
export interface GroupOffsets {
  /** Are those of this epoch still to be committed, and is it time to try? */
  isDue(epoch: number): boolean;
  /** Best effort: what is refused is said once, until something else is. */
  commit(manifest: Manifest): Promise<void>;
}

export function createGroupOffsets({ kafka, clock, observe }: CoordinatorDeps, { commitOffsets, groupId }: JobSettings): GroupOffsets {
  let committedEpoch = -1;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let said: string | undefined;

  return {
    isDue: (epoch) => commitOffsets && committedEpoch < epoch && clock.elapsedMs() >= triedAtMs + RETRY_MS,

    async commit({ job, offsets, incarnation, epoch }) {
      triedAtMs = clock.elapsedMs();
      for (const topics of Object.values(offsets)) {
        for (const [topic, numbers] of Object.entries(topics)) {
          const of = numbers.map((offset, partition) => ({ partition, offset }));
          const answer = await kafka.commitGroupOffsets(groupId, topic, of, witnessOf({ job, incarnation, epoch }));
          if (answer === 'NONE') continue;
          const message = `offsets of group ${groupId}, topic ${topic}, could not be committed for lag tools: ${answer}`;
          if (message !== said) observe({ event: 'warning', message });
          said = message;
          return;
        }
      }
      committedEpoch = epoch;
      said = undefined;
    },
  };
}
