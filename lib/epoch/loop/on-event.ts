import { byName, ofName } from '../../config/by-name.ts';
import { widest } from '../../config/subtasks.ts';
import { TICK_MS } from '../../config/ticks.ts';
import { leavesOut } from '../../plan/dead-letters.ts';
import { usesTime } from '../../plan/time.ts';
import type { StageFailed, StageStale } from '../../protocol/answers.ts';
import type { Position } from '../../protocol/manifest.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import { withoutHeld } from '../../time/alignment.ts';
import { isTimeDue, timeDueAtMs } from '../../time/due.ts';
import { type InputEnds, inputEnds, NO_INPUT } from '../../time/input-ends.ts';
import { lateInAll } from '../../time/late.ts';
import type { StageOutcome } from '../attempt/attempt.ts';
import {
  type Attempt,
  backlogLeft,
  bytesRead,
  countsOf,
  inputOf,
  inputRead,
  lateIn,
  newAttempt,
  timeOfAttempt,
  withDone,
} from '../attempt/attempt.ts';
import type { CommitResult } from '../commit/commit-epoch.ts';
import { positionBehind } from '../decision/position.ts';
import { afterDecidedEpoch } from '../failure/after-failure.ts';
import { idlePollMs } from '../failure/backoff.ts';
import { boundedRanges, isBounded, offsetsIn } from '../failure/isolate.ts';
import { afterPassed, afterRefused, NO_REFUSALS } from '../failure/refusals.ts';
import { sizeAfter } from '../planning/epoch-size.ts';
import { hasMoved, leftOutMessage } from '../planning/plan.ts';
import type { Planned } from '../planning/plan-epoch.ts';
import { type EpochFigures, figuresOf } from '../progress/epoch-figures.ts';
import { afterAsked, afterCommitted, afterPlanned, isRecorded, needsPool, nextParallelism } from '../scale/scale.ts';
import { isGroupDue, withEnded } from './chores.ts';
import type { ChoreResult, LoopEvent } from './events.ts';
import type { LoopRules } from './rules.ts';
import { isEnding, isToEnd, type LoopState, newestDecision } from './state.ts';
import {
  change,
  changeAttempt,
  changeEnding,
  drop,
  fail,
  type Given,
  type Next,
  observe,
  shrinkAfterTimeout,
  startChore,
  type Turn,
  turnOf,
} from './turn.ts';

type PlannedInput = Extract<Planned, { readonly outcome: 'planned' }> & { readonly ms?: number | undefined };

/** An update passes in the time of one attempt; a coordinator that meets new functions again may itself be the old one. */
const STALE_LIMIT = 2;

/** Takes in what happened. What is to be done because of it now is in the effects; what may be done later, `whatIsDue` says. */
export function onEvent(state: LoopState, event: LoopEvent, given: Given, rules: LoopRules): Next {
  const turn = turnOf(state, given, rules);
  take(turn, event);
  return turn;
}

function take(turn: Turn, event: LoopEvent): void {
  switch (event.of) {
    case 'planned':
      return takePlanned(turn, event);
    case 'stage':
      return takeStage(turn, event);
    case 'decided':
      return takeDecided(turn, event.manifest, event.ms);
    case 'committed':
      return takeCommitted(turn, event.epoch, event.result, event.ms);
    case 'leftovers-ended':
      if (event.all) observe(turn, { event: 'leftovers-ended' });
      return change(turn, { leftovers: 'none' });
    case 'settled':
      return takeSettled(turn);
    case 'told-to-end':
      return changeEnding(turn, { isTold: true });
    case 'chore':
      change(turn, { chores: withEnded(turn.state.chores, event.chore) });
      return takeChore(turn, event.chore, event.result);
    default:
      event satisfies never;
  }
}

/** Of a stop that was withdrawn meanwhile nothing is left but that the ids are settled: the loop goes on. */
function takeSettled(turn: Turn): void {
  if (isToEnd(turn.state, turn.nowMs, turn.rules)) changeEnding(turn, { settling: 'done' });
  else changeEnding(turn, { settling: 'no' });
}

