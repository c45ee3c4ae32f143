import { pauseBeforeRetry } from '../../ports/pause.ts';
import { sinksOf } from '../../protocol/pool.ts';
import type { PreparedCoordination } from '../../sinks/connector.ts';
import { type CommitSettings, connectorNamed, JobFailedError, LeftToNextError } from '../coordinator/context.ts';
import { checkHeld, type Held } from '../lease/held.ts';
import { placesInUse } from './run-sinks.ts';

/** What cannot be settled in this time is said aloud before it is tried again. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_PAUSE_MS = 1_000;

type HeldPool = Held<Pick<CommitSettings, 'job' | 'plan'>>;

/**
 * Ends whatever connectors may have left open; only after the commits. Goes on until it is done: what nobody knows of any more
 * would hold up readers for long. Returns how much there was that could have been open. `once`: what cannot be done now is left to
 * the caller's next try.
 * The caller has just seen that it holds the job. Throws `JobFailedError` when a person has to act, `LeftToNextError` when it is left to the next coordinator, and `SupersededError`.
 */
export async function settlePool(held: HeldPool, { once = false } = {}): Promise<number> {
  const connectors = Object.keys(held.tenure.pool).map((name) => connectorNamed(held.deps, name));
  const ends = await Promise.all(
    connectors.map((connector) => (connector.how === 'prepared' ? settleOne(held, connector, once) : Promise.resolve(0))),
  );
  return ends.reduce((sum, count) => sum + count, 0);
}

async function settleOne(held: HeldPool, connector: PreparedCoordination, once: boolean): Promise<number> {
  const { deps, settings, tenure, signal } = held;
  const { clock, random, observe } = deps;
  const scope = {
    ...{ job: settings.job, incarnation: tenure.incarnation, sinks: sinksOf(tenure.pool, connector.connector) },
    inUse: placesInUse(deps, settings, connector.connector),
  };
  let refusedSinceMs: number | undefined;
  for (;;) {
    const settled = await connector.settle({ clock, random, deadlineMs: clock.elapsedMs() + SETTLE_TIMEOUT_MS }, scope, observe);
    if (settled.outcome === 'settled') return settled.ends;
    refusedSinceMs = settled.retriable ? undefined : (refusedSinceMs ?? clock.elapsedMs());
    if (refusedSinceMs !== undefined && clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0))
      throw new JobFailedError(settled.message);
    if (signal.aborted) throw new LeftToNextError(settled.message);
    observe({ event: 'warning', message: settled.message });
    if (once && settled.retriable) throw new LeftToNextError(settled.message);
    await pauseBeforeRetry(deps, SETTLE_PAUSE_MS, signal);
    // Whoever holds the job by now has something open there: ending it would cost it an epoch each time.
    await checkHeld(held);
  }
}
