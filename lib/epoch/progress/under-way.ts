import { byName } from '../../config/by-name.ts';
import type { Moment } from '../../ports/age.ts';
import type { UnderWay } from '../../ports/epoch-store.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { LoopState } from '../loop/state.ts';

/** What a loop works on, and what of it has failed since an epoch was decided. Undefined: nothing, and nothing has. */
export function underWayOf(
  { inFlight, tenure, trouble }: Pick<LoopState, 'inFlight' | 'tenure' | 'trouble'>,
  now: Moment,
): UnderWay | undefined {
  if (inFlight.length === 0 && trouble.failed.length === 0) return undefined;
  return {
    generation: tenure.generation,
    atMs: now.wallMs,
    attempts: inFlight.map((attempt) => {
      const { epoch, planned, phase } = attempt;
      const before = epoch === trouble.epoch ? trouble.failures.inARow : 0;
      return { epoch, attempt: before + 1, plannedAtMs: planned.wallMs, phase, stages: stagesOf(attempt) };
    }),
    failed: trouble.failed,
  };
}

function stagesOf({ planned, stageBeganMs, stageMs }: Attempt): UnderWay['attempts'][number]['stages'] {
  return byName(
    [...stageBeganMs].map(([stage, beganMs]) => {
      const ms = stageMs.get(stage);
      return [stage, { afterMs: Math.max(0, beganMs - planned.elapsedMs), ...(ms !== undefined && { ms }) }] as const;
    }),
  );
}
