import type { PhysicalPlan, Stage } from '../lib/plan/plan.ts';

/** Topics that a job's sources read and its sinks write. @param kind of these alone */
export function topicsOf({ stages }: Pick<PhysicalPlan, 'stages'>, kind?: Stage['kind']): string[] {
  return stages.filter((stage) => kind === undefined || stage.kind === kind).flatMap(topicsOfStage);
}

function topicsOfStage(stage: Stage): string[] {
  switch (stage.kind) {
    case 'source':
      return [stage.topic];
    case 'sink':
      return stage.to.kind === 'kafka' ? [...stage.to.topics] : [];
    case 'operator':
      return [];
  }
}
