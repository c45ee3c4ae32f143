import type { PhysicalPlan, SourceStage } from './plan.ts';
import { edgesTo } from './plan.ts';

/** Is the time of epochs part of the job's manifests? */
export function usesTime({ stages }: Pick<PhysicalPlan, 'stages'>): boolean {
  return stages.some(
    (stage) => (stage.kind === 'source' && stage.eventTime !== undefined) || (stage.kind === 'operator' && stage.usesTime),
  );
}

/**
 * The sources that lead to a stage, in the plan's order. Not those of what is broadcast to it: that is known from the epoch on in which it
 * comes, whatever its time, and holds no time back.
 */
export function sourcesTo(plan: Pick<PhysicalPlan, 'stages' | 'edges'>, stage: string): readonly SourceStage[] {
  const met = new Set<string>();
  const meet = (id: string): void => {
    if (met.has(id)) return;
    met.add(id);
    for (const { from, how } of edgesTo(plan, id)) if (how !== 'broadcast') meet(from);
  };
  meet(stage);
  return plan.stages.filter((each) => each.kind === 'source').filter(({ id }) => met.has(id));
}
