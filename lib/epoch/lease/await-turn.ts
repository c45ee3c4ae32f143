import type { JobRow } from '../../ports/epoch-store.ts';
import { type CoordinatorDeps, type JobSettings, LeftToNextError } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { reviveOrWait, type Standby } from '../start/revival.ts';

export type Turn = { readonly turn: 'mine' } | { readonly turn: 'not-needed'; readonly message: string };

/** How long a successor needs at most to notice that the lease was given up. */
const LOOK_EVERY_MS = 500;
/** The next tick is there by then, and waits in its turn. */
const STAND_BY_MS = 65_000;

/**
 * What a tick does before it takes the lease: looks whether the job needs a coordinator, or will before the next tick, and
 * then waits for it. `patienceMs` bounds the wait: the time that is left to this function.
 */
export async function awaitTurn(
  deps: Pick<CoordinatorDeps, 'epochs' | 'clock' | 'random' | 'observe'>,
  settings: Pick<JobSettings, 'job' | 'leaseMs' | 'deadHolders'> & { readonly standby: Standby },
  patienceMs: number,
  signal: AbortSignal,
): Promise<Turn> {
  const { clock, observe } = deps;
  const beganMs = clock.elapsedMs();
  const untilMs = beganMs + (settings.standby === 'keep' ? Math.min(STAND_BY_MS, patienceMs) : patienceMs);
  let said = false;
  for (;;) {
    const row = await readUnlessTold(deps, settings.job, signal);
    if (row === 'told-to-end') return { turn: 'not-needed', message: 'this start was told to end while it waited: the next tick goes on' };
    const step = reviveOrWait(row, clock.now(), settings.leaseMs, settings.standby, settings.deadHolders);
    if (step.outcome === 'starts') return { turn: 'mine' };
    if (step.outcome === 'leaves') {
      if (row?.desired === 'running' && row.failure !== undefined) observe({ event: 'still-failed', message: step.message });
      else observe({ event: 'left-alone', message: step.message });
      return { turn: 'not-needed', message: step.message };
    }
    if (clock.elapsedMs() + LOOK_EVERY_MS >= untilMs)
      return { turn: 'not-needed', message: `${step.message}; waited ${clock.elapsedMs() - beganMs} ms, the next tick goes on` };
    if (!said) observe({ event: 'stands-by', message: step.message });
    said = true;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function readUnlessTold(
  deps: Pick<CoordinatorDeps, 'epochs' | 'clock' | 'random' | 'observe'>,
  job: string,
  signal: AbortSignal,
): Promise<JobRow | undefined | 'told-to-end'> {
  if (signal.aborted) return 'told-to-end';
  try {
    return await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(job), signal);
  } catch (error) {
    if (error instanceof LeftToNextError) return 'told-to-end';
    throw error;
  }
}
