import type { CoordinatorDeps, JobSettings } from '../coordinator/context.ts';
import { type HeldAs, isOwn } from '../lease/held.ts';
import { CONTROL_POLL_MS } from '../loop/chores.ts';
import { COMMIT_GRACE_MS } from '../loop/due.ts';

export interface StopWatch {
  /** Aborted when the job has been asked to stop for as long as one that runs epochs would wait for a broker. */
  readonly lasts: AbortSignal;
  end(): void;
}

/**
 * Looks, while a job starts or recovers and has no loop that does, whether its row asks for a stop that is younger than the start:
 * one more than `afterStops`. Then what cannot be done now is left to whoever comes next: a recovery waits for a broker without end.
 * What cannot be read is looked at again.
 */
export function watchForStop(
  { epochs, clock }: Pick<CoordinatorDeps, 'epochs' | 'clock'>,
  { job }: Pick<JobSettings, 'job'>,
  own: HeldAs,
  afterStops: number,
): StopWatch {
  const lasts = new AbortController();
  const over = new AbortController();
  void (async () => {
    let sinceMs: number | undefined;
    while (!over.signal.aborted) {
      await clock.sleep(CONTROL_POLL_MS, over.signal);
      const row = over.signal.aborted ? undefined : await epochs.readJob(job).catch(() => undefined);
      if (row === undefined) continue;
      const isAsked = isOwn(own, row) && row.desired === 'stopped' && (row.stops ?? 0) > afterStops;
      sinceMs = isAsked ? (sinceMs ?? clock.elapsedMs()) : undefined;
      if (sinceMs !== undefined && clock.elapsedMs() - sinceMs >= COMMIT_GRACE_MS) lasts.abort();
    }
  })();
  return { lasts: lasts.signal, end: () => over.abort() };
}
