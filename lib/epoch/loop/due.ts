import { withBegun } from '../attempt/attempt.ts';
import { nextSteps, type Step } from '../attempt/wavefront.ts';
import { manifestOf, positionBehind } from '../decision/position.ts';
import { summaryOf } from '../decision/summary.ts';
import { isBounded } from '../failure/isolate.ts';
import { nextParallelism } from '../scale/scale.ts';
import { dueChores, nextChoreAtMs } from './chores.ts';
import type { LoopRules } from './rules.ts';
import { isEnding, isToEnd, type LoopState, newestDecision, planDueAtMs, takesPlans } from './state.ts';
import {
  change,
  changeAttempt,
  changeEnding,
  drop,
  failTransiently,
  type Given,
  type Next,
  observe,
  startChore,
  type Turn,
  turnOf,
} from './turn.ts';

/** An ending loop waits this long for epochs that are under way; what is not decided by then is dropped. */
const UNDECIDED_GRACE_MS = 4_000;
/** And this long for commits and for settling; what is not done by then is left to the next coordinator. */
export const COMMIT_GRACE_MS = 10_000;

/** Starts every step and every chore that may start now. */
export function whatIsDue(state: LoopState, given: Given, rules: LoopRules): Next {
  const turn = turnOf(state, given, rules);
  if (isToEnd(state, turn.nowMs, rules)) end(turn);
  // A stop that was withdrawn: the next one has all its time. What is being settled meanwhile is waited for, however long that takes.
  else if (state.ending.sinceMs !== undefined) changeEnding(turn, { sinceMs: undefined });
  if (turn.state.leftovers === 'found' && isBetweenEpochs(turn.state) && !isEnding(turn.state, turn.nowMs, rules)) {
    change(turn, { leftovers: 'being-ended' });
    turn.effects.push({ do: 'end-leftovers' });
  }
  const { inFlight, trouble } = turn.state;
  const steps = nextSteps({
    plan: rules.plan,
    inFlight,
    maxConcurrentEpochs: rules.minPauseMs > 0 || isBounded(trouble.isolation) ? 1 : rules.maxConcurrentEpochs,
    mayPlan: mayPlan(turn),
  });
  for (const step of steps) begin(turn, step);
  const { chores, due } = dueChores(turn.state.chores, turn.nowMs);
  change(turn, { chores });
  for (const chore of due) startChore(turn, { do: 'chore', chore });
  return turn;
}

/**
 * When something will be due by itself, if nothing happens before. What is due by `nowMs` was done, or waits for an event:
 * only what is still to come counts.
 */
export function nextAtMs(state: LoopState, nowMs: number, rules: LoopRules): number {
  const due = [nextChoreAtMs(state.chores)];
  const { sinceMs } = state.ending;
  if (takesPlans(state, nowMs, rules)) due.push(planDueAtMs(state));
  if (rules.idleExitMs !== undefined && state.idleSinceMs !== undefined) due.push(state.idleSinceMs + rules.idleExitMs);
  if (sinceMs !== undefined) due.push(sinceMs + UNDECIDED_GRACE_MS, sinceMs + COMMIT_GRACE_MS);
  return Math.min(...due.filter((atMs) => atMs > nowMs));
}

/** Gives up, one after the other, what takes too long; settles the ids when nothing is under way any more. */
function end(turn: Turn): void {
  const sinceMs = turn.state.ending.sinceMs ?? turn.nowMs;
  changeEnding(turn, { sinceMs });
  const forMs = turn.nowMs - sinceMs;
  const undecided = turn.state.inFlight.find(({ phase }) => phase === 'working');
  if (forMs >= UNDECIDED_GRACE_MS && undecided !== undefined) drop(turn, undecided);
  if (forMs >= COMMIT_GRACE_MS) {
    changeEnding(turn, { hasLeft: true });
    turn.effects.push({ do: 'leave' });
  }
  const { inFlight, leftovers, ending, recordedCommitted, parent } = turn.state;
  if (inFlight.length > 0 || leftovers === 'being-ended' || ending.settling !== 'no') return;
  changeEnding(turn, { settling: 'begun' });
  turn.effects.push({ do: 'settle', record: recordedCommitted < parent.epoch ? parent.epoch : undefined });
}

