import { reviveOrWait, type Standby } from '../revival.ts';
import type { CoordinatorDeps, JobSettings } from './context.ts';
import { untilAnswered } from './store-retry.ts';

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
  deps: Pick<CoordinatorDeps, 'epochs' | 'clock' | 'observe'>,
  settings: Pick<JobSettings, 'job' | 'leaseMs'> & { readonly standby: Standby },
  patienceMs: number,
  signal: AbortSignal,
): Promise<Turn> {
  const { clock, observe } = deps;
  const beganMs = clock.now();
  const untilMs = beganMs + (settings.standby === 'keep' ? Math.min(STAND_BY_MS, patienceMs) : patienceMs);
  let said = false;
  for (;;) {
    const row = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(settings.job), signal);
    const step = reviveOrWait(row, clock.now(), settings.leaseMs, settings.standby);
    if (step.outcome === 'starts') return { turn: 'mine' };
    if (step.outcome === 'leaves') return { turn: 'not-needed', message: step.message };
    if (clock.now() + LOOK_EVERY_MS >= untilMs)
      return { turn: 'not-needed', message: `${step.message}; waited ${clock.now() - beganMs} ms, the next tick goes on` };
    if (!said) observe({ event: 'stands-by', message: step.message });
    said = true;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
