import type { Committable, Manifest } from '../format/manifest.ts';
import type { OperatorDone, SourceDone, SourceRange } from '../stages/requests.ts';

/** One try at an epoch, from its plan until it is committed or dropped. Lives in the coordinator's memory only. */
export interface Attempt {
  readonly epoch: number;
  readonly decisionId: string;
  readonly parentDecisionId: string;
  readonly plannedAtMs: number;
  /** Input by source stage, then subtask (the index). */
  readonly ranges: Readonly<Record<string, readonly (readonly SourceRange[])[]>>;
  readonly maxBytes: number;
  phase: Phase;
  readonly stages: Map<string, StageProgress>;
  /** By source stage, then subtask; undefined for a subtask that had nothing to read. */
  readonly sources: Map<string, readonly (SourceDone | undefined)[]>;
  /** By operator stage, then subtask. */
  readonly operators: Map<string, readonly OperatorDone[]>;
  readonly committables: Committable[];
  sinkStartedAtMs: number | undefined;
  /** How long the slowest stage took so far, in milliseconds. */
  slowestStageMs: number;
  /** Set once the epoch is decided. */
  manifest: Manifest | undefined;
  readonly abort: AbortController;
}

/** `working`: not decided; it can still be dropped. From `decided` on there is no way back. */
export type Phase = 'working' | 'deciding' | 'decided' | 'committing';

export type StageProgress = 'waiting' | 'running' | 'done';
