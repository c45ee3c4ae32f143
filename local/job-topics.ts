import { clusterOf } from '../lib/config/clusters.ts';
import type { PhysicalPlan, Stage } from '../lib/plan/plan.ts';
import { topicsOfSink } from '../lib/sinks/kinds.ts';

/** Topics of the cluster without a name that a job's sources read and its sinks write. @param kind of these alone */
export function topicsOf({ stages }: Pick<PhysicalPlan, 'stages'>, kind?: Stage['kind']): string[] {
  const all = stages.filter((stage) => kind === undefined || stage.kind === kind).flatMap(topicsOfStage);
  return all.filter((topic) => clusterOf(topic) === '');
}

function topicsOfStage(stage: Stage): string[] {
  switch (stage.kind) {
    case 'source':
      return [stage.topic];
    case 'sink':
      return [...topicsOfSink(stage.to)];
    case 'operator':
      return [];
  }
}
