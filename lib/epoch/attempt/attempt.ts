import { byName, ofName } from '../../config/by-name.ts';
import { isOfErrors } from '../../plan/dead-letters.ts';
import type { Edge, PhysicalPlan, Stage } from '../../plan/plan.ts';
import { usesTime } from '../../plan/time.ts';
import type { Moment } from '../../ports/age.ts';
import type { OperatorDone, RecordFault, SourceDone, StageFailed, StageStale, StageWritten } from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { LateByOperator } from '../../protocol/event-time.ts';
import type { Position, SourceOffsets, TopicIds } from '../../protocol/manifest.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';
import type { CondemnedRecord, SourceRange } from '../../protocol/requests.ts';
import { readUpTo } from '../../time/alignment.ts';
import type { InputEnds } from '../../time/input-ends.ts';
import { lateTogether } from '../../time/late.ts';
import { type InputPart, offsetsIn } from '../failure/isolate.ts';
import type { Rescaled } from '../scale/scale.ts';

/**
 * One try at an epoch, from its plan until it is committed or dropped. Lives in the coordinator's memory only. A value: what
 * becomes of it is another one.
 */
export interface Attempt {
  readonly epoch: number;
  readonly decisionId: string;
  readonly planned: Moment;
  /** Fixed when it was planned: the attempts before it and behind it may have other numbers. */
  readonly parallelism: Parallelism;
  /** Where every source partition stood before this epoch, also those that had nothing new. */
  readonly from: SourceOffsets;
  /** Of the topics that it reads. */
  readonly topicIds?: TopicIds | undefined;
  /** Input by source stage, then subtask (the index). */
  readonly ranges: Readonly<Record<string, readonly (readonly SourceRange[])[]>>;
  readonly maxBytes: number;
  /** In a job that uses time. */
  readonly time?: AttemptTime | undefined;
  /** Was it planned because of a time that had come? @default false */
  readonly isForTime?: boolean;
  /** Was there more to read when it was planned than its ranges have? @default false */
  readonly isCut?: boolean;
  /** A record that goes to the dead-letter topic in place of being processed, and the source stage that reads it. */
  readonly condemned?: { readonly source: string; readonly record: CondemnedRecord } | undefined;
  /** Stages that it has other numbers of subtasks of than the epoch before. @default none */
  readonly rescaled?: readonly Rescaled[];
  /**
   * Attempts at this epoch before it, which were so wide, may have left transactions open: every sink subtask that they had is asked, also
   * one without output. @default there was none
   */
  readonly endsLeftovers?: Parallelism | undefined;
  readonly phase: Phase;
  readonly stages: ReadonlyMap<string, StageProgress>;
  /** By source stage, then subtask; undefined for a subtask that had nothing to read. */
  readonly sources: ReadonlyMap<string, readonly (SourceDone | undefined)[]>;
  /** By operator stage, then subtask. */
  readonly operators: ReadonlyMap<string, readonly OperatorDone[]>;
  readonly committables: readonly Committable[];
  /** By `elapsedMs`. */
  readonly sinkStartedMs: number | undefined;
  /** Did its decision move the job on in any partition? */
  readonly moved: boolean;
  /** When each stage began, by `elapsedMs`. */
  readonly stageBeganMs: ReadonlyMap<string, number>;
  /** How long each stage took that has finished, in milliseconds. */
  readonly stageMs: ReadonlyMap<string, number>;
  /** How long its decision took, in milliseconds. */
  readonly decisionMs: number;
}

/** The time of an attempt: every try of its stages sees the same. */
export interface AttemptTime {
  readonly processingMs: number;
  /** By source stage, how far its partitions are read at most: their watermarks. */
  readonly upToMs: Readonly<Record<string, number>>;
  /** Of all the input that there was when it was planned. */
  readonly ends: InputEnds;
}

/** That of the attempt which begins at this position; undefined: the job does not use time. `ends`: of all the input that there is. */
export function timeOfAttempt({ time }: Position, plan: PhysicalPlan, wallMs: number, ends: InputEnds): AttemptTime | undefined {
  if (!usesTime(plan)) return undefined;
  const upToMs = plan.stages.flatMap((stage) => {
    const limit = stage.kind === 'source' ? readUpTo(stage, time, plan) : undefined;
    return limit === undefined ? [] : [[stage.id, limit] as const];
  });
  return { processingMs: Math.max(time?.processingMs ?? 0, Math.floor(wallMs)), upToMs: byName(upToMs), ends };
}

/** `working`: not decided; it can still be dropped. From `decided` on there is no way back. */
export type Phase = 'working' | 'deciding' | 'decided' | 'committing';

export type StageProgress = 'waiting' | 'running' | 'done';

/** What a stage of an attempt did, by its subtasks. */
export type StageWork =
  | { readonly kind: 'source'; readonly subtasks: readonly (SourceDone | undefined)[] }
  | { readonly kind: 'operator'; readonly subtasks: readonly OperatorDone[] }
  | { readonly kind: 'sink'; readonly prepared: readonly Committable[] };

/** How a stage of an attempt ended. What of it was prepared must be ended if the attempt is not decided. */
export type StageOutcome =
  | { readonly outcome: 'done'; readonly work: StageWork }
  | { readonly outcome: 'failed'; readonly why: StageFailed | StageStale; readonly prepared: Attempt['committables'] };

