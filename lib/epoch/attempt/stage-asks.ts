import { byName, ofName } from '../../config/by-name.ts';
import { subtasksOf } from '../../config/subtasks.ts';
import { leavesOut } from '../../plan/dead-letters.ts';
import { meetingOf } from '../../plan/meeting.ts';
import { edgesTo, type OperatorStage, type PhysicalPlan, type SinkStage, type SourceStage } from '../../plan/plan.ts';
import type { OperatorDone } from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { SourceTimeAsk, StageTime } from '../../protocol/event-time.ts';
import { keyGroupRange } from '../../protocol/key-groups.ts';
import type { Position } from '../../protocol/manifest.ts';
import type { KeyGroupRange, SnapshotRef } from '../../protocol/references.ts';
import type { EdgeInput, OperatorRequest, PrepareSinkRequest, SourceRequest, StageRequest } from '../../protocol/requests.ts';
import { keepsShared } from '../../protocol/shared-state.ts';
import type { PreparedCoordination } from '../../sinks/connector.ts';
import { isAnyDue } from '../../time/due.ts';
import type { JobSettings } from '../coordinator/context.ts';
import { positionAfter, stagedFor } from '../decision/position.ts';
import { type Attempt, writtenBy } from './attempt.ts';
import { isUnchanged, snapshotsFor } from './snapshots.ts';

/** What a request says besides what every request says. */
export type Ask<Request extends StageRequest> = Omit<Request, keyof StageRequest>;

/** What a subtask is asked, or what it did without being asked because it has nothing to do. */
export type SubtaskAsk<Request extends StageRequest, Done> = { readonly ask: Ask<Request> } | { readonly done: Done };

type AskRules = Pick<JobSettings, 'plan' | 'maxParallelism' | 'checkpointIntervalMs'>;

/** A subtask without ranges reads nothing. */
export function sourceAsks(stage: SourceStage, attempt: Attempt, rules: AskRules): SubtaskAsk<SourceRequest, undefined>[] {
  const subtasks = ofName(attempt.ranges, stage.id) ?? [];
  const active = Math.max(1, subtasks.filter((ranges) => ranges.length > 0).length);
  const condemned = attempt.condemned?.source === stage.id ? attempt.condemned.record : undefined;
  const common = {
    ask: 'read',
    maxBytes: Math.ceil(attempt.maxBytes / active),
    maxDurationMs: rules.checkpointIntervalMs,
    maxParallelism: rules.maxParallelism,
    meeting: meetingOf(stage, rules.plan, (id) => subtasksOf(attempt.parallelism, id)),
    leavingOut: leavesOut(rules.plan) ? { condemned } : undefined,
  } as const;
  const time = timeOfSource(stage, attempt);
  return subtasks.map((ranges) => (ranges.length === 0 ? { done: undefined } : { ask: { ...common, ranges, time } }));
}

function timeOfSource({ id, eventTime }: SourceStage, { time }: Attempt): SourceTimeAsk | undefined {
  if (eventTime === undefined || time === undefined) return undefined;
  return { processingMs: time.processingMs, upToMs: ofName(time.upToMs, id) };
}

/** The watermark of the stage is that of what its sources have read in this attempt. */
function timeOfOperator({ id }: OperatorStage, attempt: Attempt, before: Position, plan: PhysicalPlan): StageTime | undefined {
  if (attempt.time === undefined) return undefined;
  const after = positionAfter(before, attempt, plan);
  return {
    beforeMs: ofName(before.time?.stages, id),
    afterMs: ofName(after.time?.stages, id),
    processingMs: attempt.time.processingMs,
  };
}

/** A subtask without input, and with nothing that waits for a time that has come, does not run: its state is what it was. */
export function operatorAsks(
  stage: OperatorStage,
  attempt: Attempt,
  before: Position,
  rules: AskRules,
): SubtaskAsk<OperatorRequest, OperatorDone>[] {
  const { maxParallelism } = rules;
  const parallelism = subtasksOf(attempt.parallelism, stage.id);
  const meeting = meetingOf(stage, rules.plan, (id) => subtasksOf(attempt.parallelism, id));
  const time = timeOfOperator(stage, attempt, before, rules.plan);
  return Array.from({ length: parallelism }, (_, subtask) => {
    const keyGroups = keyGroupRange(subtask, parallelism, maxParallelism);
    const inputs = inputsFor(stage, subtask, attempt, rules.plan);
    const refsOf = (name: string, range: KeyGroupRange) => [name, snapshotsFor(range, ofName(before.state, name))] as const;
    const own = byName(stage.operators.map((uid) => refsOf(uid, keyGroups)));
    const shared = (stage.broadcastStates ?? []).map((name) => refsOf(name, { first: 0, last: maxParallelism - 1 }));
    const isDue = time !== undefined && isAnyDue(Object.values(own).flat(), time);
    const isIdle = inputs.length === 0 && !isDue && Object.values(own).every((refs) => isUnchanged(keyGroups, refs));
    const snapshots = byName([...Object.entries(own), ...shared]);
    return isIdle
      ? { done: idle(keepsShared(subtask) ? snapshots : own) }
      : { ask: { ask: 'process', keyGroups, maxParallelism, meeting, inputs, snapshots, time } };
  });
}

/** A subtask without output prepares nothing; after an attempt that may have left something open it looks for that. */
export function prepareAsks(
  stage: SinkStage,
  attempt: Attempt,
  rules: AskRules,
  { connector, prepareTerms }: Pick<PreparedCoordination, 'connector' | 'prepareTerms'>,
): SubtaskAsk<PrepareSinkRequest, undefined>[] {
  const terms = prepareTerms(stage.to);
  const { parallelism, endsLeftovers } = attempt;
  const own = stagedFor(attempt, rules.plan, stage.id, subtasksOf(parallelism, stage.id));
  const left = endsLeftovers === undefined ? 0 : subtasksOf(endsLeftovers, stage.id);
  return Array.from({ length: Math.max(own.length, left) }, (_, subtask) => {
    const staged = own[subtask] ?? [];
    return staged.length === 0 && left === 0 ? { done: undefined } : { ask: { ask: 'prepare', connector, terms, staged } };
  });
}

/** Of a sink that prepares nothing: what is to be sent when the epoch is decided. */
export function stagedCommittables(stage: SinkStage, attempt: Attempt, rules: AskRules, connector: string): Committable[] {
  return stagedFor(attempt, rules.plan, stage.id, subtasksOf(attempt.parallelism, stage.id)).flatMap((staged, subtask) =>
    staged.length === 0 ? [] : [{ sink: stage.id, connector, subtask, epoch: attempt.epoch, token: {} }],
  );
}

function idle(snapshots: Record<string, SnapshotRef[]>): OperatorDone {
  return {
    outcome: 'processed',
    snapshots: byName(Object.entries(snapshots).flatMap(([uid, [only]]) => (only === undefined ? [] : [[uid, only] as const]))),
    edges: {},
    recordsIn: 0,
  };
}

function inputsFor(stage: OperatorStage, subtask: number, attempt: Attempt, plan: PhysicalPlan): EdgeInput[] {
  return edgesTo(plan, stage.id).flatMap(({ id: edge, from, input, how }) =>
    writtenBy(attempt, from).flatMap((written) => {
      const ref = ofName(written?.edges, edge)?.parts[how === 'broadcast' ? 0 : subtask];
      return ref === undefined || ref === null ? [] : [{ edge, input, ref }];
    }),
  );
}
