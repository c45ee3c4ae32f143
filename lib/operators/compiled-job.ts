import type { JobDefinition } from '../graph/job.ts';
import type { PhysicalPlan } from '../plan/plan.ts';

/** A job and its plan, compiled from it. */
export interface CompiledJob {
  readonly job: JobDefinition;
  readonly plan: PhysicalPlan;
}
