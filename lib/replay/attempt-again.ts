import { byName, ofName } from '../config/by-name.ts';
import { rangeOfStage, type Subtasks, subtasksOf } from '../config/subtasks.ts';
import { type Attempt, newAttempt } from '../epoch/attempt/attempt.ts';
import { planRanges } from '../epoch/planning/plan.ts';
import type { PhysicalPlan, SourceStage, Stage } from '../plan/plan.ts';
import { usesTime } from '../plan/time.ts';
import type { Manifest, Position, SourceOffsets } from '../protocol/manifest.ts';
import type { Parallelism } from '../protocol/parallelism.ts';
import type { CondemnedRecord } from '../protocol/requests.ts';
import type { InputEnds } from '../time/input-ends.ts';

/** An epoch that was decided, and what else is known of it. */
export interface DecidedEpoch {
  readonly manifest: Manifest;
  readonly plannedAtMs: number;
}

/** How an epoch is run again. */
export interface Again {
  readonly plan: PhysicalPlan;
  readonly parallelism: Parallelism;
  /** The record that was left out of it, and the source stage that reads it. */
  readonly condemned?: { readonly source: string; readonly record: CondemnedRecord } | undefined;
}

/**
 * The attempt at a decided epoch, once more: the same input, which is what lies between the offsets of its parent's manifest and of its own,
 * and the same time, from `before` on. Nobody decides it.
 */
export function attemptAgain(
  { manifest, plannedAtMs }: DecidedEpoch,
  before: Position,
  parent: Pick<Position, 'offsets'>,
  again: Again,
): Attempt {
  const { plan, parallelism, condemned } = again;
  const sources = plan.stages.filter((stage) => stage.kind === 'source');
  const ends = sources.map((stage) => {
    const to = ofName(ofName(manifest.offsets, stage.id), stage.topic) ?? [];
    return { stage, from: beginsOf(stage, parent.offsets, to), starts: [], ends: to };
  });
  const planned = planRanges(ends, { parallelism: (stage) => subtasksOf(parallelism, stage), onDataLoss: 'stop', overdue: true });
  const ranges = planned.outcome === 'planned' ? planned.ranges : {};
  const from = byName(ends.map(({ stage: { id, topic }, from: begins }) => [id, byName([[topic, begins] as const])] as const));
  return newAttempt(
    {
      epoch: manifest.epoch,
      decisionId: manifest.decisionId,
      planned: { wallMs: plannedAtMs, elapsedMs: 0 },
      parallelism,
      from: { ...before.offsets, ...from },
      topicIds: manifest.topicIds ?? {},
      ranges: byName(sources.map(({ id }) => [id, ofName(ranges, id) ?? []] as const)),
      maxBytes: Number.MAX_SAFE_INTEGER,
      time: usesTime(plan) ? timeOf({ manifest, plannedAtMs }, before) : undefined,
      condemned,
    },
    plan.stages,
  );
}

/** A partition that came in this epoch is read from its first offset; a source that came in it only got its starting offsets. */
function beginsOf({ id, topic }: SourceStage, before: SourceOffsets, to: readonly number[]): number[] {
  const known = ofName(ofName(before, id), topic);
  return to.map((end, partition) => (known === undefined ? end : (known[partition] ?? 0)));
}

/** Its ranges end where it ended, so nothing holds a source back besides. */
function timeOf({ manifest, plannedAtMs }: DecidedEpoch, before: Position): NonNullable<Attempt['time']> {
  const processingMs = manifest.time?.processingMs ?? plannedAtMs;
  return { processingMs: Math.max(before.time?.processingMs ?? 0, processingMs), upToMs: {}, ends: endsOf(manifest) };
}

/**
 * Which partitions had more to read when it was planned is not in a manifest, but what follows from it: such a one counts as active in
 * the epoch. So does one that brought records, and of that it makes no difference.
 */
function endsOf({ time }: Pick<Position, 'time'>): InputEnds {
  const active = Object.entries(time?.sources ?? {}).map(([source, { partitions }]) => {
    const isActive = Object.values(partitions).flatMap((own) =>
      own.flatMap(({ activeMs }, partition) => (activeMs === time?.processingMs ? [[partition, Number.MAX_SAFE_INTEGER] as const] : [])),
    );
    return [source, new Map(isActive)] as const;
  });
  return new Map(active);
}

/**
 * How many subtasks each stage had in the epoch. Manifests of earlier builds show it of operators and sinks alone: then, and of a stage that
 * was not there, it is what is configured, of a range the least.
 */
export function parallelismIn(
  manifest: Pick<Manifest, 'state' | 'outputs' | 'parallelism'>,
  { stages }: Pick<PhysicalPlan, 'stages'>,
  configured: Readonly<Record<string, Subtasks>>,
): Parallelism {
  const { state, outputs, parallelism } = manifest;
  return byName(
    stages.map((stage) => {
      const said = ofName(parallelism, stage.id);
      return [stage.id, said ?? (subtasksShown(stage, { state, outputs }) || rangeOfStage(configured, stage.id).least)] as const;
    }),
  );
}

function subtasksShown(stage: Stage, { state, outputs }: Pick<Manifest, 'state' | 'outputs'>): number | undefined {
  switch (stage.kind) {
    case 'source':
      return undefined;
    case 'operator':
      return snapshotsIn(state, stage.operators);
    case 'sink':
      return ofName(outputs, stage.id)?.length;
    default:
      return stage satisfies never;
  }
}

function snapshotsIn(state: Position['state'], operators: readonly string[]): number | undefined {
  const counts = operators.map((uid) => ofName(state, uid)?.length ?? 0);
  return Math.max(0, ...counts) || undefined;
}
