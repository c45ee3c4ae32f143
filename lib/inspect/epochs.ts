import type { EpochRow, EpochSummary, JobRow } from '../ports/epoch-store.ts';
import type { InspectDeps } from './deps.ts';

export interface JobEpochs {
  readonly job: string;
  readonly incarnation: string;
  /** The oldest first. */
  readonly epochs: readonly InspectedEpoch[];
}

export interface InspectedEpoch extends EpochSummary {
  readonly epoch: number;
  readonly decisionId: string;
  readonly standing: EpochStanding;
  /** From the plan to the decision. */
  readonly durationMs: number;
}

/** `committed` as far as it is recorded: that of the newest is recorded with the next decision, or when the job is idle. */
export type EpochStanding = 'retired' | 'committed' | 'decided';

/** The newest `limit` epochs whose rows are there: those of retired epochs go after a day. Undefined: there is no such job. */
export async function readEpochs({ epochs, job }: InspectDeps, limit: number): Promise<JobEpochs | undefined> {
  const row = await epochs.readJob(job);
  if (row === undefined) return undefined;
  const newest = row.lastCompleted?.epoch ?? -1;
  const rows = await epochs.listEpochs(row.job, row.incarnation, newest - limit);
  // The job goes on meanwhile: more may be there than when the row was read, and its row says more of them.
  return epochsOf((await epochs.readJob(job)) ?? row, rows.slice(-limit));
}

export function epochsOf(row: JobRow, rows: readonly EpochRow[]): JobEpochs {
  const epochs = rows.map(({ epoch, decisionId, summary }) => ({
    epoch,
    decisionId,
    standing: epochStandingOf(row, epoch),
    ...summary,
    durationMs: summary.decidedAtMs - summary.plannedAtMs,
  }));
  return { job: row.job, incarnation: row.incarnation, epochs };
}

function epochStandingOf({ retiredThrough, lastCommitted }: JobRow, epoch: number): EpochStanding {
  if (epoch <= retiredThrough) return 'retired';
  return epoch <= lastCommitted ? 'committed' : 'decided';
}
