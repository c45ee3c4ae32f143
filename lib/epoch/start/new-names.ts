import { byName, ofName } from '../../config/by-name.ts';
import { formerUids } from '../../graph/fingerprint.ts';
import { broadcastStateName } from '../../graph/job.ts';
import type { OperatorStage, PhysicalPlan } from '../../plan/plan.ts';
import { sourcesTo } from '../../plan/time.ts';
import type { Time } from '../../protocol/event-time.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { JobSettings } from '../coordinator/context.ts';

/**
 * An epoch as the job that goes on from it has it. `before`: the fingerprint that is kept with it, of the job that ran it or of a later one, which
 * may have given other names without having decided anything: what was kept under a name of before is what that one says, whose name another may
 * have by now. The same object when there is nothing to do.
 */
export function asThisJobHasIt<M extends Manifest>(
  manifest: M,
  before: string,
  { fingerprint, plan }: Pick<JobSettings, 'fingerprint' | 'plan'>,
): M {
  return withStageTimes(underNewNames(underNewNames(manifest, { fingerprint: before }), { fingerprint }), plan);
}

/**
 * An epoch as this job names what it has: what was kept under a uid that a source or an operator had formerly is kept under the one that it
 * has now. The same object when all has its name. What it is, the epoch itself says, not the row of its job: an epoch may be older than that.
 */
export function underNewNames<M extends Manifest>(manifest: M, { fingerprint }: Pick<JobSettings, 'fingerprint'>): M {
  const names = newNames(manifest, formerUids(fingerprint));
  if (names.size === 0) return manifest;
  // What is there under a name that something else has now was of an operator that has gone.
  const taken = new Set(names.values());
  const named = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    byName(
      Object.entries(of).flatMap(([name, value]): [string, T][] => {
        const now = names.get(name);
        return now === undefined && taken.has(name) ? [] : [[now ?? name, value]];
      }),
    );
  const { offsets, topicIds, state, time, parallelism } = manifest;
  return {
    ...manifest,
    offsets: named(offsets),
    ...(topicIds !== undefined && { topicIds: named(topicIds) }),
    state: named(state),
    ...(parallelism !== undefined && { parallelism: named(parallelism) }),
    ...(time !== undefined && {
      time: {
        ...time,
        sources: named(time.sources),
        stages: named(time.stages),
        ...(time.late !== undefined && { late: named(time.late) }),
      },
    }),
  };
}

/**
 * By the name under which something is kept, that of now. A name of now under which there is something already is nobody's new name. Offsets and state
 * say first what that is: a stage that has gone, or whose operator was left behind, has a watermark and a number of subtasks under its name still.
 */
function newNames(
  { offsets, state, time, parallelism }: Manifest,
  formerly: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const isIn = (uid: string, all: readonly (Readonly<Record<string, unknown>> | undefined)[]) =>
    all.some((kept) => ofName<unknown>(kept, uid) !== undefined);
  const isKept = (uid: string) => isIn(uid, [offsets, state]) || isIn(broadcastStateName(uid), [state]);
  // An operator without state has these where it is the first of its stage.
  const isStage = (uid: string) => isIn(uid, [time?.stages, parallelism]);
  const formerOf = (uid: string, names: readonly string[]) => {
    if (isKept(uid)) return undefined;
    return names.find(isKept) ?? (isStage(uid) ? undefined : names.find(isStage));
  };
  return new Map(
    [...formerly].flatMap(([uid, names]) => {
      const former = formerOf(uid, names);
      return former === undefined ? [] : [[former, uid] as const, [broadcastStateName(former), broadcastStateName(uid)] as const];
    }),
  );
}

/**
 * A stage has the uid of its first operator, and is called otherwise when another one comes before that, or when that one goes: no watermark goes
 * back for it. What was late stays so, and windows that are over do not begin again. Of stages that there are no more nothing is kept: one that is
 * called so again later would begin where that was.
 */
export function withStageTimes<M extends Manifest>(manifest: M, plan: Pick<PhysicalPlan, 'stages' | 'edges'>): M {
  const { time, state } = manifest;
  if (time === undefined) return manifest;
  const stages = plan.stages.filter((stage) => stage.kind === 'operator');
  const ids = new Set(stages.map(({ id }) => id));
  const known = Object.entries(time.stages).filter(([id]) => ids.has(id));
  const missing = stages.flatMap((stage): [string, number][] => {
    if (ofName(time.stages, stage.id) !== undefined) return [];
    // What keeps nothing begins anew, and so does what a start was told to leave behind.
    if (stage.operators.every((uid) => ofName(state, uid) === undefined)) return [];
    const watermark = watermarkOf(stage, time, plan);
    return watermark === undefined ? [] : [[stage.id, watermark]];
  });
  if (missing.length === 0 && known.length === Object.keys(time.stages).length) return manifest;
  return { ...manifest, time: { ...time, stages: byName([...known, ...missing]) } };
}

/**
 * That of a stage which one of its operators was the first of. Else its first operator has gone, and it was one of the stages of which no operator is
 * left that they had their name from: as far as each of them was, and as each of its sources is, as if none had ever been idle.
 */
function watermarkOf(stage: OperatorStage, { stages, sources }: Time, plan: Pick<PhysicalPlan, 'stages' | 'edges'>): number | undefined {
  const own = stage.operators.flatMap((uid) => ofName(stages, uid) ?? []);
  if (own.length > 0) return Math.max(...own);
  const left = new Set(plan.stages.flatMap((each) => (each.kind === 'operator' ? each.operators : [])));
  const gone = Object.entries(stages).flatMap(([id, watermark]) => (left.has(id) ? [] : watermark));
  const leading = sourcesTo(plan, stage.id).map(({ id }) => ofName(sources, id)?.watermarkMs);
  const least = [gone, leading].flatMap((of) => (of.length === 0 || of.includes(undefined) ? [] : Math.min(...of.map((ms) => ms ?? 0))));
  return least.length === 0 ? undefined : Math.max(...least);
}
