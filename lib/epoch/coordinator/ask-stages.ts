import type { Stage } from '../../graph/stages.ts';
import { type FunctionTarget, InvokeError } from '../../ports/function-invoker.ts';
import type {
  OperatorAnswer,
  OperatorDone,
  PrepareAnswer,
  SourceAnswer,
  SourceDone,
  StageFailed,
  StageStale,
} from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { Position } from '../../protocol/manifest.ts';
import type { AbortSinkRequest, StageRequest } from '../../protocol/requests.ts';
import { checkPrepared } from '../../transactions/check-prepared.ts';
import { retriedAnswer } from '../../transactions/retry.ts';
import type { Attempt } from '../attempt.ts';
import type { StageOutcome } from '../loop/events.ts';
import { portionsOf } from '../portions.ts';
import { type Ask, operatorAsks, prepareAsks, type SubtaskAsk, sourceAsks } from '../stage-asks.ts';
import { type CommitSettings, type CoordinatorDeps, type JobSettings, sinkFunctionOf, type Tenure } from './context.ts';

type Answer = { readonly outcome: string };

/** Runs one stage of one epoch, from `before`: its subtasks at once. When `signal` ends it, its calls are given up. */
export async function runStage(
  deps: CoordinatorDeps,
  settings: JobSettings,
  tenure: Tenure,
  stage: Stage,
  from: { readonly attempt: Attempt; readonly before: Position },
  signal: AbortSignal,
): Promise<StageOutcome> {
  const { attempt, before } = from;
  const askAll = <Request extends StageRequest, Done, A extends Answer>(asks: readonly SubtaskAsk<Request, Done>[]) =>
    Promise.all(
      asks.map((each, subtask): Promise<A | Done | StageFailed> => {
        if ('done' in each) return Promise.resolve(each.done);
        const request = requestOf(each.ask, stageRequest(settings, tenure, attempt, stage.id, subtask, settings.epochTimeoutMs));
        return invoke<A>(deps, { role: stage.kind, stage: stage.id, subtask }, request, signal);
      }),
    );
  switch (stage.kind) {
    case 'source': {
      const answers: (SourceAnswer | undefined)[] = await askAll(sourceAsks(stage, attempt, settings));
      const why = firstProblem(answers);
      if (why !== undefined) return { outcome: 'failed', why, prepared: [] };
      return { outcome: 'done', work: { kind: 'source', subtasks: answers as readonly (SourceDone | undefined)[] } };
    }
    case 'operator': {
      const answers: OperatorAnswer[] = await askAll(operatorAsks(stage, attempt, before, settings));
      const why = firstProblem(answers);
      if (why !== undefined) return { outcome: 'failed', why, prepared: [] };
      return { outcome: 'done', work: { kind: 'operator', subtasks: answers as readonly OperatorDone[] } };
    }
    case 'sink': {
      // At least once, output is sent when its epoch is decided, and not before.
      if (settings.deliveryGuarantee === 'at-least-once') return { outcome: 'done', work: { kind: 'sink', prepared: [] } };
      const answers: (PrepareAnswer | undefined)[] = await askAll(prepareAsks(stage, attempt, settings));
      const prepared = answers.flatMap((answer) =>
        answer?.outcome === 'prepared' && answer.committable !== undefined ? [answer.committable] : [],
      );
      // When all of them are prepared it is seen that they hold nothing else: from here to the decision nothing can be added.
      const why = firstProblem(answers) ?? (await preparedProblem(deps, prepared, deps.clock.elapsedMs() + settings.commitTimeoutMs));
      if (why !== undefined) return { outcome: 'failed', why, prepared };
      return { outcome: 'done', work: { kind: 'sink', prepared } };
    }
  }
}

function requestOf<Request extends StageRequest>(ask: Ask<Request>, common: StageRequest): StageRequest {
  return { ...common, ...ask };
}

