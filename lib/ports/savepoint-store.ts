import type * as z from 'zod';
import type { EpochSummary } from '../protocol/rows.ts';
import type { Former, SavepointStanding, StartedFrom, savepointSchema } from '../protocol/savepoint.ts';
import type { FencedWrite, ManifestRef } from './manifest-ref.ts';

/**
 * A named pin on an epoch: a copy of its manifest, which keeps every blob that it names for as long as it is there and not `deleting`.
 */
export type Savepoint = Readonly<z.infer<typeof savepointSchema>> & {
  readonly manifest: ManifestRef;
};

/** One whose row this build cannot read: it is damaged, or of a newer one. What it keeps is not known. */
export interface UnreadableSavepoint extends Pick<Savepoint, 'job' | 'name'> {
  readonly standing: 'unreadable';
  readonly why: string;
}

/** The next incarnation of a job, which begins at a decided epoch of this one or of a savepoint. */
export interface NextIncarnation {
  readonly job: string;
  readonly generation: number;
  /** The one that the job leaves. */
  readonly leaves: string;
  readonly incarnation: string;
  /** Its first epoch, which has the number of the one that it begins at. */
  readonly epoch: number;
  readonly decisionId: string;
  readonly manifest: ManifestRef;
  readonly summary: EpochSummary;
  readonly fingerprint: string;
  readonly maxParallelism: number;
  readonly leaseExpiresAtMs: number;
  /** What the row is to say of where the job was started from, this time included. */
  readonly startedFrom: readonly StartedFrom[];
  /** And of incarnations that it has left. */
  readonly former: readonly Former[];
  /** Sets desired = running if it was not asked to stop more often than so. Undefined: leaves it. A failure is cleared in any case. */
  readonly letsRunAfterStops: number | undefined;
  /** The savepoint, which must be there, and complete. Undefined: the epoch of the present incarnation, which must not be RETIRED. */
  readonly savepoint: Pick<Savepoint, 'name' | 'id'> | undefined;
}

/**
 * Savepoints, in the table of jobs and epochs: they outlive their job. Reads are strongly consistent. Every method may be repeated after a
 * `StoreProblem`, and then knows what its own first try has done.
 */
export interface SavepointStore {
  /**
   * Pins an epoch. `exists`: another savepoint has this name. `refused`: the job is not in this incarnation (any more), or the epoch is not
   * COMMITTED, or is RETIRED. One write: when it has succeeded, no deletion can have missed it.
   */
  createSavepoint(savepoint: Savepoint): Promise<'created' | 'exists' | 'refused'>;
  /** Makes the row of one that is `importing`, whatever there is of the job. */
  importSavepoint(savepoint: Savepoint): Promise<'created' | 'exists'>;
  /** From `importing` to `complete`, or from whichever to `deleting`. `gone`: it is not there, or in no standing for it. */
  moveSavepoint(savepoint: Pick<Savepoint, 'job' | 'name' | 'id'>, to: Exclude<SavepointStanding, 'importing'>): Promise<'moved' | 'gone'>;
  /** Deletes the row of one that is `deleting`; a row that has gone is no error. */
  deleteSavepoint(savepoint: Pick<Savepoint, 'job' | 'name' | 'id'>): Promise<void>;
  readSavepoint(job: string, name: string): Promise<Savepoint | undefined>;
  /** In the order of names, whatever their standing. One that cannot be read hides no other. */
  listSavepoints(job: string): Promise<readonly (Savepoint | UnreadableSavepoint)[]>;
  /**
   * Moves the job to its next incarnation, with the row of that one's first epoch, in one write: from then on its manifest keeps what it
   * names. Only when everything that is decided is COMMITTED. `refused`: the savepoint is gone, or the epoch is.
   */
  beginIncarnation(next: NextIncarnation): Promise<FencedWrite | 'refused'>;
  /** The row keeps no more of an incarnation that the job has left. */
  forgetFormer(job: string, generation: number, incarnation: string): Promise<FencedWrite>;
}
