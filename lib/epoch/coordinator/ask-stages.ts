import { byName, ofName } from '../../config/by-name.ts';
import type { BlobRef, Committable, Manifest, SnapshotRef } from '../../format/manifest.ts';
import { meetingOf } from '../../graph/meeting.ts';
import type { SinkStage, SourceStage, Stage } from '../../graph/stages.ts';
import { type FunctionTarget, InvokeError } from '../../ports/function-invoker.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type {
  AbortSinkRequest,
  OperatorAnswer,
  OperatorDone,
  OperatorRequest,
  PrepareAnswer,
  PrepareSinkRequest,
  SourceAnswer,
  SourceDone,
  SourceRequest,
  StageFailed,
  StageRequest,
  StageStale,
} from '../../stages/requests.ts';
import { keyGroupRange } from '../../state/key-groups.ts';
import { checkPrepared } from '../../transactions/check-prepared.ts';
import { retriedAnswer } from '../../transactions/retry.ts';
import type { Attempt } from '../attempt.ts';
import { stagedFor } from '../next-manifest.ts';
import { portionsOf } from '../portions.ts';
import { isUnchanged, snapshotsFor } from '../snapshots.ts';
import {
  type CommitSettings,
  type CoordinatorDeps,
  deadLetterTopic,
  type JobSettings,
  parallelismOf,
  sinkFunctionOf,
  type Tenure,
} from './context.ts';

/** A stage's answers of one epoch, one for each subtask; or the first failure. */
export type StageOutcome = { readonly outcome: 'done'; readonly apply: (attempt: Attempt) => void } | StageFailed | StageStale;

type Answer = { readonly outcome: string };

