import { widest } from '../../config/subtasks.ts';
import { leavesOut } from '../../plan/dead-letters.ts';
import type { Moment } from '../../ports/age.ts';
import type { Random } from '../../ports/clock.ts';
import { type Attempt, inputOf, offsetsTried } from '../attempt/attempt.ts';
import { afterFailedAttempt, type FailedEpoch } from '../failure/after-failure.ts';
import { ranOutOfTime, sizeAfterTimeout } from '../planning/epoch-size.ts';
import type { CoordinatorEvent } from '../progress/events.ts';
import { afterFailed } from '../scale/scale.ts';
import { type Chore, withBegun } from './chores.ts';
import type { Effect } from './events.ts';
import type { LoopRules } from './rules.ts';
import type { Ending, LoopState } from './state.ts';

/** What a turn of the loop is made of, besides the state and the event: read once for each. */
export interface Given {
  readonly now: Moment;
  readonly random: Random;
}

/** What a turn of the loop comes to. */
export interface Next {
  readonly state: LoopState;
  /** To be started in this order. */
  readonly effects: readonly Effect[];
}

/** A turn that is being made: what each part of it changes, the next one sees. */
export interface Turn {
  state: LoopState;
  readonly effects: Effect[];
  readonly nowMs: number;
  readonly given: Given;
  readonly rules: LoopRules;
}

export function turnOf(state: LoopState, given: Given, rules: LoopRules): Turn {
  return { state, effects: [], nowMs: given.now.elapsedMs, given, rules };
}

export function change(turn: Turn, what: Partial<LoopState>): void {
  turn.state = { ...turn.state, ...what };
}

export function changeEnding(turn: Turn, what: Partial<Ending>): void {
  change(turn, { ending: { ...turn.state.ending, ...what } });
}

/** Replaces the attempt of the same decision. */
export function changeAttempt(turn: Turn, attempt: Attempt): void {
  change(turn, { inFlight: turn.state.inFlight.map((other) => (other.decisionId === attempt.decisionId ? attempt : other)) });
}

export function observe(turn: Turn, event: CoordinatorEvent): void {
  turn.effects.push({ do: 'observe', event });
}

/** Starts a chore unless one of its kind is under way. */
export function startChore(turn: Turn, effect: Extract<Effect, { readonly chore: Chore }>): void {
  const { chores } = turn.state;
  if (chores.underWay.has(effect.chore)) return;
  change(turn, { chores: withBegun(chores, effect.chore) });
  turn.effects.push(effect);
}

/** The attempt, and all that build on it, come to nothing. */
export function drop(turn: Turn, attempt: Attempt): void {
  const { inFlight } = turn.state;
  const at = inFlight.findIndex(({ decisionId }) => decisionId === attempt.decisionId);
  if (at < 0 || inFlight[at]?.phase !== 'working')
    throw new Error(`epoch ${attempt.epoch} is dropped, but it is ${at < 0 ? 'not in flight' : inFlight[at]?.phase}`);
  const dropped = inFlight.slice(at);
  change(turn, { inFlight: inFlight.slice(0, at) });
  for (const { epoch, decisionId, committables, sinkStartedMs, parallelism } of dropped) {
    if (sinkStartedMs !== undefined) change(turn, { endsLeftovers: widest(turn.state.endsLeftovers ?? parallelism, parallelism) });
    turn.effects.push({ do: 'give-up', decisionId }, { do: 'abort', attempt: { epoch, decisionId, committables } });
  }
}

/** The attempt and all that build on it are dropped, plans included, and planned again from its parent. */
export function fail(turn: Turn, attempt: Attempt, failed: FailedEpoch): void {
  const { rules, nowMs } = turn;
  drop(turn, attempt);
  const why = failed.kind === 'transient' ? 'of-numbers' : 'another-reason';
  change(turn, { scale: afterFailed(turn.state.scale, attempt.parallelism, why, rules) });
  const after = afterFailedAttempt(
    turn.state.trouble,
    failed,
    { ...rules, leavesOut: leavesOut(rules.plan) },
    turn.given.now,
    turn.given.random.fraction(),
  );
  const { epoch, stage, kind, message } = failed;
  const retryInMs = after.next.outcome === 'stops' ? 0 : after.next.inMs;
  change(turn, { trouble: after.trouble, planAtMs: nowMs + retryInMs });
  observe(turn, { event: 'attempt-failed', epoch, stage, kind, message, failuresInARow: after.trouble.failures.inARow, retryInMs });
  if (after.next.outcome === 'leaves-out') observe(turn, { event: 'leaves-out', epoch, ...after.next.record });
  if (after.next.outcome === 'stops') changeEnding(turn, { failure: after.next.message });
}

/** A stage took `ms` and came to nothing, for no fault of a record: what ran out of time is tried again with less. */
export function failTransiently(turn: Turn, attempt: Attempt, stage: string, ms: number, message: string): void {
  shrinkAfterTimeout(turn, attempt, ms);
  fail(turn, attempt, {
    epoch: attempt.epoch,
    stage,
    kind: 'transient',
    message,
    fault: undefined,
    input: inputOf(attempt, stage, undefined),
  });
}

export function shrinkAfterTimeout(turn: Turn, attempt: Attempt, ms: number): void {
  if (!ranOutOfTime(ms, turn.rules.epochTimeoutMs)) return;
  change(turn, {
    size: sizeAfterTimeout(turn.state.size, { budget: attempt.maxBytes, offsets: offsetsTried(attempt) }),
    scale: afterFailed(turn.state.scale, attempt.parallelism, 'ran-out-of-time', turn.rules),
  });
}
