import { byName, ofName } from '../../config/by-name.ts';
import { rangeOfStage, type Subtasks, subtasksOf, within } from '../../config/subtasks.ts';
import type { PhysicalPlan, Stage } from '../../plan/plan.ts';
import type { JobRow, Rescale, StageScale } from '../../ports/epoch-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';
import {
  afterTooFew,
  afterTooMany,
  type EpochLoad,
  forgetArrivals,
  NO_MEMORY,
  type PolicyMemory,
  type PolicyRules,
  scaleByItself,
} from './policy.ts';

/** How many subtasks the stages of a job are to have, as its coordinator knows it. A value. */
export interface Scale {
  /** What a person asked for, as the job row says it. */
  readonly asked: Rescale | undefined;
  /** What the next epoch is to have. */
  readonly target: Parallelism;
  /** By stage, why it is to have another number than it has. */
  readonly why: Readonly<Record<string, string>>;
  /** Of sinks, how many subtasks are in the pool: what more than these would leave open nobody would end. */
  readonly pooled: Parallelism;
  /** What is to be said of the epoch that was planned last. */
  readonly stages: StageScales;
  /** What the job row says. */
  readonly recorded: StageScales | undefined;
  /** What the policy remembers. */
  readonly memory: PolicyMemory;
  /** Of the last epoch, by `elapsedMs`. Undefined: none was committed yet. */
  readonly committedAtMs: number | undefined;
  /** What it had. */
  readonly committed: Parallelism | undefined;
}

type StageScales = Readonly<Record<string, StageScale>>;

/** What the configuration says. */
export interface ScaleRules {
  readonly plan: Pick<PhysicalPlan, 'stages'>;
  /** By stage: a number, or the bounds. */
  readonly parallelism: Readonly<Record<string, Subtasks>>;
}

type LastEpoch = Pick<Manifest, 'parallelism' | 'state'>;

/** Where a coordinator begins: what the row of the job says of it, and its last epoch. */
export function firstScale(rules: ScaleRules, last: LastEpoch | undefined, row: Pick<JobRow, 'rescale' | 'scale'>): Scale {
  const { rescale: asked, scale: recorded } = row;
  const target = firstParallelism(rules, last, asked);
  const stages = rules.plan.stages.map(({ id }): [string, StageScale] => {
    const subtasks = subtasksOf(target, id);
    const known = recorded === undefined ? undefined : ofName(recorded, id);
    return [id, { subtasks, ...rangeOfStage(rules.parallelism, id), since: known?.subtasks === subtasks ? known.since : undefined }];
  });
  const nothing = { memory: NO_MEMORY, committedAtMs: undefined, committed: undefined };
  return { asked, target, why: byName(), pooled: target, stages: byName(stages), recorded, ...nothing };
}

/**
 * What a person asked for of a stage is that stage's under the name that it has now: `formerly` are the earlier uids by the uid of now, and a stage has
 * the name of its first operator. Undefined: none of it has another name.
 */
export function askedUnderNewNames(
  asked: Rescale['subtasks'],
  { stages }: ScaleRules['plan'],
  formerly: ReadonlyMap<string, readonly string[]>,
): Rescale['subtasks'] | undefined {
  const ids = new Set(stages.map(({ id }) => id));
  const renamed = [...formerly].flatMap(([uid, names]) => {
    const former = ids.has(uid) ? names.find((name) => !ids.has(name) && ofName(asked, name) !== undefined) : undefined;
    return former === undefined ? [] : [[former, uid] as const];
  });
  if (renamed.length === 0) return undefined;
  const names = new Map(renamed);
  const moved = Object.entries(asked).filter(([name]) => names.has(name));
  // What was asked for under the name of now is later.
  const stayed = Object.entries(asked).filter(([name]) => !names.has(name));
  return byName([...moved.map(([name, subtasks]) => [names.get(name) ?? name, subtasks] as const), ...stayed]);
}

/**
 * A coordinator goes on with what a person asked for, else with what the last epoch had, else with the smaller bound: within the
 * bounds, which may be other ones by now.
 */
function firstParallelism({ plan, parallelism }: ScaleRules, last: LastEpoch | undefined, asked: Rescale | undefined): Parallelism {
  return byName(
    plan.stages.map((stage): [string, number] => {
      const { id } = stage;
      const range = rangeOfStage(parallelism, id);
      const before = ofName(asked?.subtasks, id) ?? ofName(last?.parallelism, id) ?? subtasksInState(stage, last) ?? range.least;
      return [id, within(range, before)];
    }),
  );
}

/** Earlier builds did not say it. */
function subtasksInState(stage: Stage, last: LastEpoch | undefined): number | undefined {
  if (stage.kind !== 'operator' || last === undefined) return undefined;
  const [uid] = stage.operators;
  return uid === undefined ? undefined : ofName(last.state, uid)?.length;
}

/** What the next epoch has: of a sink no more than there are in the pool. */
export function nextParallelism({ target, pooled }: Scale, { stages }: ScaleRules['plan']): Parallelism {
  return byName(
    stages.map(({ kind, id }) => {
      const wanted = subtasksOf(target, id);
      return [id, kind === 'sink' ? Math.min(wanted, subtasksOf(pooled, id)) : wanted] as const;
    }),
  );
}