export function stageRequest(
  settings: Pick<JobSettings, 'job' | 'build' | 'parallelism'>,
  tenure: Tenure,
  attempt: Pick<Attempt, 'epoch' | 'decisionId'>,
  stage: string,
  subtask: number,
  timeoutMs: number,
): StageRequest {
  return {
    build: settings.build,
    job: settings.job,
    incarnation: tenure.incarnation,
    epoch: attempt.epoch,
    decisionId: attempt.decisionId,
    stage,
    subtask,
    timeoutMs,
    deadlineMs: Number.MAX_SAFE_INTEGER,
    parallelism: settings.parallelism,
    sinkTopics: tenure.sinkTopics,
  };
}

/** What is wrong with transactions that were prepared; what else is open under their ids will be aborted with them. */
export async function preparedProblem(
  deps: CoordinatorDeps,
  prepared: readonly Committable[],
  deadlineMs: number,
): Promise<StageFailed | undefined> {
  if (prepared.length === 0) return undefined;
  const asking = { ...deps, deadlineMs };
  const check = await checkPrepared(asking, prepared);
  if (check.outcome === 'sound') return undefined;
  if (check.outcome === 'unknown')
    return { outcome: 'failed', kind: 'transient', message: `DescribeProducers of topic ${check.topic} was answered ${check.answer}` };
  await Promise.all(check.leftOpen.map(({ of, partitions }) => retriedAnswer(asking, () => deps.kafka.addPartitions(of, partitions))));
  return { outcome: 'failed', kind: 'transient', message: check.message };
}

/** Worst first: a fatal failure stops the job, a stale answer means an update is under way. */
function firstProblem(answers: readonly (Answer | undefined)[]): StageFailed | StageStale | undefined {
  const failures = answers.filter((answer): answer is StageFailed => answer?.outcome === 'failed');
  const stale = answers.find((answer): answer is StageStale => answer?.outcome === 'stale');
  return failures.find(({ kind }) => kind === 'fatal') ?? stale ?? failures.find(({ kind }) => kind === 'refused') ?? failures[0];
}

/** Calls a stage function; a call without an answer is a failure. */
async function invoke<A extends Answer>(
  deps: CoordinatorDeps,
  target: FunctionTarget,
  request: StageRequest,
  signal: AbortSignal,
): Promise<A | StageFailed> {
  try {
    return (await deps.invoker.invoke(target, request, { timeoutMs: request.timeoutMs, signal })) as A;
  } catch (error) {
    return invocationFailure(error);
  }
}

/** What an invocation without an answer means: it is repeated, unless no repetition can help. */
export function invocationFailure(error: unknown): StageFailed {
  const kind = error instanceof InvokeError && error.fatal ? 'fatal' : 'transient';
  return { outcome: 'failed', kind, message: error instanceof Error ? error.message : String(error) };
}

/**
 * Open transactions of an attempt that will never be decided hold up readers: they are aborted at once, beside
 * everything else. If that fails, the next attempt's InitProducerId does it.
 */
export function abortPrepared(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  attempt: Pick<Attempt, 'epoch' | 'decisionId' | 'committables'>,
): void {
  const timeoutMs = settings.commitTimeoutMs;
  const bySink = Map.groupBy(attempt.committables, ({ sink }) => sink);
  const portions = [...bySink].flatMap(([sink, prepared]) => portionsOf(prepared).map((committables) => ({ sink, committables })));
  for (const { sink, committables } of portions) {
    const request: AbortSinkRequest = { ask: 'abort', ...stageRequest(settings, tenure, attempt, sink, 0, timeoutMs), committables };
    deps.invoker
      .invoke({ role: 'sink', stage: sinkFunctionOf(settings, sink), subtask: 0 }, request, { timeoutMs })
      .catch((error: unknown) => {
        deps.observe({
          event: 'warning',
          message: `open transactions of the failed epoch ${attempt.epoch} could not be aborted now; its next attempt does: ${String(error)}`,
        });
      });
  }
}
