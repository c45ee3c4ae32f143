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

/** An attempt that is older than that takes long. */
const LONG_MS = 3_000;

/**
 * Names what is under way and worth a write: the oldest attempt that takes long, in its phase, or else the newest failure. It is the same name for as
 * long as that is so. Undefined: nothing is, as of each epoch of a job that is well.
 */
export function newsOf({ inFlight, trouble }: Pick<LoopState, 'inFlight' | 'trouble'>, nowMs: number): string | undefined {
  const long = inFlight.find(({ planned }) => nowMs - planned.elapsedMs >= LONG_MS);
  if (long !== undefined) return `${long.decisionId} ${long.phase}`;
  const failed = trouble.failed.at(-1);
  return failed && `failed ${failed.atMs}`;
}

function stagesOf({ planned, stageBeganMs, stageMs }: Attempt): UnderWay['attempts'][number]['stages'] {
  return byName(
    [...stageBeganMs].map(([stage, beganMs]) => {
      const ms = stageMs.get(stage);
      return [stage, { afterMs: Math.max(0, beganMs - planned.elapsedMs), ...(ms !== undefined && { ms }) }] as const;
    }),
  );
}
