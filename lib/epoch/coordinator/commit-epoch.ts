import type { Committable, Manifest } from '../../format/manifest.ts';
import { pauseBeforeRetry } from '../../ports/pause.ts';
import type { CommitAnswer, CommitSinkRequest, ResolveAnswer, ResolveSinkRequest, StageFailed } from '../../stages/requests.ts';
import type { CommitPermit } from '../../transactions/commit.ts';
import { permitFor } from '../decide.ts';
import { stageRequest } from './ask-stages.ts';
import { checkGeneration } from './check-generation.ts';
import { type CommitSettings, type CoordinatorDeps, JobFailedError, LeftToNextError, sinkFunctionOf, type Tenure } from './context.ts';
import { sendEpoch } from './send-epoch.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;

export interface CommitResult {
  readonly republished: number;
}

/**
 * Commits a decided epoch, in the way in which it was decided: until every committable was answered OK or is proved
 * committed by its marker, or (at least once) its output was acknowledged. There is no way back from a decision, so it goes
 * on until that is reached, or until another coordinator or `signal` takes over.
 * Throws `SupersededError`, or `JobFailedError` when a person has to decide.
 */
export async function commitEpoch(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<CommitResult> {
  const permit = permitFor(manifest, tenure.generation);
  if (manifest.delivery === 'at-least-once') {
    await sendEpoch(deps, settings, tenure, manifest, permit, signal);
    return { republished: 0 };
  }
  // By the manifest, not by this run's stages: the sink of dead letters may be gone since.
  const sinks = [...new Set(manifest.committables.map(({ sink }) => sink))];
  const results = await Promise.all(sinks.map((sink) => commitSinkStage(deps, settings, tenure, manifest, permit, sink, signal)));
  return { republished: results.reduce((sum, count) => sum + count, 0) };
}

async function commitSinkStage(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  permit: CommitPermit,
  sink: string,
  signal: AbortSignal,
): Promise<number> {
  let open = manifest.committables.filter((committable) => committable.sink === sink);
  let republished = 0;
  for (let pauseMs = FIRST_PAUSE_MS; open.length > 0; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const doubtful = await sendCommits(deps, settings, tenure, manifest, permit, sink, open, signal);
    if (doubtful.length === 0) break;
    // Only the holder of the generation may resolve: a resolver fences, and would otherwise fence its successor.
    await checkGeneration(deps, settings, tenure, signal);
    const outcomes = await Promise.all(
      doubtful.map(async (committable) => ({
        committable,
        answer: await resolveOne(deps, settings, tenure, manifest, permit, sink, committable, signal),
      })),
    );
    for (const { committable, answer } of outcomes) {
      deps.observe({
        event: 'doubtful',
        epoch: manifest.epoch,
        transactionalId: committable.transactionalId,
        resolution: describe(answer),
      });
      if (answer.outcome === 'republished') republished += 1;
    }
    const stuck = outcomes.map(({ answer }) => needOfPerson(answer)).find((need) => need !== undefined);
    if (stuck !== undefined) {
      // A resolver that another coordinator's overtook sees what that one did, and no reason to stop the job.
      await checkGeneration(deps, settings, tenure, signal);
      throw new JobFailedError(stuck);
    }
    open = outcomes
      .filter(({ answer }) => answer.outcome !== 'committed' && answer.outcome !== 'republished')
      .map(({ committable }) => committable);
    if (open.length === 0) break;
    if (signal.aborted)
      throw new LeftToNextError(`the commit of epoch ${manifest.epoch} is left to the next coordinator: this one was told to end`);
    await pauseBeforeRetry(deps, pauseMs, signal);
    await checkGeneration(deps, settings, tenure, signal);
  }
  return republished;
}

/**
 * Has the sink function commit. Returns the committables that are in doubt: those whose answer was not OK. A call
 * without an answer is repeated (a commit may be sent twice); when none comes in time all of them are in doubt.
 */
async function sendCommits(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  permit: CommitPermit,
  sink: string,
  committables: readonly Committable[],
  signal: AbortSignal,
): Promise<Committable[]> {
  const deadlineMs = deps.clock.now() + settings.commitTimeoutMs;
  const request: CommitSinkRequest = {
    ask: 'commit',
    ...stageRequest(settings, tenure, manifest, sink, 0, deadlineMs),
    permit,
    committables,
  };
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const answer = (await deps.invoker.invoke({ role: 'sink', stage: sinkFunctionOf(settings, sink), subtask: 0 }, request, {
        deadlineMs,
        signal,
      })) as CommitAnswer | StageFailed;
      if (answer.outcome === 'failed') throw new Error(answer.message);
      return committables.filter(({ transactionalId }) => answer.doubtful.includes(transactionalId));
    } catch (error) {
      deps.observe({
        event: 'warning',
        message: `commit of epoch ${manifest.epoch}: ${error instanceof Error ? error.message : String(error)}`,
      });
      if (signal.aborted || deps.clock.now() + pauseMs >= deadlineMs) return [...committables];
      await pauseBeforeRetry(deps, pauseMs, signal);
    }
  }
}

async function resolveOne(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  permit: CommitPermit,
  sink: string,
  committable: Committable,
  signal: AbortSignal,
): Promise<ResolveAnswer> {
  const deadlineMs = deps.clock.now() + settings.commitTimeoutMs;
  const request: ResolveSinkRequest = {
    ask: 'resolve',
    ...stageRequest(settings, tenure, manifest, sink, committable.subtask, deadlineMs),
    permit,
    committable,
    transactionTimeoutMs: settings.transactionTimeoutMs,
    staged: manifest.outputs[sink]?.[committable.subtask] ?? [],
    sinkStartedAtMs: manifest.sinkStartedAtMs,
    previousUseAtMs: manifest.previousUseAtMs[committable.transactionalId],
    markerRetentionMs: tenure.markerRetentionMs,
  };
  try {
    return (await deps.invoker.invoke({ role: 'sink', stage: sinkFunctionOf(settings, sink), subtask: committable.subtask }, request, {
      deadlineMs,
      signal,
    })) as ResolveAnswer;
  } catch (error) {
    return { outcome: 'unsettled', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Why a person has to decide; undefined while nobody has to. */
function needOfPerson(answer: ResolveAnswer): string | undefined {
  return answer.outcome === 'no-evidence' || (answer.outcome === 'failed' && answer.kind === 'fatal') ? answer.message : undefined;
}

function describe(answer: ResolveAnswer): string {
  return 'message' in answer ? `${answer.outcome}: ${answer.message}` : answer.outcome;
}