/** Is a sink to have more subtasks than there are in the pool? */
export function needsPool({ target, pooled }: Scale, { stages }: ScaleRules['plan']): boolean {
  return stages.some(({ kind, id }) => kind === 'sink' && subtasksOf(target, id) > subtasksOf(pooled, id));
}

/** A person has asked for other numbers, or for none any more: what was asked for before is what the stage has, until it takes another. */
export function afterAsked(scale: Scale, asked: Rescale | undefined, { plan, parallelism }: ScaleRules): Scale {
  return plan.stages.reduce<Scale>(
    (before, { id }) => {
      const subtasks = ofName(asked?.subtasks, id);
      if (subtasks === undefined) return before;
      const to = within(rangeOfStage(parallelism, id), subtasks);
      return withTarget(
        before,
        id,
        to,
        to === subtasks ? 'asked for by hand' : `${subtasks} were asked for by hand, and ${to} is the bound`,
      );
    },
    { ...scale, asked },
  );
}

function withTarget(scale: Scale, stage: string, subtasks: number, why: string): Scale {
  if (subtasksOf(scale.target, stage) === subtasks) return scale;
  return { ...scale, target: { ...scale.target, [stage]: subtasks }, why: { ...scale.why, [stage]: why } };
}

/** Its rules besides the bounds: those of the policy. */
export type PolicySettings = ScaleRules &
  Pick<PolicyRules, 'checkpointIntervalMs'> &
  Partial<Pick<PolicyRules, 'scaleUpBacklogMs' | 'scaleDownEpochs'>>;

/** An epoch was committed: what it was may ask for other numbers, of stages of which no person has. */
export function afterCommitted(
  scale: Scale,
  load: Omit<EpochLoad, 'cycleMs'>,
  epochMs: number,
  nowMs: number,
  rules: PolicySettings,
): Scale {
  const { scaleUpBacklogMs = Number.POSITIVE_INFINITY, scaleDownEpochs = 1, checkpointIntervalMs, parallelism } = rules;
  const sinceMs = scale.committedAtMs === undefined ? epochMs : nowMs - scale.committedAtMs;
  const { memory, wanted } = scaleByItself(
    { ...scale.memory, failedWithMore: 0 },
    { ...load, cycleMs: Math.max(Math.min(sinceMs, epochMs), 1) },
    scale.target,
    {
      ...{ stages: rules.plan.stages, parallelism, scaleUpBacklogMs, scaleDownEpochs, checkpointIntervalMs },
      byHand: new Set(Object.keys(scale.asked?.subtasks ?? {})),
    },
  );
  return wanted.reduce<Scale>((before, { stage, subtasks, why }) => withTarget(before, stage, subtasks, why), {
    ...scale,
    memory,
    committedAtMs: nowMs,
    committed: load.parallelism,
  });
}

/** What an attempt failed for: `of-numbers`, it may have been for the numbers of subtasks. */
export type FailedFor = 'ran-out-of-time' | 'of-numbers' | 'another-reason';

/** An attempt failed, with these numbers: nothing of it counts, nor how long it took. */
export function afterFailed(scale: Scale, tried: Parallelism, failed: FailedFor, { plan, parallelism }: ScaleRules): Scale {
  const before = { ...scale, memory: forgetArrivals(scale.memory) };
  if (failed === 'another-reason' || scale.committed === undefined) return before;
  const rules = { stages: plan.stages, parallelism, byHand: new Set(Object.keys(scale.asked?.subtasks ?? {})) };
  const judge = failed === 'ran-out-of-time' ? afterTooFew : afterTooMany;
  const { memory, wanted } = judge(before.memory, tried, scale.committed, rules);
  return wanted.reduce<Scale>((so, { stage, subtasks, why }) => withTarget(so, stage, subtasks, why), { ...before, memory });
}

/** A stage that an epoch has another number of than the one before. */
export interface Rescaled {
  readonly stage: string;
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** An epoch was planned with these numbers. */
export function afterPlanned(
  scale: Scale,
  parallelism: Parallelism,
  epoch: number,
  atMs: number,
): { readonly scale: Scale; readonly changes: readonly Rescaled[] } {
  const changes = Object.entries(scale.stages).flatMap(([stage, { subtasks: from }]): Rescaled[] => {
    const to = subtasksOf(parallelism, stage);
    return from === to ? [] : [{ stage, from, to, why: ofName(scale.why, stage) ?? 'the bounds' }];
  });
  if (changes.length === 0) return { scale, changes };
  const changed = changes.flatMap(({ stage, to, why }): [string, StageScale][] => {
    const known = ofName(scale.stages, stage);
    return known === undefined ? [] : [[stage, { ...known, subtasks: to, since: { epoch, atMs, why } }]];
  });
  return { scale: { ...scale, stages: { ...scale.stages, ...byName(changed) } }, changes };
}

/** Does the job row say it as it is? */
export function isRecorded({ stages, recorded = {} }: Scale): boolean {
  const names = Object.keys(stages);
  return names.length === Object.keys(recorded).length && names.every((stage) => isSame(ofName(stages, stage), ofName(recorded, stage)));
}

function isSame(one: StageScale | undefined, other: StageScale | undefined): boolean {
  const told = (scale: StageScale | undefined) =>
    JSON.stringify([scale?.subtasks, scale?.least, scale?.most, scale?.since?.epoch, scale?.since?.atMs, scale?.since?.why]);
  return told(one) === told(other);
}
