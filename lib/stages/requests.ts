import type { BlobRef, Committable, KeyGroupRange, SnapshotRef } from '../format/manifest.ts';
import type { CondemnedRecord } from '../operators/dead-letters.ts';

export type { CondemnedRecord };

import type { Meeting } from '../graph/meeting.ts';
import type { RecordPlace } from '../operators/errors.ts';
import type { CommitPermit } from '../transactions/commit.ts';
import type { OnMissingEvidence, ResolveOutcome } from '../transactions/resolve.ts';

/**
 * What the coordinator asks of the stages, and what they answer: plain JSON values, the payloads of function
 * invocations. A stage function is stateless as far as safety goes: everything it needs is in the request.
 */
export interface StageRequest {
  /** The build of the coordinator; a stage of another build answers `stale` (never for commit, resolve and abort). */
  readonly build: string;
  readonly job: string;
  readonly incarnation: string;
  readonly epoch: number;
  readonly decisionId: string;
  readonly stage: string;
  readonly subtask: number;
  /** Milliseconds that are left when it is sent. No instant travels: clocks differ, and a function counts from when it came. */
  readonly timeoutMs: number;
  /** Functions of builds before 0.2 take no request without an instant, and could not say that they are of another build. */
  readonly deadlineMs?: number;
  /** Parallelism of every stage. */
  readonly parallelism: Readonly<Record<string, number>>;
  /** Partitions of every sink topic, and the largest record batch that the topic takes, as the coordinator saw them. */
  readonly sinkTopics: Readonly<Record<string, SinkTopic>>;
}

export interface SinkTopic {
  readonly partitions: number;
  readonly maxBatchBytes: number;
  /** Is its log compacted? */
  readonly compacted: boolean;
}

/** Offsets `from` … `bound` - 1 of one partition. The stage may stop earlier: the offset it reached is the barrier. */
export interface SourceRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly bound: number;
}

export interface SourceRequest extends StageRequest {
  readonly ask: 'read';
  readonly ranges: readonly SourceRange[];
  readonly maxBytes: number;
  readonly maxDurationMs: number;
  readonly meeting: Meeting;
  /** Undefined: a record that cannot be processed stops the job. */
  readonly deadLetters?: DeadLetters | undefined;
}

/** What is done with records that cannot be processed: they go to `topic`. */
export interface DeadLetters {
  readonly topic: string;
  /** One that user code keeps failing at, which goes there at once. */
  readonly condemned?: CondemnedRecord | undefined;
}

export interface OperatorRequest extends StageRequest {
  readonly ask: 'process';
  readonly keyGroups: KeyGroupRange;
  readonly meeting: Meeting;
  /** Segments of the exchange for this subtask, in the order of the upstream subtasks. */
  readonly inputs: readonly BlobRef[];
  /** By operator uid: the snapshots that together hold this subtask's key groups (several after a rescale). */
  readonly snapshots: Readonly<Record<string, readonly SnapshotRef[]>>;
}

export interface PrepareSinkRequest extends StageRequest {
  readonly ask: 'prepare';
  readonly topic: string;
  readonly transactionTimeoutMs: number;
  readonly staged: readonly BlobRef[];
}

export interface CommitSinkRequest extends StageRequest {
  readonly ask: 'commit';
  readonly permit: CommitPermit;
  readonly committables: readonly Committable[];
  /** Topics of theirs whose log is compacted. */
  readonly compacted: readonly string[];
  /** Were they prepared before this coordinator began? */
  readonly isOld: boolean;
}

export interface SendSinkRequest extends StageRequest {
  readonly ask: 'send';
  readonly permit: CommitPermit;
  readonly staged: readonly BlobRef[];
}

export interface ResolveSinkRequest extends StageRequest {
  readonly ask: 'resolve';
  readonly permit: CommitPermit;
  readonly committable: Committable;
  readonly transactionTimeoutMs: number;
  readonly staged: readonly BlobRef[];
  readonly compacted: readonly string[];
  readonly onMissingEvidence: OnMissingEvidence;
}

export interface AbortSinkRequest extends StageRequest {
  readonly ask: 'abort';
  readonly committables: readonly Committable[];
}

export type SinkRequest = PrepareSinkRequest | CommitSinkRequest | SendSinkRequest | ResolveSinkRequest | AbortSinkRequest;

/** What one epoch of one source or operator subtask wrote. */
export interface StageOutput {
  /** By target stage, then target subtask (the index); null = no rows. */
  readonly exchanges: Readonly<Record<string, readonly (BlobRef | null)[]>>;
  /** By sink uid; null = no records. */
  readonly staged: Readonly<Record<string, BlobRef | null>>;
  readonly recordsIn: number;
  readonly recordsOut: number;
}

export interface SourceDone extends StageOutput {
  readonly outcome: 'read';
  /** Where each range ended: the next offset to read. Same order as the request's ranges. */
  readonly reached: readonly SourceReached[];
  readonly bytesIn: number;
  /** Records that are in the staged output of the dead-letter sink in place of being processed. */
  readonly deadLetters: number;
  /** The oldest timestamp of the records that were read; undefined when there was none. */
  readonly oldestTimestampMs?: number | undefined;
}

export interface SourceReached {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

export interface OperatorDone extends StageOutput {
  readonly outcome: 'processed';
  readonly snapshots: Readonly<Record<string, SnapshotRef>>;
}

/**
 * An epoch's work failed. Nothing that a reader of committed data can see was left.
 * - `user-code`: the job's own function threw; the attempt is repeated, on ever smaller input.
 * - `record`: one record can never be processed (malformed, too large for the sink): the policy for such records applies.
 * - `transient`: broker, store or function service; the attempt is repeated as it is.
 * - `refused`: broker or store refuse it (access, a limit): repeated until it has lasted, then the job stops with the message.
 * - `fatal`: repeating cannot help (data loss, damaged blob): the job stops with the message.
 */
export interface StageFailed {
  readonly outcome: 'failed';
  readonly kind: 'user-code' | 'record' | 'transient' | 'refused' | 'fatal';
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of `user-code` and `record`. */
  readonly fault?: RecordFault | undefined;
}

/** Where and why a record could not be processed. */
export interface RecordFault {
  /** The operator's uid, or what it is and where. */
  readonly operator: string;
  readonly errorClass: string;
  readonly message: string;
  /** Of the user's own error. */
  readonly stack?: string | undefined;
  /** In source stages: the record that was worked on. */
  readonly record?: RecordPlace | undefined;
}

/** The function runs another build than the coordinator (an update is under way). */
export interface StageStale {
  readonly outcome: 'stale';
  readonly build: string;
}

export type SourceAnswer = SourceDone | StageFailed | StageStale;
export type OperatorAnswer = OperatorDone | StageFailed | StageStale;
/** Without a committable when there was nothing to write. */
export type PrepareAnswer = { readonly outcome: 'prepared'; readonly committable?: Committable | undefined } | StageFailed | StageStale;
export interface CommitAnswer {
  readonly outcome: 'committed';
  /** Those that the log does not show as committed: to be resolved. */
  readonly doubtful: readonly { readonly transactionalId: string; readonly why: string }[];
}
export type SendAnswer = { readonly outcome: 'sent' } | StageFailed;
export type ResolveAnswer = Exclude<ResolveOutcome, { readonly outcome: 'refused' }> | StageFailed;
export interface AbortAnswer {
  readonly outcome: 'aborted';
}
