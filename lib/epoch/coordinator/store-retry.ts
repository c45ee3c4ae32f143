import type { Timing } from '../../ports/clock.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { growingPauses } from '../../ports/pause.ts';
import { StoreProblem } from '../../ports/store-problem.ts';
import type { CoordinatorEvent } from '../progress/events.ts';
import { JobFailedError, LeftToNextError } from './context.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** After this long without success the wait is said aloud, and again each time it doubles. */
const SAY_AFTER_MS = 2_000;

interface RetryDeps extends Timing {
  readonly observe: (event: CoordinatorEvent) => void;
  readonly refusalTimeoutMs?: number;
}

/**
 * Repeats an idempotent read or write of a store or broker until it succeeds: an outage is ridden out, and said aloud.
 * What only a person can mend (a missing table, a refused credential, a missing topic) ends the job with its message, when it has
 * lasted for `refusalTimeoutMs`: rights are changed and clusters restart while a job runs.
 */
export async function untilAnswered<T>(deps: RetryDeps, what: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const startedMs = deps.clock.elapsedMs();
  let sayAtMs = SAY_AFTER_MS;
  let refusedSinceMs: number | undefined;
  const pauses = growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const known = error instanceof KafkaProblem || error instanceof StoreProblem;
      if (!known) throw error;
      refusedSinceMs = error.retriable ? undefined : (refusedSinceMs ?? deps.clock.elapsedMs());
      if (refusedSinceMs !== undefined && deps.clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0))
        throw new JobFailedError(`${what}: ${error.message}`, { cause: error });
      if (signal?.aborted === true)
        throw new LeftToNextError(`${what} is left to the next coordinator: ${error.message}`, { cause: error });
      const waitedMs = deps.clock.elapsedMs() - startedMs;
      if (waitedMs >= sayAtMs) {
        deps.observe({ event: 'waiting', what: `${what}: ${error.message}`, forMs: waitedMs });
        sayAtMs = waitedMs * 2;
      }
      await pauses.wait(signal);
    }
  }
}
