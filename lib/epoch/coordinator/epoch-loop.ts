import type { Manifest } from '../../format/manifest.ts';
import { momentOf } from '../../ports/age.ts';
import { afterDecidedEpoch, afterFailedAttempt, type FailedEpoch, NO_TROUBLE } from '../after-failure.ts';
import { type Attempt, backlogLeft, bytesRead, countsOf, inputOf, inputRead, newAttempt, offsetsTried, sourcesDone } from '../attempt.ts';
import { idlePollMs } from '../backoff.ts';
import { figuresOf } from '../epoch-figures.ts';
import { firstEpochSize, ranOutOfTime, sizeAfter, sizeAfterTimeout } from '../epoch-size.ts';
import { boundedRanges, isBounded, offsetsIn } from '../isolate.ts';
import { manifestOf, offsetsAfter, stateAfter } from '../next-manifest.ts';
import { hasMoved, leftOutMessage } from '../plan.ts';
import { nextSteps, type Step } from '../wavefront.ts';
import { abortPrepared, runStage, type StageOutcome } from './ask-stages.ts';
import { checkGeneration } from './check-generation.ts';
import { readSinkTopics } from './check-start.ts';
import { type CommitResult, commitEpoch } from './commit-epoch.ts';
import {
  type CoordinatorDeps,
  deadLetterTopic,
  JobFailedError,
  type JobSettings,
  LeftToNextError,
  parallelismOf,
  sinkStages,
} from './context.ts';
import { decideManifest } from './decide-manifest.ts';
import { createEventQueue } from './event-queue.ts';
import { fenced } from './fenced.ts';
import { createGroupOffsets } from './group-offsets.ts';
import type { Lease } from './hold-lease.ts';
import { createHousekeeping } from './housekeeping.ts';
import { type Planned, planNext } from './plan-epoch.ts';
import type { ProgressWatch } from './progress-watch.ts';
import { settlePool } from './settle-pool.ts';
import type { Standing } from './start.ts';
import { untilAnswered } from './store-retry.ts';
import { createOpenWatch } from './watch-open.ts';

/** An ending loop waits this long for epochs that are under way; what is not decided by then is dropped. */
const UNDECIDED_GRACE_MS = 4_000;
/** And this long for commits and for settling; what is not done by then is left to the next coordinator. */
const COMMIT_GRACE_MS = 10_000;
const STALE_LIMIT = 2;
const LONGEST_WAIT_MS = 60_000;

type LoopEvent =
  | { readonly of: 'planned'; readonly base: string; readonly planned: Planned }
  | { readonly of: 'stage'; readonly attempt: Attempt; readonly stage: string; readonly ms: number; readonly result: StageOutcome }
  | { readonly of: 'decided'; readonly attempt: Attempt; readonly manifest: Manifest; readonly ms: number }
  | { readonly of: 'committed'; readonly attempt: Attempt; readonly result: CommitResult; readonly ms: number }
  | { readonly of: 'leftovers-ended' }
  | { readonly of: 'settled' }
  | { readonly of: 'threw'; readonly error: unknown }
  | { readonly of: 'wake-up' };

/**
 * Runs epochs: starts every step that may start, waits for one of them to end, takes its result in, again. The state
 * below changes only in `take…`, between awaits; the steps run beside each other.
 *
 * Returns when it was told to end (`ending`, or by the job row) and everything decided is committed and every
 * transactional id settled. Throws `SupersededError`, `JobFailedError` or `LeftToNextError`.
 */