function takePlanned(turn: Turn, { base, planned, ms }: Extract<LoopEvent, { readonly of: 'planned' }>): void {
  const { rules, nowMs } = turn;
  change(turn, { isPlanning: false });
  // The epoch that it was to follow was dropped meanwhile: its ranges would leave out that epoch's input.
  if (base !== newestDecision(turn.state) || isEnding(turn.state, nowMs, rules)) return;
  switch (planned.outcome) {
    case 'failed':
      change(turn, { behindSinceMs: undefined });
      return changeEnding(turn, { failure: planned.message });
    case 'behind':
      change(turn, { behindSinceMs: turn.state.behindSinceMs ?? nowMs, planAtMs: nowMs + rules.checkpointIntervalMs });
      return observe(turn, { event: 'warning', message: planned.message });
    case 'nothing':
      change(turn, { behindSinceMs: undefined });
      return takeNothing(turn);
    case 'planned':
      change(turn, { behindSinceMs: undefined });
      return takeInput(turn, { ...planned, ms });
    default:
      planned satisfies never;
  }
}

/** Input that is too far ahead of the rest waits for it: it is as if it were not there yet. */
function takeInput(turn: Turn, planned: PlannedInput): void {
  const { plan } = turn.rules;
  if (!usesTime(plan)) return takePlan(turn, planned, NO_INPUT);
  const ranges = withoutHeld(planned.ranges, standing(turn).time, plan);
  const ends = inputEnds(planned.ranges);
  const isAllHeld = Object.values(ranges).flat(2).length === 0 && planned.gaps.length === 0;
  if (isAllHeld) takeNothing(turn, ends);
  else takePlan(turn, { ...planned, ranges }, ends);
}

/** Where the job stands when all that is in flight has gone well, as far as that is known. */
function standing({ state: { parent, inFlight }, rules }: Turn): Position {
  return positionBehind(parent, inFlight, rules.plan);
}

/** There is no input that may be read. `held`: what there is is too far ahead. */
function takeNothing(turn: Turn, held: InputEnds = NO_INPUT): void {
  const { rules, nowMs } = turn;
  const { idlePolls, inFlight, idleSinceMs, parent, recordedCommitted, chores } = turn.state;
  const planAtMs = nowMs + idlePollMs(idlePolls, rules.checkpointIntervalMs, rules.idlePollMaxMs);
  change(turn, { planAtMs, idlePolls: idlePolls + 1 });
  if (inFlight.length > 0) return;
  const dueInMs = timeDueInMs(turn, held);
  if (dueInMs <= 0) return takeTime(turn, held);
  change(turn, { planAtMs: Math.min(planAtMs, nowMs + dueInMs) });
  // What comes before the next tick would is waited for: a job that ends for want of input is started again too late for it.
  change(turn, { idleSinceMs: dueInMs <= TICK_MS ? undefined : (idleSinceMs ?? nowMs) });
  turn.effects.push({ do: 'progress', more: false });
  // The next decision would record it; an idle job does so by itself.
  if (recordedCommitted < parent.epoch) startChore(turn, { do: 'chore', chore: 'record-commit', epoch: parent.epoch });
  if (rules.commitOffsets && isGroupDue(chores, parent.epoch, nowMs)) commitGroupOffsets(turn);
}

/** How long until a time comes that something waits for, if no input does. Infinity: it never will. What is in flight may change that. */
function timeDueInMs({ state: { parent }, rules, given }: Turn, held: InputEnds = NO_INPUT): number {
  const { wallMs } = given.now;
  if (isTimeDue(parent, rules.plan, wallMs, held)) return 0;
  const dueAtMs = timeDueAtMs(parent, rules.plan, held);
  return dueAtMs === undefined ? Number.POSITIVE_INFINITY : Math.max(dueAtMs - wallMs, 1);
}

/** A time has come: an epoch without input. */
function takeTime(turn: Turn, held: InputEnds): void {
  const { offsets: from, topicIds = {} } = turn.state.parent;
  const ranges = byName(turn.rules.plan.stages.flatMap(({ kind, id }) => (kind === 'source' ? [[id, []] as const] : [])));
  const parallelism = nextParallelism(turn.state.scale, turn.rules.plan);
  takePlan(turn, { outcome: 'planned', from, topicIds, ranges, records: 0, parallelism, gaps: [] }, held, 'time');
}

