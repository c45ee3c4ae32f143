import { ofName } from '../../config/by-name.ts';
import type { SourceStage, Stage } from '../../plan/plan.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type { AnswerTo, OperatorDone, SourceDone, StageFailed, StageStale } from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { Position } from '../../protocol/manifest.ts';
import type { AnyRequest } from '../../protocol/requests.ts';
import type { PreparedCoordination } from '../../sinks/connector.ts';
import { type CommittablesOfSink, committablesBySink, describeCommittable } from '../commit/committables.ts';
import type { CoordinatorDeps, JobSettings } from '../coordinator/context.ts';
import type { Held } from '../lease/held.ts';
import { portionsOf } from '../planning/portions.ts';
import type { Attempt, StageOutcome } from './attempt.ts';
import { callStage } from './call-stage.ts';
import { operatorAsks, prepareAsks, type SubtaskAsk, sourceAsks, stagedCommittables } from './stage-asks.ts';

type Answer = { readonly outcome: string };

/** What running a stage takes. */
export type StageRunner = Pick<
  Held<StageSettings, Pick<CoordinatorDeps, 'invoker' | 'sinks' | 'kafka' | 'clock' | 'random'>>,
  'deps' | 'settings' | 'tenure'
>;
type StageSettings = Pick<
  JobSettings,
  'job' | 'build' | 'plan' | 'maxParallelism' | 'checkpointIntervalMs' | 'epochTimeoutMs' | 'commitTimeoutMs'
>;

/** Runs one stage of one epoch, from `before`: its subtasks at once. When `signal` aborts, its calls are given up. */
export async function runStage(
  held: StageRunner,
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
      const connector = deps.sinks.forTarget(stage.to);
      // Sent when its epoch is decided, and not before.
      if (connector.how === 'delivered')
        return { outcome: 'done', work: { kind: 'sink', prepared: stagedCommittables(stage, attempt, settings, connector.connector) } };
      const answers = await askAll<'prepare', undefined>(prepareAsks(stage, attempt, settings, connector));
      const checked = answers.map((answer, subtask) => asAsked(answer, { sink: stage.id, connector, subtask, attempt }));
      const prepared = checked.flatMap((answer) =>
        answer?.outcome === 'prepared' && answer.committable !== undefined ? [answer.committable] : [],
      );
      // When all of them are prepared it is seen that they hold nothing else: from here to the decision nothing can be added.
      const why = firstProblem(checked) ?? (await problemOf(deps, connector, prepared, settings.commitTimeoutMs));
      if (why !== undefined) return { outcome: 'failed', why, prepared };
      return { outcome: 'done', work: { kind: 'sink', prepared } };
    }
  }
}

/** What was read is of the topic that was planned only if that is there still, when it has been read: offsets of another say nothing. */
async function topicProblem(
  { kafka }: Pick<CoordinatorDeps, 'kafka'>,
  { id, topic }: SourceStage,
  attempt: Attempt,
): Promise<StageFailed | undefined> {
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

type PrepareAnswered = AnswerTo<'prepare'> | StageFailed | undefined;

/** An answer that names another sink, connector, subtask or epoch is none to what was asked: nobody could commit it. */
function asAsked(
  answer: PrepareAnswered,
  asked: { readonly sink: string; readonly connector: PreparedCoordination; readonly subtask: number; readonly attempt: Attempt },
): PrepareAnswered {
  const committable = answer?.outcome === 'prepared' ? answer.committable : undefined;
  const { connector } = asked.connector;
  const expected = describeCommittable({ ...asked, connector, epoch: asked.attempt.epoch });
  if (committable === undefined || describeCommittable(committable) === expected) return answer;
  return {
    outcome: 'failed',
    kind: 'transient',
    message: `stage ${asked.sink} was asked to prepare ${expected}, and answered with ${describeCommittable(committable)}`,
  };
}

/** What is wrong with what was prepared. A function of another build may answer with what this one's connector does not take. */
export async function problemOf(
  { clock, random }: Pick<CoordinatorDeps, 'clock' | 'random'>,
  connector: PreparedCoordination,
  prepared: readonly Committable[],
  withinMs: number,
): Promise<StageFailed | undefined> {
  try {
    return await connector.problemOf({ clock, random, deadlineMs: clock.elapsedMs() + withinMs }, prepared);
  } catch (error) {
    if (error instanceof MalformedError) return { outcome: 'failed', kind: 'transient', message: error.message };
    throw error;
  }
}

/** Worst first: a fatal failure stops the job, a stale answer means an update is under way. */
function firstProblem(answers: readonly (Answer | undefined)[]): StageFailed | StageStale | undefined {
  const failures = answers.filter((answer): answer is StageFailed => answer?.outcome === 'failed');
  const stale = answers.find((answer): answer is StageStale => answer?.outcome === 'stale');
  return failures.find(({ kind }) => kind === 'fatal') ?? stale ?? failures.find(({ kind }) => kind === 'refused') ?? failures[0];
}

/**
 * What an attempt has prepared that will never be decided may hold up readers: it is ended at once, beside everything else. If that
 * fails, the next attempt's prepare does it.
 */
export function abortPrepared(
  held: Pick<Held, 'deps' | 'settings' | 'tenure'>,
  attempt: Pick<Attempt, 'epoch' | 'decisionId' | 'committables'>,
): void {
  const timeoutMs = held.settings.commitTimeoutMs;
  const prepared = attempt.committables.filter(({ connector }) => held.deps.sinks.named(connector)?.how === 'prepared');
  for (const own of committablesBySink(prepared))
    for (const committables of portionsOf(own.committables)) void abortPortion(own, committables);

  async function abortPortion({ sink: stage, connector }: CommittablesOfSink, committables: readonly Committable[]): Promise<void> {
    const ask = { ask: 'abort', connector, committables } as const;
    const answer = await callStage<'abort'>(held, { of: attempt, role: 'sink', stage, subtask: 0, ask, timeoutMs });
    if (answer.outcome === 'aborted') return;
    held.deps.observe({
      event: 'warning',
      message: `what the failed epoch ${attempt.epoch} has prepared could not be ended now; its next attempt does: ${answer.message}`,
    });
  }
}