function isBetweenEpochs({ inFlight, isPlanning }: LoopState): boolean {
  return inFlight.length === 0 && !isPlanning;
}

function mayPlan({ state, nowMs, rules }: Turn): boolean {
  return takesPlans(state, nowMs, rules) && nowMs >= planDueAtMs(state);
}

function begin(turn: Turn, step: Step): void {
  if (step.do === 'plan') {
    // A step before it may have dropped the epoch that it was to follow.
    if (mayPlan(turn)) beginPlan(turn);
    return;
  }
  const attempt = turn.state.inFlight.find(({ epoch }) => epoch === step.epoch);
  if (attempt === undefined) return;
  switch (step.do) {
    case 'run': {
      const stage = turn.rules.plan.stages.find(({ id }) => id === step.stage);
      if (stage === undefined) throw new Error(`there is no stage ${step.stage}`);
      const begun = withBegun(attempt, stage, turn.nowMs);
      const { parent, inFlight } = turn.state;
      const earlier = inFlight.filter(({ epoch }) => epoch < attempt.epoch);
      changeAttempt(turn, begun);
      observe(turn, { event: 'stage-started', epoch: attempt.epoch, stage: stage.id });
      turn.effects.push({ do: 'run-stage', stage, attempt: begun, before: positionBehind(parent, earlier, turn.rules.plan) });
      return;
    }
    case 'decide':
      return beginDecision(turn, attempt);
    case 'commit':
      changeAttempt(turn, { ...attempt, phase: 'committing' });
      // `parent` is this attempt's own manifest since it was decided: no other epoch is decided before this one is committed.
      turn.effects.push({ do: 'commit', manifest: turn.state.parent });
      return;
    default:
      step satisfies never;
  }
}

function beginPlan(turn: Turn): void {
  const { state, rules, nowMs } = turn;
  const { parent, inFlight, behindSinceMs, scale } = state;
  const parallelism = nextParallelism(scale, rules.plan);
  // A partition that is behind for this long does not catch up by itself: the plan decides what is lost.
  const isOverdue = behindSinceMs !== undefined && nowMs - behindSinceMs > rules.epochTimeoutMs;
  change(turn, { isPlanning: true });
  const { offsets, topicIds } = positionBehind(parent, inFlight, rules.plan);
  turn.effects.push(
    { do: 'begin-progress' },
    { do: 'plan', base: newestDecision(state), before: { offsets, topicIds }, parallelism, isOverdue },
  );
}

function beginDecision(turn: Turn, attempt: LoopState['inFlight'][number]): void {
  const { state, rules, nowMs } = turn;
  const sinkMs = nowMs - (attempt.sinkStartedMs ?? nowMs);
  if (sinkMs > rules.epochTimeoutMs) {
    const sinks = rules.plan.stages.filter(({ kind }) => kind === 'sink').map(({ id }) => id);
    const slowest = sinks.reduce((one, other) => ((attempt.stageMs.get(other) ?? 0) > (attempt.stageMs.get(one) ?? 0) ? other : one));
    const message = `the sink stages took longer than ONCEFLOW_EPOCH_TIMEOUT_MS=${rules.epochTimeoutMs}`;
    return failTransiently(turn, attempt, slowest, sinkMs, message);
  }
  changeAttempt(turn, { ...attempt, phase: 'deciding' });
  const manifest = manifestOf(attempt, state.parent, rules.plan);
  turn.effects.push({ do: 'decide', manifest, summary: summaryOf(attempt, state, rules.plan) });
}