/** `ends`: of all the input that there is. */
function takePlan(turn: Turn, planned: PlannedInput, ends: InputEnds, why: 'input' | 'time' = 'input'): void {
  const { rules, nowMs, given } = turn;
  const { inFlight, parent, trouble, size, endsLeftovers } = turn.state;
  const epoch = (inFlight.at(-1)?.epoch ?? parent.epoch) + 1;
  const ranges = boundedRanges(trouble.isolation, planned.ranges, epoch, size.offsets);
  const isCut = offsetsIn(Object.values(planned.ranges).flat(2)) > size.offsets;
  const { condemned } = trouble;
  const time = timeOfAttempt(standing(turn), rules.plan, given.now.wallMs, ends);
  const { from, topicIds, parallelism } = planned;
  const plan = { epoch, decisionId: given.random.id(), planned: given.now, parallelism, from, topicIds, ranges, time };
  const attempt = newAttempt(
    { ...plan, isForTime: why === 'time', maxBytes: size.bytes, isCut, condemned, endsLeftovers },
    rules.plan.stages,
  );
  change(turn, {
    inFlight: [...inFlight, attempt],
    idlePolls: 0,
    idleSinceMs: undefined,
    planAtMs: nowMs + rules.checkpointIntervalMs,
  });
  takeParallelism(turn, attempt);
  for (const gap of planned.gaps) observe(turn, { event: 'data-loss', epoch, ...gap, message: leftOutMessage(gap) });
  const { decisionId } = attempt;
  const { records: backlogRecords, ms } = planned;
  observe(turn, { event: 'planned', epoch, decisionId, inFlight: turn.state.inFlight.length, backlogRecords, ms });
}

/** An epoch was planned that may have other numbers of subtasks than the one before. */
function takeParallelism(turn: Turn, attempt: Attempt): void {
  const { epoch, parallelism, planned } = attempt;
  const { scale, changes } = afterPlanned(turn.state.scale, parallelism, epoch, planned.wallMs);
  if (changes.length === 0) return;
  change(turn, { scale });
  changeAttempt(turn, { ...attempt, rescaled: changes });
  for (const each of changes) observe(turn, { event: 'rescaled', epoch, ...each });
  keepScale(turn);
}

/** Has the pool widened before a sink gets more subtasks than it has room for, and the job row say what there is. */
function keepScale(turn: Turn): void {
  const { scale } = turn.state;
  if (needsPool(scale, turn.rules.plan))
    startChore(turn, { do: 'chore', chore: 'widen-pool', parallelism: widest(scale.pooled, scale.target) });
  if (!isRecorded(scale)) startChore(turn, { do: 'chore', chore: 'record-scale', stages: scale.stages });
}

function takeStage(turn: Turn, { attempt: of, stage, ms, result }: Extract<LoopEvent, { readonly of: 'stage' }>): void {
  const attempt = turn.state.inFlight.find(({ decisionId }) => decisionId === of.decisionId);
  // Dropped while it ran: what it prepared since then is aborted, and nothing else comes of it.
  if (attempt === undefined) {
    turn.effects.push({ do: 'abort', attempt: { ...of, committables: preparedIn(result) } });
    return;
  }
  if (result.outcome === 'failed') {
    const failed = { ...attempt, committables: [...attempt.committables, ...result.prepared] };
    changeAttempt(turn, failed);
    return takeFailure(turn, failed, stage, ms, result.why);
  }
  pass(turn, stage);
  const done = withDone(attempt, stage, result.work, ms);
  changeAttempt(turn, done);
  observe(turn, { event: 'stage-done', epoch: attempt.epoch, stage, ms });
  // More to read than this epoch took: the next one starts now, not at the next interval.
  if (done === turn.state.inFlight.at(-1) && backlogLeft(done)) change(turn, { planAtMs: turn.nowMs });
}

function preparedIn(result: StageOutcome): Attempt['committables'] {
  if (result.outcome === 'failed') return result.prepared;
  return result.work.kind === 'sink' ? result.work.prepared : [];
}

