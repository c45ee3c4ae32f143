import { momentOf } from '../../ports/age.ts';
import type { Lease } from '../lease/hold-lease.ts';
import { nextAtMs, whatIsDue } from '../loop/due.ts';
import type { Effect, LoopEvent } from '../loop/events.ts';
import { onEvent } from '../loop/on-event.ts';
import { firstState } from '../loop/state.ts';
import type { Given, Next } from '../loop/turn.ts';
import type { ProgressWatch } from '../progress/progress-watch.ts';
import { newsOf, underWayOf } from '../progress/under-way.ts';
import type { Standing } from '../start/start.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, LeftToNextError } from './context.ts';
import { createEventQueue } from './event-queue.ts';
import { createPerformer } from './perform.ts';

const LONGEST_WAIT_MS = 60_000;

/**
 * Runs epochs: has everything started that is due, waits until something of it ends, takes that in, again. What is due and what an
 * event means is decided in `lib/epoch/loop`, from values alone; here it is done.
 *
 * Returns when it was told to end (`ending`, or by the job row) and everything decided is committed and all that
 * sinks may have left open is settled. Throws `SupersededError`, `JobFailedError` or `LeftToNextError`.
 */
export async function runEpochs(
  deps: CoordinatorDeps,
  settings: JobSettings,
  standing: Standing,
  { lease, progress }: { readonly lease: Lease; readonly progress: ProgressWatch },
  ending: AbortSignal,
): Promise<'ended' | 'stop-requested' | 'idle'> {
  const { clock, random } = deps;
  const queue = createEventQueue<LoopEvent | { readonly of: 'threw'; readonly error: unknown }>();
  const threw = (error: unknown) => queue.push({ of: 'threw', error });
  const performer = createPerformer(deps, settings, standing.tenure, { lease, progress });
  let state = firstState(standing, clock.elapsedMs(), settings);

  lease.says(() => underWayOf(state, momentOf(clock)));

  const given = (): Given => ({ now: momentOf(clock), random });
  const go = (next: Next): void => {
    state = next.state;
    for (const effect of next.effects) start(effect);
  };
  const start = (effect: Effect): void => {
    performer.start(effect, state.tenure)?.then(queue.push, threw);
  };
  const toldToEnd = () => queue.push({ of: 'told-to-end' });
  const superseded = () => threw(lease.lost.reason);
  ending.addEventListener('abort', toldToEnd);
  lease.lost.addEventListener('abort', superseded);
  if (ending.aborted) toldToEnd();
  if (lease.lost.aborted) superseded();
  try {
    for (;;) {
      const now = given();
      go(whatIsDue(state, now, settings));
      progress.keep(state.trouble);
      lease.hasNews(newsOf(state, now.now.elapsedMs));
      const { ending: end } = state;
      if (end.settling === 'done') {
        if (end.failure !== undefined) throw new JobFailedError(end.failure);
        if (end.isAsked) return 'stop-requested';
        return end.isTold || end.hasLeft ? 'ended' : 'idle';
      }
      const lookedAtMs = now.now.elapsedMs;
      const wakeAtMs = [nextAtMs(state, lookedAtMs, settings), progress.dueAtMs(state.trouble)].filter((atMs) => atMs > lookedAtMs);
      const waitMs = Math.max(Math.min(...wakeAtMs, lookedAtMs + LONGEST_WAIT_MS) - clock.elapsedMs(), 0);
      const event = await queue.next(clock, waitMs);
      if (event?.of === 'threw') throw event.error;
      if (event !== undefined) go(onEvent(state, event, given(), settings));
      if (state.ending.leftToNext !== undefined) throw new LeftToNextError(state.ending.leftToNext);
    }
  } finally {
    ending.removeEventListener('abort', toldToEnd);
    lease.lost.removeEventListener('abort', superseded);
    performer.end();
  }
}
