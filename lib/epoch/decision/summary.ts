import { byName } from '../../config/by-name.ts';
import type { PhysicalPlan } from '../../plan/plan.ts';
import type { EpochSummary } from '../../ports/epoch-store.ts';
import { type Attempt, countsOf, recordsOnEdge } from '../attempt/attempt.ts';
import type { Trouble } from '../failure/after-failure.ts';

/** What the loop knows besides. */
interface Around {
  readonly trouble: Pick<Trouble, 'failures' | 'failed'>;
  readonly committed: { readonly epoch: number; readonly decisionMs: number; readonly commitMs: number } | undefined;
}

/** What is said of an epoch that is about to be decided, beside its manifest. */
export function summaryOf(
  attempt: Attempt,
  { trouble, committed }: Around,
  plan: Pick<PhysicalPlan, 'stages' | 'edges'>,
): Omit<EpochSummary, 'decidedAtMs'> {
  const { epoch, planned, stageBeganMs, stageMs, rescaled } = attempt;
  const { recordsIn, recordsOut } = countsOf(attempt, plan);
  const stages = [...stageMs].map(([stage, ms]) => {
    const afterMs = (stageBeganMs.get(stage) ?? planned.elapsedMs) - planned.elapsedMs;
    return [stage, { afterMs: Math.max(0, afterMs), ms }] as const;
  });
  const failed = trouble.failed.filter((each) => each.epoch === epoch);
  // An epoch of before this coordinator has no such time.
  const { decisionMs, commitMs } = committed?.epoch === epoch - 1 ? committed : {};
  return {
    plannedAtMs: planned.wallMs,
    attempts: trouble.failures.inARow + 1,
    recordsIn,
    recordsOut,
    stages: byName(stages),
    edges: byName(plan.edges.map((edge) => [edge.id, recordsOnEdge(attempt, edge)] as const)),
    ...(decisionMs !== undefined && commitMs !== undefined && { before: { decisionMs, commitMs } }),
    ...(failed.length > 0 && { failed }),
    ...(rescaled !== undefined && { rescaled }),
  };
}
