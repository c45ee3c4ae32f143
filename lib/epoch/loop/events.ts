import type { Stage } from '../../plan/plan.ts';
import type { EpochSummary, Rescale } from '../../ports/epoch-store.ts';
import type { Manifest, Position } from '../../protocol/manifest.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import type { Pool } from '../../protocol/pool.ts';
import type { Own } from '../../protocol/shape.ts';
import type { Attempt, StageOutcome } from '../attempt/attempt.ts';
import type { CommitResult } from '../commit/commit-epoch.ts';
import type { PlanAsk, Planned } from '../planning/plan-epoch.ts';
import type { CoordinatorEvent } from '../progress/events.ts';
import type { Scale } from '../scale/scale.ts';
import type { Chore } from './chores.ts';

/** What a loop is told. */
export type LoopEvent =
  /** `base`: the decision that the plan builds on. `ms`: how long it took, for who watches. */
  | { readonly of: 'planned'; readonly base: string; readonly planned: Planned; readonly ms?: number }
  | {
      readonly of: 'stage';
      readonly attempt: Pick<Attempt, 'epoch' | 'decisionId'>;
      readonly stage: string;
      readonly ms: number;
      readonly result: StageOutcome;
    }
  | { readonly of: 'decided'; readonly manifest: DecidedManifest; readonly ms: number }
  | { readonly of: 'committed'; readonly epoch: number; readonly result: CommitResult; readonly ms: number }
  /** `all`: not so far as brokers could not be asked. */
  | { readonly of: 'leftovers-ended'; readonly all: boolean }
  | { readonly of: 'settled' }
  /** The process is to end. */
  | { readonly of: 'told-to-end' }
  | { readonly of: 'chore'; readonly chore: Chore; readonly result: ChoreResult };

export type ChoreResult =
  | { readonly outcome: 'failed'; readonly message: string }
  /** Whether the job row asks for a stop, and what it asks for of the subtasks of stages. */
  | { readonly outcome: 'read-control'; readonly asksToStop: boolean; readonly rescale?: Rescale | undefined }
  /** The pool has room for epochs of these numbers. */
  | { readonly outcome: 'widened-pool'; readonly parallelism: Parallelism; readonly pool: Pool }
  | { readonly outcome: 'recorded-scale'; readonly stages: Scale['stages'] }
  | { readonly outcome: 'looked-for-open'; readonly found: boolean }
  | { readonly outcome: 'sink-facts'; readonly sinkFacts: Readonly<Record<string, Own>> }
  | { readonly outcome: 'recorded-commit'; readonly epoch: number }
  /** `refused`: why they could not be committed. */
  | { readonly outcome: 'group-offsets'; readonly epoch: number; readonly refused: string | undefined }
  | { readonly outcome: 'done' };

/** What a loop has done: each is started, and what it ends in is an event. Nothing else in the engine's decisions does I/O. */
export type Effect =
  | { readonly do: 'observe'; readonly event: CoordinatorEvent }
  /** Ends in `planned`. `base`: the decision that it is to build on. */
  | ({ readonly do: 'plan'; readonly base: string } & PlanAsk)
  /** Ends in `stage`. */
  | { readonly do: 'run-stage'; readonly stage: Stage; readonly attempt: Attempt; readonly before: Position }
  /** The calls of a dropped attempt are given up. */
  | { readonly do: 'give-up'; readonly decisionId: string }
  /** What an attempt has prepared that will never be decided is ended, as well as that can be done now. */
  | { readonly do: 'abort'; readonly attempt: Pick<Attempt, 'epoch' | 'decisionId' | 'committables'> }
  /** Ends in `decided`. */
  | { readonly do: 'decide'; readonly manifest: Manifest; readonly summary: Omit<EpochSummary, 'decidedAtMs'> }
  /** Ends in `committed`. */
  | { readonly do: 'commit'; readonly manifest: DecidedManifest }
  /** Ends in `leftovers-ended`. */
  | { readonly do: 'end-leftovers' }
  /** Ends in `settled`. `record`: the epoch that is to be recorded as COMMITTED first. */
  | { readonly do: 'settle'; readonly record: number | undefined }
  /** What is under way is left to the next coordinator when it would have to be repeated. */
  | { readonly do: 'leave' }
  /** By a decision, whose expiry was computed then. */
  | { readonly do: 'lease-renewed'; readonly atMs: number }
  /** There is, or may be, something to do. */
  | { readonly do: 'begin-progress' }
  /** The job moved on, or has nothing to do. `more`: is anything under way still? */
  | { readonly do: 'progress'; readonly more: boolean }
  /** Ends in `chore`. */
  | { readonly do: 'chore'; readonly chore: 'read-control' | 'collect' | 'look-for-open' | 'look-for-held-up' | 'sink-facts' }
  | { readonly do: 'chore'; readonly chore: 'record-commit'; readonly epoch: number }
  | { readonly do: 'chore'; readonly chore: 'widen-pool'; readonly parallelism: Parallelism }
  | { readonly do: 'chore'; readonly chore: 'record-scale'; readonly stages: Scale['stages'] }
  | { readonly do: 'chore'; readonly chore: 'group-offsets'; readonly manifest: Manifest };