/** A newly planned attempt: every stage waits. */
export function newAttempt(
  plan: Pick<
    Attempt,
    | 'epoch'
    | 'decisionId'
    | 'planned'
    | 'parallelism'
    | 'from'
    | 'topicIds'
    | 'ranges'
    | 'maxBytes'
    | 'time'
    | 'isForTime'
    | 'isCut'
    | 'condemned'
    | 'endsLeftovers'
  >,
  stages: readonly Stage[],
): Attempt {
  return {
    ...plan,
    phase: 'working',
    stages: new Map(stages.map(({ id }) => [id, 'waiting'])),
    sources: new Map(),
    operators: new Map(),
    committables: [],
    sinkStartedMs: undefined,
    moved: false,
    stageBeganMs: new Map(),
    stageMs: new Map(),
    decisionMs: 0,
  };
}

/** With a stage that has begun. */
export function withBegun(attempt: Attempt, { id, kind }: Pick<Stage, 'id' | 'kind'>, elapsedMs: number): Attempt {
  const sinkStartedMs = kind === 'sink' ? (attempt.sinkStartedMs ?? elapsedMs) : attempt.sinkStartedMs;
  const stageBeganMs = withEntry(attempt.stageBeganMs, id, elapsedMs);
  return { ...attempt, stages: withEntry(attempt.stages, id, 'running'), stageBeganMs, sinkStartedMs };
}

/** With a stage that has finished after `ms`. */
export function withDone(attempt: Attempt, stage: string, work: StageWork, ms: number): Attempt {
  const after = { ...attempt, stages: withEntry(attempt.stages, stage, 'done'), stageMs: withEntry(attempt.stageMs, stage, ms) };
  switch (work.kind) {
    case 'source':
      return { ...after, sources: withEntry(attempt.sources, stage, work.subtasks) };
    case 'operator':
      return { ...after, operators: withEntry(attempt.operators, stage, work.subtasks) };
    case 'sink':
      return { ...after, committables: [...attempt.committables, ...work.prepared] };
  }
}

function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map([...map, [key, value]]);
}

/** Did its sources stop before the end of what there was to read when it was planned? */
export function backlogLeft(attempt: Attempt): boolean {
  if (attempt.isCut === true) return true;
  return Object.entries(attempt.ranges).some(([stage, subtasks]) =>
    subtasks.some((ranges, subtask) => {
      const reached = attempt.sources.get(stage)?.[subtask]?.reached ?? [];
      return ranges.some(({ bound }, index) => (reached[index]?.next ?? bound) < bound);
    }),
  );
}

export function bytesRead(attempt: Attempt): number {
  return [...attempt.sources.values()].flat().reduce((sum, done) => sum + (done?.bytesIn ?? 0), 0);
}

/**
 * The input in which an attempt failed: what its sources had read. A source that failed itself says at which record; what
 * else it had read nobody knows.
 */
export function inputOf(attempt: Attempt, stage: string, fault: RecordFault | undefined): InputPart[] {
  const read = inputRead(attempt);
  const own = (ofName(attempt.ranges, stage) ?? []).flat().map((range): InputPart => ({ stage, ...range }));
  if (own.length === 0) return read;
  const record = fault?.record;
  const failing = own.find(({ topic, partition }) => topic === record?.topic && partition === record.partition);
  return failing === undefined || record === undefined ? [...read, ...own] : [{ ...failing, bound: record.offset + 1 }];
}

/** From where to where its sources read, of those that have finished. */
export function inputRead({ ranges, sources }: Pick<Attempt, 'ranges' | 'sources'>): InputPart[] {
  return Object.entries(ranges).flatMap(([stage, subtasks]) =>
    subtasks.flatMap((own, subtask) =>
      own.flatMap((range, index): InputPart[] => {
        const next = sources.get(stage)?.[subtask]?.reached[index]?.next;
        return next === undefined || next <= range.from ? [] : [{ stage, ...range, bound: next }];
      }),
    ),
  );
}

/** Offsets that it had read when it failed; where no source had finished, those that it was to read. */
export function offsetsTried(attempt: Attempt): number {
  return offsetsIn(inputRead(attempt)) || offsetsIn(Object.values(attempt.ranges).flat(2));
}

/** What the subtasks of a stage wrote, undefined for one that had nothing to do. */
export function writtenBy(
  { sources, operators }: Pick<Attempt, 'sources' | 'operators'>,
  stage: string,
): readonly (StageWritten | undefined)[] {
  return operators.get(stage) ?? sources.get(stage) ?? [];
}

/** What was late in those of its operator stages that have finished. */
export function lateIn({ operators }: Pick<Attempt, 'operators'>): LateByOperator | undefined {
  return lateTogether([...operators.values()].flat().map(({ late }) => late));
}

/** Records that its sources read, that were left out of them, and that were staged for its sinks. */
export function countsOf(
  attempt: Pick<Attempt, 'sources' | 'operators'>,
  { edges }: Pick<PhysicalPlan, 'edges'>,
): { recordsIn: number; recordsOut: number; deadLetters: number } {
  const recordsOn = (those: readonly Edge[]) => those.reduce((sum, edge) => sum + recordsOnEdge(attempt, edge), 0);
  return {
    recordsIn: [...attempt.sources.values()].flat().reduce((sum, done) => sum + (done?.recordsIn ?? 0), 0),
    deadLetters: recordsOn(edges.filter(isOfErrors)),
    recordsOut: recordsOn(edges.filter((edge) => edge.how === 'sink' && !isOfErrors(edge))),
  };
}

/** Records that its stages wrote to an edge of the plan. */
export function recordsOnEdge(attempt: Pick<Attempt, 'sources' | 'operators'>, { id, from }: Pick<Edge, 'id' | 'from'>): number {
  return writtenBy(attempt, from).reduce((sum, written) => sum + (ofName(written?.edges, id)?.records ?? 0), 0);
}
