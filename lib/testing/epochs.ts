import { byName, ofName } from '../config/by-name.ts';
import { runStage } from '../epoch/attempt/ask-stages.ts';
import { newAttempt, type StageOutcome, timeOfAttempt } from '../epoch/attempt/attempt.ts';
import { callStage } from '../epoch/attempt/call-stage.ts';
import { nextManifest } from '../epoch/decision/position.ts';
import { whatIsDue } from '../epoch/loop/due.ts';
import type { Effect, LoopEvent } from '../epoch/loop/events.ts';
import { onEvent } from '../epoch/loop/on-event.ts';
import { firstState, type LoopState } from '../epoch/loop/state.ts';
import { type PlanAsk, planNext } from '../epoch/planning/plan-epoch.ts';
import { firstScale, nextParallelism } from '../epoch/scale/scale.ts';
import { underNewNames, withStageTimes } from '../epoch/start/new-names.ts';
import { fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import type { CompiledJob } from '../operators/compiled-job.ts';
import type { SourceStage } from '../plan/plan.ts';
import { momentOf } from '../ports/age.ts';
import type { StageFailed, StageStale } from '../protocol/answers.ts';
import { asDecided } from '../protocol/as-decided.ts';
import type { PartitionSeen } from '../protocol/event-time.ts';
import { type DecidedManifest, permitFor } from '../protocol/permit.ts';
import { type InputEnds, inputEnds, NO_INPUT } from '../time/input-ends.ts';
import type { MemoryTopics } from './memory-topics.ts';
import type { Run } from './run.ts';

/** A completed epoch. */
export interface Epoch {
  readonly manifest: DecidedManifest;
  /** Was it there because a time had come? */
  readonly isForTime: boolean;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** In the order in which it was sent. */
  readonly output: readonly SinkBatch[];
}

/** A record batch that a sink has written. */
export interface SinkBatch {
  readonly sink: string;
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

export type EpochOutcome =
  /** There is no input that may be read, and nothing waits for a time that has come. */
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'completed'; readonly epoch: Epoch; readonly state: LoopState }
  | { readonly outcome: 'failed'; readonly stage: string; readonly why: StageFailed | StageStale; readonly state: LoopState }
  | { readonly outcome: 'lost' };

/** How one epoch is to go. */
export interface EpochCourse {
  /** The attempt is lost before this stage, or before it is decided. Undefined: it is not. */
  readonly loseBefore?: string | undefined;
  /** What a source says of its partitions besides what it reads. */
  readonly seen?: { readonly source: string; readonly partitions: readonly PartitionSeen[] } | undefined;
}

export const DECISION = 'decision';

/** Epoch 0: every topic from its beginning, and no state. */
export function firstEpoch({ rules, tenure, deps, settings, surroundings: { topics } }: Run): Epoch {
  const offsets = byName(
    rules.plan.stages.flatMap((stage) => (stage.kind === 'source' ? [[stage.id, beginningOf(stage, topics)] as const] : [])),
  );
  const manifest = nextManifest({ job: settings.job, incarnation: tenure.incarnation }, undefined, {
    epoch: 0,
    decisionId: deps.random.id(),
    position: { offsets, topicIds: {}, state: {}, time: undefined },
    outputs: {},
    committables: [],
  });
  return { manifest: asDecided(manifest), isForTime: false, recordsIn: 0, recordsOut: 0, output: [] };
}

/** The epoch as another build of the job goes on from it: under the names of that one, whose sources that are new begin at the beginning. */
export function asBuildHasIt(epoch: Epoch, { job, plan }: CompiledJob, topics: MemoryTopics): Epoch {
  const named = withStageTimes(underNewNames(epoch.manifest, { fingerprint: fingerprint(describeGraph(job)) }), plan);
  const added = plan.stages.flatMap((stage) =>
    stage.kind === 'source' && ofName(named.offsets, stage.id) === undefined ? [[stage.id, beginningOf(stage, topics)] as const] : [],
  );
  return { ...epoch, manifest: asDecided({ ...named, offsets: byName([...Object.entries(named.offsets), ...added]) }) };
}

function beginningOf({ topic }: SourceStage, topics: MemoryTopics): Readonly<Record<string, readonly number[]>> {
  return byName([[topic, Array.from({ length: topics.partitions(topic) }, () => 0)]]);
}

/** What of the input was not read when there was nothing to do: it is too far ahead. */
export function heldInput({ manifest: { offsets } }: Epoch, { rules, surroundings: { topics } }: Run): InputEnds {
  const ends = rules.plan.stages.flatMap((stage) => {
    if (stage.kind !== 'source') return [];
    const { id, topic } = stage;
    const read = ofName(ofName(offsets, id), topic) ?? [];
    const unread = read.flatMap((offset, partition) => {
      const end = topics.end(topic, partition);
      return end > offset ? [[partition, end] as const] : [];
    });
    return unread.length > 0 ? [[id, new Map(unread)] as const] : [];
  });
  return new Map(ends);
}

/** Where a coordinator is when it has planned nothing yet. @param most records that the next epoch reads. */
export function stateAfter({ manifest: parent }: Epoch, run: Run, most: number): LoopState {
  const { deps, rules, tenure } = run;
  const scale = firstScale(rules, parent, {});
  const state = firstState({ tenure, scale, parent, recordedCommitted: parent.epoch }, deps.clock.elapsedMs(), rules);
  return { ...state, size: { bytes: Number.MAX_SAFE_INTEGER, offsets: most } };
}

/** The same, with an epoch begun that reads nothing. */
export async function stateOfEmptyEpoch(last: Epoch, run: Run): Promise<LoopState> {
  const state = stateAfter(last, run, Number.POSITIVE_INFINITY);
  const { rules, deps } = run;
  const { manifest: parent } = last;
  const parallelism = nextParallelism(state.scale, rules.plan);
  const planned = await plan(run, { before: parent, parallelism, isOverdue: false });
  const ends = planned.outcome === 'planned' ? inputEnds(planned.ranges) : NO_INPUT;
  const now = momentOf(deps.clock);
  const attempt = newAttempt(
    {
      epoch: parent.epoch + 1,
      decisionId: deps.random.id(),
      planned: now,
      parallelism,
      from: parent.offsets,
      topicIds: parent.topicIds,
      ranges: byName(rules.plan.stages.flatMap(({ kind, id }) => (kind === 'source' ? [[id, []] as const] : []))),
      time: timeOfAttempt(parent, rules.plan, now.wallMs, ends),
      isForTime: true,
      maxBytes: state.size.bytes,
    },
    rules.plan.stages,
  );
  return { ...state, inFlight: [attempt] };
}

/** Has the coordinator's loop decide what comes next, and does it, until one epoch is over. */
export async function runEpoch(run: Run, begin: LoopState, course: EpochCourse = {}): Promise<EpochOutcome> {
  const { deps, rules } = run;
  const given = { now: momentOf(deps.clock), random: deps.random };
  let state = begin;
  let counts = { recordsIn: 0, recordsOut: 0 };
  for (;;) {
    const due = whatIsDue(state, given, rules);
    state = due.state;
    if (due.effects.length === 0) throw new Error('an epoch is under way, and nothing of it may begin');
    for (const effect of due.effects) {
      if (isLost(effect, course)) return { outcome: 'lost' };
      if (effect.do === 'decide') counts = effect.summary;
      const done = await perform(run, effect, course);
      if (done === undefined) continue;
      const isForTime = state.inFlight[0]?.isForTime === true;
      state = onEvent(state, done.event, given, rules).state;
      if (done.failed !== undefined) return { outcome: 'failed', ...done.failed, state };
      const { recordsIn, recordsOut } = counts;
      if (done.output !== undefined)
        return { outcome: 'completed', epoch: { manifest: state.parent, isForTime, recordsIn, recordsOut, output: done.output }, state };
    }
    if (state.inFlight.length === 0) return { outcome: 'nothing' };
  }
}

function isLost(effect: Effect, { loseBefore }: EpochCourse): boolean {
  if (effect.do === 'decide') return loseBefore === DECISION;
  return effect.do === 'run-stage' && effect.stage.id === loseBefore;
}

/** What an effect came to. */
interface Done {
  readonly event: LoopEvent;
  readonly failed?: { readonly stage: string; readonly why: StageFailed | StageStale } | undefined;
  /** Of an epoch that is committed. */
  readonly output?: readonly SinkBatch[];
}

/** Undefined: it is of no use in one process. */
async function perform(run: Run, effect: Effect, course: EpochCourse): Promise<Done | undefined> {
  switch (effect.do) {
    case 'plan':
      return { event: { of: 'planned', base: effect.base, planned: await plan(run, effect) } };
    case 'run-stage': {
      const { stage, attempt } = effect;
      const result = withSeen(await runStage(run, stage, effect, new AbortController().signal), stage.id, course);
      const failed = result.outcome === 'failed' ? { stage: stage.id, why: result.why } : undefined;
      return { event: { of: 'stage', attempt, stage: stage.id, ms: 0, result }, failed };
    }
    case 'decide':
      // What is in memory is decided when it is said.
      return { event: { of: 'decided', manifest: asDecided(effect.manifest), ms: 0 } };
    case 'commit': {
      const output = await deliver(run, effect.manifest);
      return { event: { of: 'committed', epoch: effect.manifest.epoch, result: { republished: 0, delivers: true }, ms: 0 }, output };
    }
    case 'observe':
    case 'give-up':
    case 'abort':
    case 'end-leftovers':
    case 'settle':
    case 'leave':
    case 'lease-renewed':
    case 'begin-progress':
    case 'progress':
    case 'chore':
      return undefined;
    default:
      return effect satisfies never;
  }
}

function plan({ deps, settings, rules, kafka }: Run, ask: PlanAsk) {
  const observe = () => {};
  return planNext({ ...deps, kafka, observe }, { ...settings, plan: rules.plan, onDataLoss: 'stop' }, ask, new AbortController().signal);
}

function withSeen(result: StageOutcome, stage: string, { seen }: EpochCourse): StageOutcome {
  if (seen?.source !== stage || result.outcome !== 'done' || result.work.kind !== 'source') return result;
  const done = { outcome: 'read', edges: {}, recordsIn: 0, reached: [], bytesIn: 0, seen: seen.partitions } as const;
  return { ...result, work: { kind: 'source', subtasks: [...result.work.subtasks, done] } };
}

/** Has every sink send what it has staged. */
async function deliver(run: Run, manifest: DecidedManifest): Promise<readonly SinkBatch[]> {
  const output: SinkBatch[] = [];
  const permit = permitFor(manifest, run.tenure.generation);
  for (const committable of manifest.committables) {
    const { sink, connector, subtask } = committable;
    const staged = ofName(manifest.outputs, sink)?.[subtask] ?? [];
    const ask = { ask: 'send', connector, permit, committable, staged } as const;
    const call = { of: manifest, role: 'sink', stage: sink, subtask, ask, timeoutMs: run.settings.commitTimeoutMs } as const;
    const answer = await callStage<'send'>(run, call);
    if (answer.outcome !== 'sent') throw new Error(`the output of sink ${sink} could not be kept: ${JSON.stringify(answer)}`);
    for (const { topic, partition, batch } of run.kafka.takeProduced()) output.push({ sink, topic, partition, bytes: Buffer.from(batch) });
  }
  return output;
}