function takeFailure(turn: Turn, attempt: Attempt, stage: string, ms: number, why: StageFailed | StageStale): void {
  const { rules } = turn;
  const { epoch } = attempt;
  if (why.outcome === 'stale') return takeStale(turn, attempt, stage, why.build);
  const { kind, message, fault } = why;
  if (kind === 'transient') shrinkAfterTimeout(turn, attempt, ms);
  const hasLasted = kind === 'refused' && refusalHasLasted(turn, stage);
  if (kind !== 'refused') pass(turn, stage);
  if (kind === 'fatal' || (kind === 'record' && !leavesOut(rules.plan)) || hasLasted) {
    drop(turn, attempt);
    return changeEnding(turn, { failure: `epoch ${epoch}, stage ${stage}: ${message}` });
  }
  // What it writes to may be another than when the coordinator started: more partitions, say, or another limit.
  if (rules.plan.stages.some(({ id, kind: of }) => id === stage && of === 'sink')) startChore(turn, { do: 'chore', chore: 'sink-facts' });
  fail(turn, attempt, { epoch, stage, kind, message, fault, input: inputOf(attempt, stage, fault) });
}

function refusalHasLasted(turn: Turn, stage: string): boolean {
  const { refusals, hasLasted } = afterRefused(turn.state.refusals, stage, turn.nowMs, turn.rules.refusalTimeoutMs);
  change(turn, { refusals });
  return hasLasted;
}

function pass(turn: Turn, stage: string): void {
  change(turn, { refusals: afterPassed(turn.state.refusals, stage) });
}

function takeStale(turn: Turn, attempt: Attempt, stage: string, build: string): void {
  const staleInARow = turn.state.staleInARow + 1;
  change(turn, { staleInARow });
  const message = `stage ${stage} runs build ${build}, the coordinator ${turn.rules.build}: an update is under way`;
  if (staleInARow >= STALE_LIMIT)
    return changeEnding(turn, { leftToNext: `${message}. This coordinator may be the old one, and gives up its lease` });
  fail(turn, attempt, { epoch: attempt.epoch, stage, kind: 'stale', message, fault: undefined, input: [] });
}

function takeDecided(turn: Turn, manifest: DecidedManifest, ms: number): void {
  const { parent, inFlight, trouble, recordedCommitted } = turn.state;
  const deciding = inFlight.find(({ decisionId }) => decisionId === manifest.decisionId);
  if (deciding === undefined) throw new Error(`epoch ${manifest.epoch} was decided, and is not in flight`);
  const moved = deciding.isForTime === true || hasMoved(parent.offsets, manifest.offsets);
  const attempt: Attempt = { ...deciding, phase: 'decided', decisionMs: ms, moved };
  changeAttempt(turn, attempt);
  change(turn, {
    parent: manifest,
    endsLeftovers: undefined,
    refusals: NO_REFUSALS,
    recordedCommitted: Math.max(recordedCommitted, manifest.epoch - 1),
    trouble: afterDecidedEpoch(trouble, manifest.epoch, manifest.offsets, offsetsIn(inputRead(attempt))),
    staleInARow: 0,
  });
  turn.effects.push({ do: 'lease-renewed', atMs: turn.nowMs - ms });
  // Epochs of nothing, one after the other, are no progress: there is something to read, or they would not have been planned.
  if (attempt.moved) turn.effects.push({ do: 'progress', more: true });
  const { deadLetters, ...counts } = countsOf(attempt, turn.rules.plan);
  observe(turn, { event: 'decided', epoch: manifest.epoch, ...counts, ms: turn.nowMs - attempt.planned.elapsedMs });
  if (deadLetters > 0) observe(turn, { event: 'dead-lettered', epoch: manifest.epoch, records: deadLetters });
  const operators = lateIn(attempt);
  if (operators !== undefined) observe(turn, { event: 'late', epoch: manifest.epoch, ...lateInAll(operators), operators });
}