/** Runs one stage of one epoch: its subtasks at once. `state` and `attempt` say what the stage starts from. */
export async function runStage(
  deps: CoordinatorDeps,
  settings: JobSettings,
  tenure: Tenure,
  stage: Stage,
  attempt: Attempt,
  stateBefore: Manifest['state'],
): Promise<StageOutcome> {
  const common = (subtask: number): StageRequest => stageRequest(settings, tenure, attempt, stage.id, subtask, settings.epochTimeoutMs);
  const call = <A extends Answer>(subtask: number, request: StageRequest) =>
    invoke<A>(deps, { role: stage.kind, stage: stage.id, subtask }, request, attempt.abort.signal);
  switch (stage.kind) {
    case 'source':
      return runSourceStage(deps, stage, settings, attempt, common, call);
    case 'operator':
      return runOperatorStage(stage, settings, attempt, stateBefore, common, call);
    case 'sink':
      // At least once, output is sent when its epoch is decided, and not before.
      if (settings.deliveryGuarantee === 'at-least-once') return { outcome: 'done', apply: () => {} };
      return runSinkStage(deps, stage, settings, attempt, common, call);
  }
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

type Common = (subtask: number) => StageRequest;
type Call = <A extends Answer>(subtask: number, request: StageRequest) => Promise<A | StageFailed>;

async function runSourceStage(
  deps: CoordinatorDeps,
  stage: SourceStage,
  settings: JobSettings,
  attempt: Attempt,
  common: Common,
  call: Call,
): Promise<StageOutcome> {
  const subtasks = ofName(attempt.ranges, stage.id) ?? [];
  const meeting = meetingOf(stage, settings.stages, (id) => parallelismOf(settings, id));
  const active = Math.max(1, subtasks.filter((ranges) => ranges.length > 0).length);
  const topic = deadLetterTopic(settings);
  const condemned = attempt.condemned?.source === stage.id ? attempt.condemned.record : undefined;
  const answers = await Promise.all(
    subtasks.map((ranges, subtask): Promise<SourceAnswer | undefined> => {
      if (ranges.length === 0) return Promise.resolve(undefined);
      const request: SourceRequest = {
        ask: 'read',
        ...common(subtask),
        ranges,
        maxBytes: Math.ceil(attempt.maxBytes / active),
        maxDurationMs: settings.checkpointIntervalMs,
        meeting,
        deadLetters: topic === undefined ? undefined : { topic, condemned },
      };
      return call<SourceAnswer>(subtask, request);
    }),
  );
  const problem = firstProblem(answers) ?? (await topicProblem(deps, stage, attempt));
  if (problem !== undefined) return problem;
  const done = answers as readonly (SourceDone | undefined)[];
  return { outcome: 'done', apply: (current) => current.sources.set(stage.id, done) };
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

async function runOperatorStage(
  stage: Stage,
  settings: JobSettings,
  attempt: Attempt,
  before: Manifest['state'],
  common: Common,
  call: Call,
): Promise<StageOutcome> {
  const parallelism = parallelismOf(settings, stage.id);
  const meeting = meetingOf(stage, settings.stages, (id) => parallelismOf(settings, id));
  const answers = await Promise.all(
    Array.from({ length: parallelism }, (_, subtask): Promise<OperatorAnswer> => {
      const keyGroups = keyGroupRange(subtask, parallelism, settings.maxParallelism);
      const inputs = exchangeFor(stage, subtask, attempt);
      const snapshots = byName(stage.operators.map((uid) => [uid, snapshotsFor(keyGroups, ofName(before, uid))] as const));
      if (inputs.length === 0 && Object.values(snapshots).every((refs) => isUnchanged(keyGroups, refs)))
        return Promise.resolve(idle(stage, snapshots));
      const request: OperatorRequest = { ask: 'process', ...common(subtask), keyGroups, meeting, inputs, snapshots };
      return call<OperatorAnswer>(subtask, request);
    }),
  );
  const problem = firstProblem(answers);
  if (problem !== undefined) return problem;
  const done = answers as readonly OperatorDone[];
  return { outcome: 'done', apply: (current) => current.operators.set(stage.id, done) };
}

/** A subtask without input does not run: its state is what it was. */
function idle(stage: Stage, snapshots: Record<string, SnapshotRef[]>): OperatorDone {
  return {
    outcome: 'processed',
    snapshots: byName(Object.entries(snapshots).flatMap(([uid, [only]]) => (only === undefined ? [] : [[uid, only] as const]))),
    exchanges: byName(stage.exchanges.map((target) => [target, []])),
    staged: byName(stage.sinks.map((sink) => [sink, null])),
    recordsIn: 0,
    recordsOut: 0,
  };
}

function exchangeFor(stage: Stage, subtask: number, attempt: Attempt): BlobRef[] {
  return stage.inputs.flatMap((input) => {
    const upstream = attempt.operators.get(input) ?? attempt.sources.get(input) ?? [];
    return upstream.flatMap((done) => {
      const ref = ofName(done?.exchanges, stage.id)?.[subtask];
      return ref === undefined || ref === null ? [] : [ref];
    });
  });
}

/**
 * One transaction for each subtask that has output. When all of them are prepared it is seen that they hold nothing else: from
 * here to the decision nothing can be added to them.
 */
async function runSinkStage(
  deps: CoordinatorDeps,
  stage: SinkStage,
  settings: JobSettings,
  attempt: Attempt,
  common: Common,
  call: Call,
): Promise<StageOutcome> {
  const parallelism = parallelismOf(settings, stage.id);
  const staged = stagedFor(attempt, stage, parallelism);
  const answers = await Promise.all(
    staged.map((refs, subtask): Promise<PrepareAnswer> => {
      if (refs.length === 0 && attempt.endsLeftovers !== true) return Promise.resolve({ outcome: 'prepared' });
      const request: PrepareSinkRequest = {
        ask: 'prepare',
        ...common(subtask),
        topic: stage.topic,
        transactionTimeoutMs: settings.transactionTimeoutMs,
        staged: refs,
      };
      return call<PrepareAnswer>(subtask, request);
    }),
  );
  // Also of a failed stage: what was prepared is aborted when the attempt is dropped.
  const prepared = answers.flatMap((answer) =>
    answer.outcome === 'prepared' && answer.committable !== undefined ? [answer.committable] : [],
  );
  attempt.committables.push(...prepared);
  const problem = firstProblem(answers) ?? (await preparedProblem(deps, prepared, deps.clock.elapsedMs() + settings.commitTimeoutMs));
  if (problem !== undefined) return problem;
  return { outcome: 'done', apply: () => {} };
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
  const bySink = Map.groupBy(attempt.committables.splice(0), ({ sink }) => sink);
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
