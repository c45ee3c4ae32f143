import { byName } from '../../config/by-name.ts';
import type { JobRow } from '../../ports/epoch-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { type Pool, widened } from '../../protocol/pool.ts';
import { commitEpoch } from '../commit/commit-epoch.ts';
import { settlePool } from '../commit/settle-pool.ts';
import { readManifest } from '../decision/read-manifest.ts';
import { type Held, recordCommitted } from '../lease/held.ts';
import { type CommitSettings, type CoordinatorDeps, connectorNamed, type Tenure } from './context.ts';
import { untilAnswered } from './store-retry.ts';

export type FinishSettings = Pick<CommitSettings, 'build' | 'commitTimeoutMs' | 'epochTimeoutMs' | 'onMissingEvidence'>;

export interface Finished {
  /** The epoch that had been decided and was committed now; undefined when none was left. */
  readonly committed: number | undefined;
  /** Committables of it that were lost and whose output was published again. */
  readonly republished: number;
  /** How much there was that could have been open, and is not any more. */
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
    completed === undefined || (isOver && arePlacesKnown(pool))
      ? undefined
      : await untilAnswered(deps, `reading the manifest of epoch ${completed.epoch}`, () => readManifest(deps, row, completed), signal);
  const tenure: Tenure = { generation, incarnation, sinkFacts: {}, pool: withPlacesOf(deps, pool, newest) };
  const last = isOver ? undefined : newest;
  const held: Held = {
    deps,
    settings: { ...settings, job, plan: { job, stages: [], edges: [] } },
    tenure,
    signal,
  };
  const { republished } = last === undefined ? { republished: 0 } : await commitEpoch(held, last, { recorded: row.sentAgain, isOld: true });
  if (last !== undefined) await recordCommitted(held, last.epoch);
  const settledIds = await settlePool(held);
  return { committed: last?.epoch, republished, settledIds };
}

/** Builds before 0.2 did not record them. */
function arePlacesKnown(pool: Pool): boolean {
  return Object.values(pool).some((sinks) => Object.values(sinks).some(({ places }) => places.length > 0));
}

/** With what the newest epoch wrote to, which tells of most where it was not recorded. */
function withPlacesOf(deps: CoordinatorDeps, pool: Pool, newest: Manifest | undefined): Pool {
  return (newest?.committables ?? []).reduce((wider, committable) => {
    const { connector, sink } = committable;
    const of = connectorNamed(deps, connector);
    if (of.how !== 'prepared') return wider;
    return widened(wider, { [connector]: byName([[sink, { subtasks: 0, places: of.placesIn(committable) }]]) });
  }, pool);
}