export async function runEpochs(
  deps: CoordinatorDeps,
  settings: JobSettings,
  standing: Standing,
  { lease, progress }: { readonly lease: Lease; readonly progress: ProgressWatch },
  ending: AbortSignal,
): Promise<'ended' | 'stop-requested' | 'idle'> {
  let { tenure } = standing;
  const { clock, observe } = deps;
  const queue = createEventQueue<LoopEvent>();
  const groupOffsets = createGroupOffsets(deps, settings);
  const openWatch = createOpenWatch(deps, settings, tenure);
  const house = createHousekeeping(deps, settings, tenure, openWatch, (error) =>
    queue.push(error === undefined ? { of: 'wake-up' } : { of: 'threw', error }),
  );
  const leave = new AbortController();
  const leavesOut = deadLetterTopic(settings) !== undefined;

  /** Planned and not COMMITTED, oldest first. */
  let inFlight: Attempt[] = [];
  /** The manifest of the last completed epoch. */
  let parent = standing.parent;
  let recordedCommitted = standing.recordedCommitted;
  let planning = false;
  let planAtMs = clock.elapsedMs();
  /** The pause after a commit. */
  let pausedUntilMs = clock.elapsedMs();
  let size = firstEpochSize(settings.maxEpochBytes);
  let trouble = NO_TROUBLE;
  /** An attempt was dropped in its sink stage, and nothing was decided since: what it may have left open is still to be ended. */
  let endsLeftovers = false;
  let staleInARow = 0;
  /** Since when attempts have been refused something, one after the other. */
  let refusedSinceMs: number | undefined;
  /** A person who starts a job is told at once of what is refused. */
  let hasDecided = settings.startKind === 'revival';
  let behindSinceMs: number | undefined;
  let idlePolls = 0;
  let idleSinceMs: number | undefined;
  let endingSinceMs: number | undefined;
  /** The ids are settled between two epochs, because something was left open under them. */
  let endingLeftovers = false;
  let settling = false;
  let settled = false;
  let failure: JobFailedError | undefined;

  const wakeUp = () => queue.push({ of: 'wake-up' });
  const superseded = () => queue.push({ of: 'threw', error: lease.lost.reason });
  ending.addEventListener('abort', wakeUp);
  lease.lost.addEventListener('abort', superseded);
  if (lease.lost.aborted) superseded();
  try {
    while (!settled) {
      const lookedAtMs = clock.elapsedMs();
      if (nothingUnderWay() && !settling) launch(settle());
      if (openWatch.foundAny() && isBetweenEpochs() && !isEnding()) launch(endLeftovers());
      for (const step of nextSteps({
        stages: settings.stages,
        inFlight,
        maxConcurrentEpochs: settings.minPauseMs > 0 || isBounded(trouble.isolation) ? 1 : settings.maxConcurrentEpochs,
        mayPlan: mayPlan(),
      }))
        launch(start(step));
      house.keep();
      progress.keep(trouble);
      const event = await queue.next(clock, waitMs(lookedAtMs));
      if (event !== undefined) take(event);
    }
    if (failure !== undefined) throw failure;
    if (house.stopRequested()) return 'stop-requested';
    return ending.aborted ? 'ended' : 'idle';
  } finally {
    ending.removeEventListener('abort', wakeUp);
    lease.lost.removeEventListener('abort', superseded);
    leave.abort();
    for (const attempt of inFlight) attempt.abort.abort();
  }

  function isEnding(): boolean {
    return settling || ending.aborted || house.stopRequested() || failure !== undefined || isIdledOut();
  }

  function isIdledOut(): boolean {
    const { idleExitMs } = settings;
    return idleExitMs !== undefined && idleSinceMs !== undefined && clock.elapsedMs() - idleSinceMs >= idleExitMs;
  }

  /** True when it is told to end and no epoch is in flight any more. Gives up, one after the other, what takes too long. */
  function nothingUnderWay(): boolean {
    if (!isEnding()) return false;
    endingSinceMs ??= clock.elapsedMs();
    const forMs = clock.elapsedMs() - endingSinceMs;
    const undecided = inFlight.find(({ phase }) => phase === 'working');
    if (forMs >= UNDECIDED_GRACE_MS && undecided !== undefined) drop(undecided);
    if (forMs >= COMMIT_GRACE_MS) leave.abort();
    return inFlight.length === 0 && !endingLeftovers;
  }

  function isBetweenEpochs(): boolean {
    return inFlight.length === 0 && !planning && !endingLeftovers;
  }

  function mayPlan(): boolean {
    return !planning && !openWatch.foundAny() && !isEnding() && clock.elapsedMs() >= planDueAtMs();
  }

  function planDueAtMs(): number {
    return Math.max(planAtMs, pausedUntilMs);
  }

  /**
   * Until the next thing that is due by itself. What was due at `lookedAtMs`, when this turn began, was done or waits for an
   * event; what became due since then may have been looked at before, so it is still to come.
   */
  function waitMs(lookedAtMs: number): number {
    const due = [house.dueAtMs(), progress.dueAtMs(trouble), lookedAtMs + LONGEST_WAIT_MS];
    if (!planning && !openWatch.foundAny() && !isEnding()) due.push(planDueAtMs());
    if (endingSinceMs !== undefined) due.push(endingSinceMs + UNDECIDED_GRACE_MS, endingSinceMs + COMMIT_GRACE_MS);
    return Math.max(Math.min(...due.filter((at) => at > lookedAtMs)) - clock.elapsedMs(), 0);
  }

  function launch(work: Promise<LoopEvent>): void {
    work.then(queue.push, (error: unknown) => queue.push({ of: 'threw', error }));
  }

  /** Starts one step; its promise ends in the event that tells of it. */
  function start(step: Step): Promise<LoopEvent> {
    if (step.do === 'plan') return startPlan();
    const attempt = inFlight.find(({ epoch }) => epoch === step.epoch);
    if (attempt === undefined) throw new Error(`epoch ${step.epoch} is not in flight`);
    if (step.do === 'run') return startStage(attempt, step.stage);
    return step.do === 'decide' ? startDecision(attempt) : startCommit(attempt);
  }

  /** The decision id on which the next epoch would build. */
  function newestId(): string {
    return inFlight.at(-1)?.decisionId ?? parent.decisionId;
  }

  async function startPlan(): Promise<LoopEvent> {
    planning = true;
    progress.begin();
    const newest = inFlight.at(-1);
    const base = newestId();
    const before = newest === undefined ? parent : { offsets: offsetsAfter(newest), topicIds: newest.topicIds };
    const position = { offsets: before.offsets, topicIds: before.topicIds };
    return { of: 'planned', base, planned: await planNext(deps, settings, position, isOverdue(), leave.signal) };
  }

  async function startStage(attempt: Attempt, id: string): Promise<LoopEvent> {
    const stage = settings.stages.find((candidate) => candidate.id === id);
    if (stage === undefined) throw new Error(`there is no stage ${id}`);
    const startedMs = clock.elapsedMs();
    attempt.stages.set(id, 'running');
    if (stage.kind === 'sink') attempt.sinkStartedMs ??= clock.elapsedMs();
    observe({ event: 'stage-started', epoch: attempt.epoch, stage: id });
    const result = await runStage(deps, settings, tenure, stage, attempt, stateBefore(attempt));
    return { of: 'stage', attempt, stage: id, ms: clock.elapsedMs() - startedMs, result };
  }

  /** Keyed state before `attempt`: the last completed epoch's, changed by the attempts in between. */
  function stateBefore(attempt: Attempt): Manifest['state'] {
    const earlier = inFlight.filter(({ epoch }) => epoch < attempt.epoch);
    return Object.assign({}, parent.state, ...earlier.map((each) => stateAfter(each, settings.stages)));
  }

  async function startDecision(attempt: Attempt): Promise<LoopEvent> {
    const nowMs = clock.elapsedMs();
    if (nowMs - (attempt.sinkStartedMs ?? nowMs) > settings.epochTimeoutMs) {
      const message = `the sink stage took longer than ONCEFLOW_EPOCH_TIMEOUT_MS=${settings.epochTimeoutMs}`;
      return {
        of: 'stage',
        attempt,
        stage: 'decision',
        ms: settings.epochTimeoutMs,
        result: { outcome: 'failed', kind: 'transient', message },
      };
    }
    attempt.phase = 'deciding';
    const manifest = manifestOf(attempt, parent, settings.stages, (sink) => parallelismOf(settings, sink), settings.deliveryGuarantee);
    const { recordsIn, recordsOut } = countsOf(attempt);
    const attempts = trouble.failures.inARow + 1;
    const summary = { plannedAtMs: attempt.planned.wallMs, decidedAtMs: clock.now(), attempts, recordsIn, recordsOut };
    await decideManifest(deps, settings, tenure, manifest, summary, leave.signal);
    return { of: 'decided', attempt, manifest, ms: clock.elapsedMs() - nowMs };
  }

  async function startCommit(attempt: Attempt): Promise<LoopEvent> {
    attempt.phase = 'committing';
    const startedMs = clock.elapsedMs();
    // `parent` is this attempt's own manifest since it was decided: no other epoch is decided before this one is committed.
    const result = await commitEpoch(deps, settings, tenure, parent, { recorded: undefined, isOld: false }, leave.signal);
    return { of: 'committed', attempt, result, ms: clock.elapsedMs() - startedMs };
  }

  function take(event: LoopEvent): void {
    if (event.of === 'threw') throw event.error;
    if (event.of === 'planned') takePlanned(event.base, event.planned);
    if (event.of === 'stage') takeStage(event.attempt, event.stage, event.ms, event.result);
    if (event.of === 'decided') takeDecided(event.attempt, event.manifest, event.ms);
    if (event.of === 'committed') takeCommitted(event.attempt, event.result, event.ms);
    if (event.of === 'leftovers-ended') endingLeftovers = false;
    if (event.of === 'settled') settled = true;
  }

  function takePlanned(base: string, planned: Planned): void {
    planning = false;
    // The epoch that it was to follow was dropped meanwhile: its ranges would leave out that epoch's input.
    if (base !== newestId() || isEnding()) return;
    const nowMs = clock.elapsedMs();
    if (planned.outcome !== 'behind') behindSinceMs = undefined;
    switch (planned.outcome) {
      case 'failed':
        failure = new JobFailedError(planned.message);
        return;
      case 'behind':
        return takeBehind(planned.message, nowMs);
      case 'nothing':
        planAtMs = nowMs + idlePollMs(idlePolls++, settings.checkpointIntervalMs, settings.idlePollMaxMs);
        if (inFlight.length === 0) idleSinceMs ??= nowMs;
        if (inFlight.length === 0) progress.advance(false);
        // The next decision would record it; an idle job does so by itself.
        if (inFlight.length === 0 && recordedCommitted < parent.epoch) house.start('record-commit', () => recordCommitted(parent.epoch));
        if (inFlight.length === 0 && groupOffsets.isDue(parent.epoch)) house.start('group-offsets', () => groupOffsets.commit(parent));
        return;
      case 'planned': {
        const epoch = (inFlight.at(-1)?.epoch ?? parent.epoch) + 1;
        const ranges = boundedRanges(trouble.isolation, planned.ranges, epoch, size.offsets);
        const isCut = offsetsIn(Object.values(planned.ranges).flat(2)) > size.offsets;
        const { condemned } = trouble;
        const plan = {
          epoch,
          decisionId: deps.random.id(),
          planned: momentOf(clock),
          from: planned.from,
          topicIds: planned.topicIds,
          ranges,
        };
        const attempt = newAttempt({ ...plan, maxBytes: size.bytes, isCut, condemned, endsLeftovers }, settings.stages);
        inFlight.push(attempt);
        for (const gap of planned.gaps) observe({ event: 'data-loss', epoch, ...gap, message: leftOutMessage(gap) });
        idlePolls = 0;
        idleSinceMs = undefined;
        planAtMs = nowMs + settings.checkpointIntervalMs;
        observe({ event: 'planned', epoch, decisionId: attempt.decisionId, inFlight: inFlight.length, backlogRecords: planned.records });
      }
    }
  }

  function takeBehind(message: string, nowMs: number): void {
    behindSinceMs ??= nowMs;
    planAtMs = nowMs + settings.checkpointIntervalMs;
    observe({ event: 'warning', message });
  }

  /** A partition that is behind for this long does not catch up by itself: the next plan decides what is lost. */
  function isOverdue(): boolean {
    return behindSinceMs !== undefined && clock.elapsedMs() - behindSinceMs > settings.epochTimeoutMs;
  }

  function takeStage(attempt: Attempt, stage: string, ms: number, result: StageOutcome): void {
    // Dropped while it ran: what it prepared since then is aborted, and nothing else comes of it.
    if (!inFlight.includes(attempt)) return abortPrepared(deps, settings, tenure, attempt);
    if (result.outcome === 'stale') return takeStale(attempt, stage, result.build);
    if (result.outcome === 'failed') {
      const { kind, message, fault } = result;
      if (kind === 'transient' && ranOutOfTime(ms, settings.epochTimeoutMs))
        size = sizeAfterTimeout(size, { budget: attempt.maxBytes, offsets: offsetsTried(attempt) });
      if (kind === 'fatal' || (kind === 'record' && !leavesOut) || (kind === 'refused' && refusalHasLasted())) {
        drop(attempt);
        failure = new JobFailedError(`epoch ${attempt.epoch}, stage ${stage}: ${message}`);
        return;
      }
      if (settings.stages.some(({ id, kind: of }) => id === stage && of === 'sink')) house.start('sink-topics', readSinkTopicsAgain);
      return fail(attempt, { epoch: attempt.epoch, stage, kind, message, fault, input: inputOf(attempt, stage, fault) });
    }
    result.apply(attempt);
    attempt.stages.set(stage, 'done');
    attempt.stageMs.set(stage, ms);
    observe({ event: 'stage-done', epoch: attempt.epoch, stage, ms });
    // More to read than this epoch took: the next one starts now, not at the next interval.
    if (attempt === inFlight.at(-1) && sourcesDone(attempt) && backlogLeft(attempt)) planAtMs = clock.elapsedMs();
  }

  /** A sink's topic may have another number of partitions, or another limit, than when the coordinator started. */
  async function readSinkTopicsAgain(): Promise<void> {
    for (const { topic } of sinkStages(settings)) deps.kafka.forgetLeaders(topic);
    tenure = { ...tenure, sinkTopics: await readSinkTopics(deps, settings) };
  }

  function refusalHasLasted(): boolean {
    refusedSinceMs ??= clock.elapsedMs();
    return !hasDecided || clock.elapsedMs() - refusedSinceMs >= settings.refusalTimeoutMs;
  }

  function takeStale(attempt: Attempt, stage: string, build: string): void {
    staleInARow += 1;
    const message = `stage ${stage} runs build ${build}, the coordinator ${settings.build}: an update is under way`;
    if (staleInARow >= STALE_LIMIT) throw new LeftToNextError(`${message}. This coordinator may be the old one, and gives up its lease`);
    fail(attempt, { epoch: attempt.epoch, stage, kind: 'stale', message, fault: undefined, input: [] });
  }

  /** The failed attempt and all that build on it are dropped, plans included, and planned again from its parent. */
  function fail(attempt: Attempt, failed: FailedEpoch): void {
    drop(attempt);
    const after = afterFailedAttempt(trouble, failed, { ...settings, leavesOut }, clock.elapsedMs(), deps.random.fraction());
    trouble = after.trouble;
    const { epoch, stage, kind, message } = failed;
    const retryInMs = after.next.outcome === 'stops' ? 0 : after.next.inMs;
    planAtMs = clock.elapsedMs() + retryInMs;
    observe({ event: 'attempt-failed', epoch, stage, kind, message, failuresInARow: trouble.failures.inARow, retryInMs });
    if (after.next.outcome === 'leaves-out') observe({ event: 'leaves-out', epoch, ...after.next.record });
    if (after.next.outcome === 'stops') failure = new JobFailedError(after.next.message);
  }

  function drop(attempt: Attempt): void {
    const at = inFlight.indexOf(attempt);
    if (at < 0 || attempt.phase !== 'working')
      throw new Error(`epoch ${attempt.epoch} is dropped, but it is ${at < 0 ? 'not in flight' : attempt.phase}`);
    const dropped = inFlight.slice(at);
    inFlight = inFlight.slice(0, at);
    for (const each of dropped) {
      if (each.sinkStartedMs !== undefined) endsLeftovers = true;
      each.abort.abort();
      abortPrepared(deps, settings, tenure, each);
    }
  }

  function takeDecided(attempt: Attempt, manifest: Manifest, ms: number): void {
    attempt.phase = 'decided';
    attempt.decisionMs = ms;
    attempt.moved = hasMoved(parent.offsets, manifest.offsets);
    parent = manifest;
    endsLeftovers = false;
    refusedSinceMs = undefined;
    hasDecided = true;
    recordedCommitted = Math.max(recordedCommitted, manifest.epoch - 1);
    trouble = afterDecidedEpoch(trouble, manifest.epoch, manifest.offsets, offsetsIn(inputRead(attempt)));
    staleInARow = 0;
    lease.renewed();
    // Epochs of nothing, one after the other, are no progress: there is something to read, or they would not have been planned.
    if (attempt.moved) progress.advance(true);
    const { deadLetters, ...counts } = countsOf(attempt);
    observe({ event: 'decided', epoch: manifest.epoch, ...counts, ms: clock.elapsedMs() - attempt.planned.elapsedMs });
    if (deadLetters > 0) observe({ event: 'dead-lettered', epoch: manifest.epoch, records: deadLetters });
  }

  function takeCommitted(attempt: Attempt, result: CommitResult, ms: number): void {
    inFlight = inFlight.filter((other) => other !== attempt);
    if (attempt.moved) progress.advance(inFlight.length > 0);
    pausedUntilMs = clock.elapsedMs() + settings.minPauseMs;
    // The rest of the input waits only because the epoch had to be small.
    if (isBounded(trouble.isolation)) planAtMs = clock.elapsedMs();
    // At least once, output is sent after the decision: that is the work of a stage too, and epochs are to be no larger than it takes.
    const sendingMs = settings.deliveryGuarantee === 'at-least-once' ? ms : 0;
    const slowestStageMs = Math.max(...attempt.stageMs.values(), sendingMs);
    const work = { bytesIn: bytesRead(attempt), offsets: offsetsIn(inputRead(attempt)), slowestStageMs, budget: attempt.maxBytes };
    size = sizeAfter(size, { ...work, backlogLeft: backlogLeft(attempt) }, settings);
    // `parent` is this attempt's own manifest still: no other epoch is decided before this one is committed.
    const figures = figuresOf(attempt, parent, settings.stages, inFlight.at(-1) ?? attempt, momentOf(clock));
    observe({ event: 'committed', epoch: attempt.epoch, republished: result.republished, ms, figures });
    if (settings.commitOffsets) house.start('group-offsets', () => groupOffsets.commit(parent));
  }

  /** No epoch is in flight, and none is planned meanwhile: what is open under the ids is nobody's. */
  async function endLeftovers(): Promise<LoopEvent> {
    endingLeftovers = true;
    await checkGeneration(deps, settings, tenure, leave.signal);
    await settlePool(deps, settings, tenure, leave.signal);
    openWatch.settled();
    observe({ event: 'leftovers-ended' });
    return { of: 'leftovers-ended' };
  }

  /** The last step of a loop that was told to end. The lease is kept and successors are noticed while it runs. */
  async function settle(): Promise<LoopEvent> {
    settling = true;
    if (recordedCommitted < parent.epoch) await recordCommitted(parent.epoch);
    else await checkGeneration(deps, settings, tenure, leave.signal);
    await settlePool(deps, settings, tenure, leave.signal);
    return { of: 'settled' };
  }

  async function recordCommitted(epoch: number): Promise<void> {
    fenced(
      settings,
      await untilAnswered(
        deps,
        'recording the commit',
        () => deps.epochs.recordCommitted(settings.job, tenure.generation, epoch),
        leave.signal,
      ),
    );
    recordedCommitted = Math.max(recordedCommitted, epoch);
  }
}
