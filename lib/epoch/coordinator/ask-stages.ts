import { ofName } from '../../config/by-name.ts';
import type { SourceStage, Stage } from '../../plan/plan.ts';
import { kindOf } from '../../ports/broker-answers.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type { AnswerTo, OperatorDone, SourceDone, StageFailed, StageStale } from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { Position } from '../../protocol/manifest.ts';
import type { AnyRequest } from '../../protocol/requests.ts';
import { mendOf } from '../../sinks/kafka/answers.ts';
import { checkPrepared } from '../../sinks/kafka/check-prepared.ts';
import { retriedAnswer } from '../../sinks/kafka/retry.ts';
import type { Attempt, StageOutcome } from '../attempt.ts';
import { portionsOf } from '../portions.ts';
import { operatorAsks, prepareAsks, type SubtaskAsk, sourceAsks } from '../stage-asks.ts';
import { callStage } from './call-stage.ts';
import type { CoordinatorDeps, JobSettings } from './context.ts';
import type { Held } from './held.ts';

type Answer = { readonly outcome: string };

/** Runs one stage of one epoch, from `before`: its subtasks at once. When `signal` aborts, its calls are given up. */
export async function runStage(
  held: Held<JobSettings>,
  stage: Stage,
  { attempt, before }: { readonly attempt: Attempt; readonly before: Position },
  signal: AbortSignal,
): Promise<StageOutcome> {
  const { deps, settings } = held;
  const timeoutMs = settings.epochTimeoutMs;
  const askAll = <A extends AnyRequest['ask'], Done>(asks: readonly SubtaskAsk<Extract<AnyRequest, { readonly ask: A }>, Done>[]) =>
    Promise.all(
      asks.map((each, subtask): Promise<AnswerTo<A> | Done | StageFailed> => {
        if ('done' in each) return Promise.resolve(each.done);
        return callStage<A>(held, { of: attempt, role: stage.kind, stage: stage.id, subtask, ask: each.ask, timeoutMs }, signal);
      }),
    );
  switch (stage.kind) {
    case 'source': {
      const answers = await askAll<'read', undefined>(sourceAsks(stage, attempt, settings));
      const why = firstProblem(answers) ?? (await topicProblem(deps, stage, attempt));
      if (why !== undefined) return { outcome: 'failed', why, prepared: [] };
      return { outcome: 'done', work: { kind: 'source', subtasks: answers as readonly (SourceDone | undefined)[] } };
    }
    case 'operator': {
      const answers = await askAll<'process', OperatorDone>(operatorAsks(stage, attempt, before, settings));
      const why = firstProblem(answers);
      if (why !== undefined) return { outcome: 'failed', why, prepared: [] };
      return { outcome: 'done', work: { kind: 'operator', subtasks: answers as readonly OperatorDone[] } };
    }
    case 'sink': {
      // At least once, output is sent when its epoch is decided, and not before.
      if (settings.deliveryGuarantee === 'at-least-once') return { outcome: 'done', work: { kind: 'sink', prepared: [] } };
      const answers = await askAll<'prepare', undefined>(prepareAsks(stage, attempt, settings));
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

/** What was read is of the topic that was planned only if that is there still, when it has been read: offsets of another say nothing. */
async function topicProblem({ kafka }: CoordinatorDeps, { id, topic }: SourceStage, attempt: Attempt): Promise<StageFailed | undefined> {
  const planned = ofName(ofName(attempt.topicIds, id), topic);
  const reads = (ofName(attempt.ranges, id) ?? []).some((ranges) => ranges.length > 0);
  if (planned === undefined || !reads) return undefined;
  try {
    const found = await kafka.topicId(topic, 'now');
    if (found === undefined || found === planned) return undefined;
    const message = `topic ${topic} was made anew while it was read: its id was ${planned}, and is ${found}`;
    return { outcome: 'failed', kind: 'transient', message };
  } catch (error) {
    if (!(error instanceof KafkaProblem)) throw error;
    return { outcome: 'failed', kind: error.retriable ? 'transient' : 'refused', message: error.message };
  }
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
  if (check.outcome === 'unknown') {
    const { topic, answer } = check;
    const isRefused = kindOf(answer) === 'refused';
    const mend = isRefused ? `: ${mendOf(answer, topic)}` : '';
    return {
      outcome: 'failed',
      kind: isRefused ? 'refused' : 'transient',
      message: `DescribeProducers of topic ${topic} was answered ${answer}${mend}`,
    };
  }
  await Promise.all(check.leftOpen.map(({ of, partitions }) => retriedAnswer(asking, () => deps.kafka.addPartitions(of, partitions))));
  return { outcome: 'failed', kind: 'transient', message: check.message };
}

/** Worst first: a fatal failure stops the job, a stale answer means an update is under way. */
function firstProblem(answers: readonly (Answer | undefined)[]): StageFailed | StageStale | undefined {
  const failures = answers.filter((answer): answer is StageFailed => answer?.outcome === 'failed');
  const stale = answers.find((answer): answer is StageStale => answer?.outcome === 'stale');
  return failures.find(({ kind }) => kind === 'fatal') ?? stale ?? failures.find(({ kind }) => kind === 'refused') ?? failures[0];
}

/**
 * Open transactions of an attempt that will never be decided hold up readers: they are aborted at once, beside
 * everything else. If that fails, the next attempt's InitProducerId does it.
 */
export function abortPrepared(
  held: Pick<Held, 'deps' | 'settings' | 'tenure'>,
  attempt: Pick<Attempt, 'epoch' | 'decisionId' | 'committables'>,
): void {
  const timeoutMs = held.settings.commitTimeoutMs;
  for (const [sink, prepared] of Map.groupBy(attempt.committables, (one) => one.sink)) {
    for (const committables of portionsOf(prepared)) void abortPortion(sink, committables);
  }

  async function abortPortion(stage: string, committables: readonly Committable[]): Promise<void> {
    const ask = { ask: 'abort', committables } as const;
    const answer = await callStage<'abort'>(held, { of: attempt, role: 'sink', stage, subtask: 0, ask, timeoutMs });
    if (answer.outcome === 'aborted') return;
    held.deps.observe({
      event: 'warning',
      message: `open transactions of the failed epoch ${attempt.epoch} could not be aborted now; its next attempt does: ${answer.message}`,
    });
  }
}
