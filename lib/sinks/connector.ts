import type { Timing } from '../ports/clock.ts';
import type { Resolved, StageFailed } from '../protocol/answers.ts';
import type { Committable } from '../protocol/committable.ts';
import type { CommitPermit } from '../protocol/permit.ts';
import type { SinkPool } from '../protocol/pool.ts';
import type { OnMissingEvidence } from '../protocol/requests.ts';
import type { Own } from '../protocol/shape.ts';

/*
 * What a sink is to everybody else. A job's author names a *kind* of sink, and records are encoded for that kind in the stage before
 * it, as staged output (kind.ts). A *connector* then brings staged output to where readers are, in one of two ways:
 *
 * - `prepared`: it is there before the decision, and nobody sees it; the commit shows it. What became of it can be found out
 *   (resolve), it can be ended (abort), and what nobody knows of any more too (settle).
 * - `delivered`: nothing is there before the decision; after it the staged output is sent, and sent again until that is
 *   acknowledged. Whether readers see it twice then is the target's business.
 *
 * A connector has two halves. One works where the coordinator is, the other in the sink's function, and what the first tells the
 * second travels as JSON that only the two understand: facts, terms and tokens (`Own`). The table is in connectors.ts.
 */

/** Until when, by the `elapsedMs` of its clock, something is tried. */
export interface Until extends Timing {
  readonly deadlineMs: number;
}

/** One sink subtask in one epoch. */
export interface SinkPlace {
  readonly job: string;
  readonly incarnation: string;
  readonly sink: string;
  readonly subtask: number;
  readonly epoch: number;
}

/* The sink's function. */

export type SinkServer = PreparedServer | DeliveredServer;

/** Staged output of one sink subtask. */
export interface Staged {
  readonly isEmpty: boolean;
  /** As each upstream subtask encoded it, in their order; the buffers are the caller's to change. `name` is for errors. */
  read(): Promise<readonly { readonly payload: Buffer; readonly name: string }[]>;
}

export interface PreparedServer {
  readonly how: 'prepared';
  /**
   * Brings staged output to where the commit shows it, and begins by ending what an earlier attempt has left there. Of output that
   * is empty it does that alone. Throws what reading throws.
   */
  prepare(until: Until, place: SinkPlace, terms: Own, staged: Staged): Promise<PrepareOutcome>;
  /** Shows what was prepared; may be repeated, in whichever process. */
  commit(until: Until, permit: CommitPermit, committable: Committable, how: CommitTerms): Promise<CommitOutcome>;
  /**
   * Finds out what became of a commit that is in doubt, and sends again what was lost. It makes one pass, and commits nothing. Asked
   * for only by the holder of the generation.
   */
  resolve(until: Until, permit: CommitPermit, committable: Committable, how: ResolveTerms, staged: Staged): Promise<ResolveOutcome>;
  /** Ends what was prepared and will never be decided, as well as that can be done now. */
  abort(until: Until, committable: Committable): Promise<void>;
}

export interface DeliveredServer {
  readonly how: 'delivered';
  /**
   * Sends what is not done, every acknowledgement awaited; when time is over before it is all sent, it says how far it came. What was
   * under way at a failure may be there.
   */
  deliver(until: Until, permit: CommitPermit, committable: Committable, output: ToDeliver): Promise<DeliverOutcome>;
}

export interface ToDeliver {
  readonly place: SinkPlace;
  readonly staged: Staged;
  /** How far an earlier call of this coordinator came, in the connector's own words. Undefined: all of it is to be sent. */
  readonly done: Own | undefined;
}

export interface CommitTerms {
  readonly terms: Own;
  /** Was it prepared before this coordinator began? */
  readonly isOld: boolean;
}

export interface ResolveTerms {
  readonly place: SinkPlace;
  readonly terms: Own;
  readonly onMissingEvidence: OnMissingEvidence;
  /** What has been missing for long enough, as it was answered: the rule is of that alone. Undefined: of whatever is missing. */
  readonly missing?: string | undefined;
}

/**
 * `prepared`: without a committable when there was nothing to write. `failed`: nothing that a reader of committed data can see
 * was left; `retriable` says whether a new attempt may succeed.
 */
export type PrepareOutcome =
  | { readonly outcome: 'prepared'; readonly committable: Committable | undefined }
  /** `ofRecord`: a record is not what the target takes, and is refused each time; what it answers. */
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string; readonly ofRecord?: string | undefined };

/** `doubtful`: it cannot be seen to be committed; `resolve` goes on. `refused`: `why` is what only a person can mend, unless it passes. */
export type CommitOutcome =
  | { readonly outcome: 'committed' }
  | { readonly outcome: 'doubtful'; readonly why: string; readonly refused?: boolean };

