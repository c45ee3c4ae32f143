import { forgetWitness } from '../lib/epoch/start/forget-witness.ts';
import { manifestIn } from '../lib/inspect/manifest.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import { StoreProblem } from '../lib/ports/store-problem.ts';
import type { SourceOffsets } from '../lib/protocol/manifest.ts';
import type { Tools } from './tools.ts';

/** Has the consumer group of a job that is deleted tell no more that it has run. Where it cannot, the next start stops and says so. */
export async function forgetThatItRan(tools: Tools, row: JobRow): Promise<void> {
  const { clock, random, config, job, say } = tools;
  const offsets = await lastOffsets(tools, row);
  if (offsets === undefined) return;
  const groupId = config.groupId ?? job;
  for (const why of await forgetWitness({ kafka: await tools.kafka(), clock, random }, { job, groupId }, offsets))
    say(`consumer group ${groupId} still says that job ${job} has run (${why}): a start needs ONCEFLOW_ON_MISSING_STATE=start-anew`);
}

/** The offsets of the last epoch, by which the job's consumer group is found. Undefined when they cannot be read: then nothing is. */
async function lastOffsets(tools: Tools, { job, incarnation, lastCompleted }: JobRow): Promise<SourceOffsets | undefined> {
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
