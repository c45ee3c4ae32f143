import type { EpochRow, JobRow } from '../../lib/ports/epoch-store.ts';
import type { ConsoleDeps } from './deps.ts';
import { NothingThere } from './outcome.ts';

export const NO_EPOCH = 'the job has completed no epoch yet';

/** @throws NothingThere: there is no such job */
export async function rowOf(deps: ConsoleDeps): Promise<JobRow> {
  return (await deps.epochs.readJob(deps.job)) ?? noSuchJob(deps);
}

export function noSuchJob({ job, table }: Pick<ConsoleDeps, 'job' | 'table'>): never {
  throw new NothingThere(
    `there is no job ${job} in table ${table}: it was never started, or it was deleted; or the name (--job) or the table (ONCEFLOW_TABLE) is another`,
  );
}

/** Undefined: none is completed yet, or its row is gone. */
export async function lastEpoch({ epochs }: ConsoleDeps, { job, incarnation, lastCompleted }: JobRow): Promise<EpochRow | undefined> {
  return lastCompleted === undefined ? undefined : epochs.readEpoch(job, incarnation, lastCompleted.epoch);
}
