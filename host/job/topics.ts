import type { PhysicalPlan } from '../../lib/plan/plan.ts';
import { topicsOfSink } from '../../lib/sinks/kinds.ts';

type Stages = Pick<PhysicalPlan, 'stages'>;

/** The topics that a job reads, as lib/config/clusters.ts calls them, in the order of its stages. */
export function topicsRead({ stages }: Stages): readonly string[] {
  return stages.flatMap((stage) => (stage.kind === 'source' ? [stage.topic] : []));
}

/** The topics that it writes to: those of dead letters are among them. */
export function topicsWritten({ stages }: Stages): readonly string[] {
  return stages.flatMap((stage) => (stage.kind === 'sink' ? topicsOfSink(stage.to) : []));
}
