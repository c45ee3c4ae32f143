import type { Pool } from '../protocol/pool.ts';
import type { EpochSummary, JobRow, NoProgress, Rescale, SentAgain, StageScale, UnderWay } from '../protocol/rows.ts';
import type { FencedWrite, ManifestRef } from './manifest-ref.ts';
import type { SavepointStore } from './savepoint-store.ts';

export type { AttemptFailure, EpochSummary, JobRow, NoProgress, Rescale, SentAgain, StageScale, UnderWay } from '../protocol/rows.ts';
export { type FencedWrite, MAX_ROW_MANIFEST_BYTES, type ManifestRef } from './manifest-ref.ts';
export type { NextIncarnation, Savepoint, SavepointStore, UnreadableSavepoint } from './savepoint-store.ts';

/** One decision: the manifest's row created and the job row moved from the parent to it, in one transaction. */
export interface Decision {
  readonly job: string;
  readonly incarnation: string;
  readonly generation: number;
  readonly epoch: number;
  readonly decisionId: string;
  /** Undefined for epoch 0. */
  readonly parentDecisionId: string | undefined;
  readonly leaseExpiresAtMs: number;
  /** Written with the decision: the epoch up to which everything is COMMITTED, i.e. epoch - 1 (0 for epoch 0). */
  readonly lastCommitted: number;
  readonly manifest: ManifestRef;
  readonly summary: EpochSummary;
}

export interface EpochRow {
  readonly epoch: number;
  readonly decisionId: string;
  readonly manifest: ManifestRef;
  readonly summary: EpochSummary;
  /** When the row of a RETIRED epoch goes; undefined: it stays. */
  readonly expiresAtMs?: number | undefined;
}

/**
 * `decided`: the row says that this decision is the epoch's. `refused`: a condition failed; read the job row to learn
 * which. `ambiguous`: no clear answer; repeat the identical call (same Decision object) until there is one.
 */
export type DecideAnswer = 'decided' | 'refused' | 'ambiguous';

/**
 * Epochs and the job row, in DynamoDB (`lib/aws`) or in a file of SQLite (`lib/sqlite`). Reads are strongly consistent. Every method may be repeated after a
 * `StoreProblem`, which all but `decide` throw when the store gave no clear answer.
 */
