import { witnessFor } from '../lib/epoch/coordinator/witness.ts';
import { manifestIn } from '../lib/inspect/manifest.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import { type KafkaAnswer, KafkaProblem } from '../lib/ports/kafka-requests.ts';
import { StoreProblem } from '../lib/ports/store-problem.ts';
import type { SourceOffsets } from '../lib/protocol/manifest.ts';
import { retriedAnswer } from '../lib/transactions/retry.ts';
import type { Tools } from './tools.ts';

const PATIENCE_MS = 5_000;

/** The offsets of the last epoch, by which the job's consumer group is found. Undefined when they cannot be read: then nothing is. */
export async function lastOffsets(tools: Tools, { job, incarnation, lastCompleted }: JobRow): Promise<SourceOffsets | undefined> {
  if (lastCompleted === undefined) return undefined;
  const last = await tools.epochs.readEpoch(job, incarnation, lastCompleted.epoch);
  try {
    return last === undefined ? undefined : (await manifestIn(tools, last)).offsets;
  } catch (error) {
    // A damaged job is deleted too.
    if (error instanceof StoreProblem) throw error;
    return undefined;
  }
}

/**
 * Takes from the consumer group what says that the job has run, so that a start of this name begins anew without being asked; the
 * offsets stay. Best effort: where it cannot be done, that start stops and says so.
 */
export async function forgetWitness(tools: Tools, offsets: SourceOffsets): Promise<void> {
  const { clock, random, config, job, say } = tools;
  const groupId = config.groupId ?? job;
  const kafka = await tools.kafka();
  const asking = { clock, random, deadlineMs: clock.elapsedMs() + PATIENCE_MS };
  const refused = (why: string) =>
    say(`consumer group ${groupId} still says that job ${job} has run (${why}): a start needs ONCEFLOW_ON_MISSING_STATE=start-anew`);
  for (const topics of Object.values(offsets)) {
    for (const [topic, { length }] of Object.entries(topics)) {
      try {
        const found = await kafka.groupOffsets(
          groupId,
          topic,
          Array.from({ length }, (_, partition) => partition),
        );
        const left = found.flatMap((at, partition) =>
          at !== undefined && witnessFor(job, at.metadata) !== undefined ? [{ partition, offset: at.offset }] : [],
        );
        const answer: KafkaAnswer =
          left.length === 0 ? 'NONE' : await retriedAnswer(asking, () => kafka.commitGroupOffsets(groupId, topic, left, ''));
        if (answer !== 'NONE') refused(answer);
      } catch (error) {
        if (!(error instanceof KafkaProblem)) throw error;
        refused(error.message);
      }
    }
  }
}