function takeCommitted(turn: Turn, epoch: number, { republished, delivers }: CommitResult, ms: number): void {
  const { rules, nowMs } = turn;
  const attempt = turn.state.inFlight.find((other) => other.epoch === epoch);
  if (attempt === undefined) throw new Error(`epoch ${epoch} was committed, and is not in flight`);
  const inFlight = turn.state.inFlight.filter((other) => other !== attempt);
  if (attempt.moved) turn.effects.push({ do: 'progress', more: inFlight.length > 0 });
  // Output that is sent after the decision is the work of a stage too, and epochs are to be no larger than it takes.
  const sendingMs = delivers ? ms : 0;
  const slowestStageMs = Math.max(...attempt.stageMs.values(), sendingMs);
  const work = { bytesIn: bytesRead(attempt), offsets: offsetsIn(inputRead(attempt)), slowestStageMs, budget: attempt.maxBytes };
  change(turn, {
    inFlight,
    committed: { epoch, decisionMs: attempt.decisionMs, commitMs: ms },
    pausedUntilMs: nowMs + rules.minPauseMs,
    // The rest of the input waits only because the epoch had to be small.
    planAtMs: isBounded(turn.state.trouble.isolation) ? nowMs : turn.state.planAtMs,
    size: sizeAfter(turn.state.size, { ...work, backlogLeft: backlogLeft(attempt) }, rules),
  });
  // `parent` is this attempt's own manifest still: no other epoch is decided before this one is committed.
  const figures = figuresOf(attempt, turn.state.parent, rules.plan, inFlight.at(-1) ?? attempt, turn.given.now);
  observe(turn, { event: 'committed', epoch, republished, ms, figures });
  takeLoad(turn, attempt, figures);
  if (inFlight.length === 0) change(turn, { planAtMs: Math.min(turn.state.planAtMs, nowMs + timeDueInMs(turn)) });
  if (rules.commitOffsets) commitGroupOffsets(turn);
}

/** How the epoch went may ask for other numbers of subtasks. One that a search for a record has made small says nothing of what there is to do. */
function takeLoad(turn: Turn, attempt: Attempt, { recordsIn, recordsBehind, epochMs }: EpochFigures): void {
  if (isBounded(turn.state.trouble.isolation)) return;
  const { parallelism, stageMs, from } = attempt;
  const sources = turn.rules.plan.stages.flatMap((stage) => (stage.kind === 'source' ? [stage] : []));
  const partitions = new Map(sources.map(({ id, topic }) => [id, ofName(ofName(from, id), topic)?.length ?? 0]));
  const load = { parallelism, stageMs, recordsIn, recordsBehind, backlogLeft: backlogLeft(attempt), partitions };
  change(turn, { scale: afterCommitted(turn.state.scale, load, epochMs, turn.nowMs, turn.rules) });
  keepScale(turn);
}

function commitGroupOffsets(turn: Turn): void {
  const { chores, parent } = turn.state;
  if (chores.underWay.has('group-offsets')) return;
  change(turn, { chores: { ...chores, group: { ...chores.group, triedAtMs: turn.nowMs } } });
  startChore(turn, { do: 'chore', chore: 'group-offsets', manifest: parent });
}

function takeChore(turn: Turn, chore: string, result: ChoreResult): void {
  const { tenure, recordedCommitted, leftovers, chores } = turn.state;
  switch (result.outcome) {
    case 'failed':
      return observe(turn, { event: 'warning', message: `${chore}: ${result.message}` });
    case 'read-control': {
      changeEnding(turn, { isAsked: result.asksToStop });
      const { scale } = turn.state;
      if (result.rescale?.id !== scale.asked?.id) change(turn, { scale: afterAsked(scale, result.rescale, turn.rules) });
      return keepScale(turn);
    }
    case 'widened-pool':
      return change(turn, { tenure: { ...tenure, pool: result.pool }, scale: { ...turn.state.scale, pooled: result.parallelism } });
    case 'recorded-scale':
      return change(turn, { scale: { ...turn.state.scale, recorded: result.stages } });
    case 'looked-for-open':
      return change(turn, { leftovers: leftovers === 'being-ended' ? leftovers : result.found ? 'found' : 'none' });
    case 'sink-facts':
      return change(turn, { tenure: { ...tenure, sinkFacts: result.sinkFacts } });
    case 'recorded-commit':
      return change(turn, { recordedCommitted: Math.max(recordedCommitted, result.epoch) });
    case 'group-offsets': {
      const { epoch, refused } = result;
      if (refused !== undefined && refused !== chores.group.said) observe(turn, { event: 'warning', message: refused });
      const committedEpoch = refused === undefined ? epoch : chores.group.committedEpoch;
      return change(turn, { chores: { ...turn.state.chores, group: { ...chores.group, committedEpoch, said: refused } } });
    }
    case 'done':
      return;
    default:
      result satisfies never;
  }
}
