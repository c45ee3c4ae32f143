import type { Parallelism } from '../../protocol/parallelism.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { Tenure } from '../coordinator/context.ts';
import { NO_TROUBLE, type Trouble } from '../failure/after-failure.ts';
import { noRefusals, type Refusals } from '../failure/refusals.ts';
import { type EpochSize, firstEpochSize } from '../planning/epoch-size.ts';
import type { Scale } from '../scale/scale.ts';
import { type Chores, firstChores } from './chores.ts';
import type { LoopRules } from './rules.ts';

/** All that a coordinator's loop knows: a value, and what an event makes of it is another one. Times are `elapsedMs`. */
export interface LoopState {
  readonly tenure: Tenure;
  /** The manifest of the last completed epoch. */
  readonly parent: DecidedManifest;
  /** Planned and not COMMITTED, oldest first. */
  readonly inFlight: readonly Attempt[];
  /** What the job row records as COMMITTED. */
  readonly recordedCommitted: number;
  /** A plan is being made. */
  readonly isPlanning: boolean;
  readonly planAtMs: number;
  /** The pause after a commit. */
  readonly pausedUntilMs: number;
  readonly size: EpochSize;
  /** How many subtasks stages have, and are to have. */
  readonly scale: Scale;
  readonly trouble: Trouble;
  /** How wide attempts were that were dropped in their sink stage since the last decision: what they may have left open is still to be ended. */
  readonly endsLeftovers: Parallelism | undefined;
  readonly staleInARow: number;
  readonly refusals: Refusals;
  /** Since when a source partition has been behind what was read of it. */
  readonly behindSinceMs: number | undefined;
  readonly idlePolls: number;
  readonly idleSinceMs: number | undefined;
  /** Of the last epoch that was committed, how long its decision and its commit took: the next one says it. Undefined: none was yet. */
  readonly committed: { readonly epoch: number; readonly decisionMs: number; readonly commitMs: number } | undefined;
  /** What looks find open that is the job's and of no epoch. It is ended between two epochs. */
  readonly leftovers: 'none' | 'found' | 'being-ended';
  readonly chores: Chores;
  readonly ending: Ending;
}

/** Why and since when the loop ends. */
export interface Ending {
  /** By its process. */
  readonly isTold: boolean;
  /** By the job row. */
  readonly isAsked: boolean;
  /** The job cannot go on without a person. */
  readonly failure: string | undefined;
  readonly sinceMs: number | undefined;
  /** What is under way was given up for the next coordinator: from then on there is no way back. */
  readonly hasLeft: boolean;
  /** Nothing is under way any more, and what sinks may have left open is being settled, or is. */
  readonly settling: 'no' | 'begun' | 'done';
  /** Not to be finished: what is undone is left to the next coordinator, for this reason. */
  readonly leftToNext: string | undefined;
}

/** Where a loop begins. */
export function firstState(
  from: Pick<LoopState, 'tenure' | 'parent' | 'recordedCommitted' | 'scale'>,
  nowMs: number,
  rules: Pick<LoopRules, 'maxEpochBytes' | 'startKind' | 'refusalTimeoutMs'>,
): LoopState {
  return {
    ...from,
    inFlight: [],
    isPlanning: false,
    planAtMs: nowMs,
    pausedUntilMs: nowMs,
    size: firstEpochSize(rules.maxEpochBytes),
    trouble: NO_TROUBLE,
    endsLeftovers: undefined,
    staleInARow: 0,
    refusals: noRefusals(rules.refusalTimeoutMs, rules.startKind === 'revival' ? undefined : nowMs),
    behindSinceMs: undefined,
    idlePolls: 0,
    idleSinceMs: undefined,
    committed: undefined,
    leftovers: 'none',
    chores: firstChores(nowMs),
    ending: {
      isTold: false,
      isAsked: false,
      failure: undefined,
      sinceMs: undefined,
      hasLeft: false,
      settling: 'no',
      leftToNext: undefined,
    },
  };
}

/** Is it to begin no further epoch? */
export function isEnding(state: LoopState, nowMs: number, rules: Pick<LoopRules, 'idleExitMs'>): boolean {
  return state.ending.settling !== 'no' || isToEnd(state, nowMs, rules);
}

/** Is there a reason for it to end? A stop may be withdrawn. */
export function isToEnd({ ending, idleSinceMs }: LoopState, nowMs: number, { idleExitMs }: Pick<LoopRules, 'idleExitMs'>): boolean {
  const isIdledOut = idleExitMs !== undefined && idleSinceMs !== undefined && nowMs - idleSinceMs >= idleExitMs;
  return ending.isTold || ending.isAsked || ending.failure !== undefined || ending.hasLeft || isIdledOut;
}

/** The decision on which the next epoch would build. */
export function newestDecision({ inFlight, parent }: LoopState): string {
  return inFlight.at(-1)?.decisionId ?? parent.decisionId;
}

/** When the next plan is due, if one may be made then. */
export function planDueAtMs({ planAtMs, pausedUntilMs }: LoopState): number {
  return Math.max(planAtMs, pausedUntilMs);
}

/** May a plan be made, once it is due? */
export function takesPlans(state: LoopState, nowMs: number, rules: Pick<LoopRules, 'idleExitMs'>): boolean {
  return !state.isPlanning && state.leftovers === 'none' && !isEnding(state, nowMs, rules);
}
