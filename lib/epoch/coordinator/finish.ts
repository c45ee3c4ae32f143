import { byName, ofName } from '../../config/by-name.ts';
import type { JobRow } from '../../ports/epoch-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { commitEpoch } from './commit-epoch.ts';
import type { CommitSettings, CoordinatorDeps, Tenure } from './context.ts';
import { type Held, recordCommitted } from './held.ts';
import { readManifest } from './read-manifest.ts';
import { settlePool } from './settle-pool.ts';
import { untilAnswered } from './store-retry.ts';

export type FinishSettings = Pick<
  CommitSettings,
  'build' | 'commitTimeoutMs' | 'epochTimeoutMs' | 'transactionTimeoutMs' | 'onMissingEvidence'
>;

export interface Finished {
  /** The epoch that had been decided and was committed now; undefined when none was left. */
  readonly committed: number | undefined;
  /** Transactions of it that were lost and whose output was published again. */
  readonly republished: number;
  /** Transactional ids under which nothing is open any more. */
  readonly settledIds: number;
}

/**
 * Brings a job to rest for whoever holds its generation and will not run it: commits what is decided, then ends whatever
 * else is open. Needs the job's record alone, neither its code nor its settings, so that it works whatever is wrong with
 * them. Throws `SupersededError`, `JobFailedError`, or, when `signal` ends it, `LeftToNextError`: it may be repeated.
 */
export async function finishJob(deps: CoordinatorDeps, settings: FinishSettings, row: JobRow, signal: AbortSignal): Promise<Finished> {
  const { job, generation, incarnation, pool, lastCompleted: completed } = row;
  // What is committed need not be read; a job whose last manifest is lost is brought to rest all the same.
  const isOver = completed === undefined || completed.epoch <= row.lastCommitted;
  const newest =
    completed === undefined || (isOver && Object.keys(row.sinkTopics).length > 0)
      ? undefined
      : await untilAnswered(deps, `reading the manifest of epoch ${completed.epoch}`, () => readManifest(deps, row, completed), signal);
  const tenure: Tenure = { generation, incarnation, sinkTopics: {}, pool, writtenTopics: topicsOf(row, newest) };
  const last = isOver ? undefined : newest;
  const held: Held = { deps, settings: { ...settings, job, plan: { job, stages: [], edges: [] }, parallelism: pool }, tenure, signal };
  const { republished } = last === undefined ? { republished: 0 } : await commitEpoch(held, last, { recorded: row.sentAgain, isOld: true });
  if (last !== undefined) await recordCommitted(held, last.epoch);
  const settledIds = await settlePool(held);
  return { committed: last?.epoch, republished, settledIds };
}

/** By sink uid. Builds before 0.2 did not record them: what the newest epoch wrote to tells of most. */
function topicsOf({ sinkTopics }: JobRow, newest: Manifest | undefined): Tenure['writtenTopics'] {
  const bySink = Map.groupBy(newest?.committables ?? [], ({ sink }) => sink);
  const written = [...bySink].map(([sink, committables]) => {
    const topics = committables.flatMap((of) => [...of.written, ...(of.marker === undefined ? [] : [of.marker])].map(({ topic }) => topic));
    return [sink, [...new Set([...(ofName(sinkTopics, sink) ?? []), ...topics])]] as const;
  });
  return { ...sinkTopics, ...byName(written) };
}