/** `refused`: a right is missing; a person has to grant it. */
export type ResolveOutcome = Resolved | { readonly outcome: 'refused'; readonly message: string };

/** `done`: how far it came; asked again it goes on there. */
export type DeliverOutcome =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'partly'; readonly done: Own }
  | { readonly outcome: 'failed'; readonly done: Own; readonly kind: 'transient' | 'refused'; readonly message: string };

/* The coordinator. */

/** The connectors as a coordinator has them. */
export interface Sinks {
  /** The connector of a sink of this run. */
  forTarget(target: SinkTargetOf): SinkCoordination;
  /** That of what was prepared or decided before, whatever this run is set to. Undefined: this build has none of that name. */
  named(connector: string): SinkCoordination | undefined;
}

/** A target, to those who do not know its kind. */
export interface SinkTargetOf {
  readonly kind: string;
}

export type SinkCoordination = PreparedCoordination | DeliveredCoordination;

/** Times of the job that a connector's own have to go together with, in milliseconds. */
export interface JobTimes {
  readonly checkpointIntervalMs: number;
  readonly epochTimeoutMs: number;
  readonly commitTimeoutMs: number;
  readonly recoveryTimeoutMs: number;
  readonly leaseMs: number;
}

/** A sink of this run. */
export interface SinkOfRun {
  readonly sink: string;
  readonly target: SinkTargetOf;
}

interface CommonCoordination {
  /** Its name in committables and rows. */
  readonly connector: string;
  /** Why a job with such sinks cannot run with these times; undefined: it can. */
  refusalOf(times: JobTimes, sinks: readonly SinkOfRun[]): Promise<string | undefined>;
  /**
   * What encoders and the connector's other half have to know of where the sinks write to, as it is now: by sink. Refused: a person
   * has to act.
   */
  learn(sinks: readonly SinkOfRun[]): Promise<Learnt>;
  /** What a sink of this target may write to: where something may be open. */
  placesOf(target: SinkTargetOf): readonly string[];
  /** By which connector that is found and ended: itself, or another that writes to such places too. */
  readonly poolOf: string;
}

export type Learnt =
  | { readonly outcome: 'learnt'; readonly facts: Readonly<Record<string, Own>> }
  | { readonly outcome: 'refused'; readonly message: string };

export interface PreparedCoordination extends CommonCoordination {
  readonly how: 'prepared';
  /** What the other half has to know to prepare. */
  prepareTerms(target: SinkTargetOf): Own;
  /** What the other half has to know to commit these and to resolve them. `facts`: of all sinks of this run, whoever brings them. */
  commitTerms(committables: readonly Committable[], facts: Readonly<Record<string, Own>>): Promise<Own>;
  /**
   * What is wrong with what was prepared: asked when all of it is, and before it is decided. From then on the target refuses
   * whoever might add to it.
   */
  problemOf(until: Until, prepared: readonly Committable[]): Promise<StageFailed | undefined>;
  /** What it wrote to. */
  placesIn(committable: Committable): readonly string[];
  namesOf(committable: Committable): Names;
  /** Looks, now and then, for what nobody is going to end. */
  watch(scope: PoolScope): OpenWatch;
  /** Ends all that may be open, where nothing is decided and not committed. */
  settle(until: Until, scope: PoolScope, tell: (event: SinkEvent) => void): Promise<SettleOutcome>;
}

export interface DeliveredCoordination extends CommonCoordination {
  readonly how: 'delivered';
}

/** What of a job one connector may have left open. */
export interface PoolScope {
  readonly job: string;
  readonly incarnation: string;
  /** By sink uid. */
  readonly sinks: Readonly<Record<string, SinkPool>>;
  /** Where the sinks of this run write to; the rest the job wrote to once. Undefined: nobody runs it, or nobody knows. */
  readonly inUse?: readonly string[] | undefined;
}

/** `ends`: how many things there were that could have been open. */
export type SettleOutcome =
  | { readonly outcome: 'settled'; readonly ends: number }
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string };

export interface OpenWatch {
  /** One look; changes nothing there. Has something of the job been open in this look and in the one before? */
  look(tell: (event: SinkEvent) => void): Promise<boolean>;
}

/** What a connector says while it works, for people. */
export type SinkEvent =
  | { readonly event: 'warning'; readonly message: string }
  /** Readers wait for something that is not the job's, and that nobody is going to end: what and where. Said once for each. */
  | { readonly event: 'hanging-transaction'; readonly names: Names; readonly message: string };

/** What people find something by: fields of a log line, by the connector's own names. */
export type Names = Readonly<Record<string, string | number>>;