export interface EpochStore extends SavepointStore {
  readJob(job: string): Promise<JobRow | undefined>;
  /** Creates the row with generation 1 unless there is one. */
  createJob(row: JobRow): Promise<'created' | 'exists'>;
  /** Raises the generation whatever it is (by one, or more when an answer was lost), takes the lease, sets desired = running, clears the failure, and answers the row after that. */
  raiseGeneration(job: string, holder: string, leaseExpiresAtMs: number, holderEndsAtMs?: number): Promise<JobRow>;
  /**
   * Raises the generation only when the row still has `expected` (a scheduled revival): the generations of a job that was made anew begin
   * again, and since it was read a person may have asked for something else, or the holder that was taken for dead have said why it ended.
   * Undefined: it has not. Repeated after a call without an answer it knows what that one has taken.
   */
  reviveGeneration(
    job: string,
    expected: Pick<JobRow, 'generation' | 'incarnation' | 'desired' | 'failure'>,
    holder: string,
    leaseExpiresAtMs: number,
    holderEndsAtMs?: number,
  ): Promise<JobRow | undefined>;
  /**
   * The same for an explicit start that takes over from nobody, whatever the row says of desired and failure: in the same write sets
   * desired = running, and clears the failure.
   */
  startGeneration(
    job: string,
    expected: Pick<JobRow, 'generation' | 'incarnation'>,
    holder: string,
    leaseExpiresAtMs: number,
    holderEndsAtMs?: number,
  ): Promise<JobRow | undefined>;
  /** @param underWay what is under way, for people; undefined leaves what the row says */
  renewLease(job: string, generation: number, leaseExpiresAtMs: number, underWay?: UnderWay): Promise<FencedWrite>;
  /**
   * Ends the lease now (`leaseExpiresAtMs` = 0), and records why the job ended, if it cannot go on. `desired: 'as-it-is'`
   * leaves what the row says, so that what a person asked for meanwhile is not lost: a stop, or that the job is to run again. `stopped` is a stop
   * that was asked for, and counts in `stops`.
   */
  releaseLease(
    job: string,
    generation: number,
    end: { readonly desired: 'stopped' | 'as-it-is'; readonly failure: string | undefined },
  ): Promise<FencedWrite>;
  /**
   * A person's request, so no generation guards it; `running` also clears the failure. `superseded`: it was for the job of this
   * incarnation, which was made anew since. Throws `StoreProblem` when there is no such job.
   */
  setDesired(job: string, desired: JobRow['desired'], incarnation?: string): Promise<FencedWrite>;
  /** Has a job run that is held, and clears the failure; unless it was asked to stop more often than so, or its lease was given up: then it stays as it is. */
  letRun(job: string, generation: number, afterStops: number): Promise<FencedWrite>;
  /**
   * A person's request for other numbers of subtasks, in place of the one that has the id `seen` (undefined: there is none), so no generation
   * guards it. `superseded`: there is another one by now, or the job is not of this incarnation, or is not to run.
   * Nothing was written then. Throws `StoreProblem` when there is no such job.
   */
  askRescale(job: string, incarnation: string, rescale: Rescale, seen: string | undefined): Promise<FencedWrite>;
  /** Records what the subtasks of stages are, and why. */
  recordScale(job: string, generation: number, scale: Readonly<Record<string, StageScale>>): Promise<FencedWrite>;
  /** Widens the pool by `pool` (`widened`); never narrows it, and keeps what is not named. */
  widenPool(job: string, generation: number, pool: Pool): Promise<FencedWrite>;
  /** Records a compatible change of the graph. */
  setFingerprint(job: string, generation: number, fingerprint: string): Promise<FencedWrite>;
  /** Records that the job makes no progress; undefined: it does again. */
  recordNoProgress(job: string, generation: number, noProgress: NoProgress | undefined): Promise<FencedWrite>;
  decide(decision: Decision): Promise<DecideAnswer>;
  /**
   * Records what was sent again, in place of the record that has the id `seen` (undefined: there is none of this epoch). Throws
   * when the epoch is not the last one, or another record took that place: only the holder writes them, one after the other.
   */
  recordSentAgain(job: string, generation: number, sentAgain: SentAgain, seen: string | undefined): Promise<FencedWrite>;
  /** Never moves `lastCommitted` back. Throws when the epoch is not decided. */
  recordCommitted(job: string, generation: number, epoch: number): Promise<FencedWrite>;
  readEpoch(job: string, incarnation: string, epoch: number): Promise<EpochRow | undefined>;
  /** Rows of epochs after `after`, oldest first. */
  listEpochs(job: string, incarnation: string, after: number): Promise<readonly EpochRow[]>;
  /** Marks the manifests of all epochs up to `epoch` RETIRED, for ever. Throws when one of them is not COMMITTED or is the newest. */
  retireThrough(job: string, generation: number, epoch: number): Promise<FencedWrite>;
  /** Gives the row of a RETIRED epoch a time to live; a row that has gone is no error. That it is retired is irrevocable, so no generation guards it. */
  expireEpoch(job: string, incarnation: string, epoch: number, expiresAtMs: number): Promise<void>;
}

/**
 * The removal of a job, by whoever holds its generation. In the order of these methods, blobs in between: before
 * `forgetEpochs` a crash leaves a job that goes on from its last epoch, from then on one that starts anew, and neither
 * ever misses a blob that it needs.
 */
export interface JobRemoval {
  /**
   * Makes the row that of a job that has not run yet, of `incarnation`, which is new: from then on nothing refers to an
   * epoch, a blob or a transactional id of any other incarnation. `superseded`, too, when the job is to run: somebody has asked for that
   * since it was to be removed.
   */
  forgetEpochs(held: HeldJob, incarnation: string): Promise<FencedWrite>;
  /**
   * Deletes the epochs' rows of every incarnation but the job's own; answers how many. `superseded`: the job's own is not
   * `ownIncarnation` (any more), and what was found may be somebody's who made the job anew.
   */
  deleteEpochs(job: string, ownIncarnation: string): Promise<number | 'superseded'>;
  /** Deletes the row of a job that has no epoch. A row that has gone is no error. */
  deleteJob(held: HeldJob): Promise<FencedWrite>;
}

export type HeldJob = Pick<JobRow, 'job' | 'generation' | 'incarnation'>;
