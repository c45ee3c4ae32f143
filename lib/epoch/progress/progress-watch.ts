import { type Moment, momentOf } from '../../ports/age.ts';
import type { NoProgress } from '../../ports/epoch-store.ts';
import type { CoordinatorDeps, JobSettings } from '../coordinator/context.ts';
import { NO_TROUBLE, type Trouble } from '../failure/after-failure.ts';
import { type CoordinatorEvent, inWords } from './events.ts';
import { noProgressAfterMs } from './progress.ts';

/** Says that a job has work to do and makes no progress: as an event, and in the job row. */
export interface ProgressWatch {
  /** There is, or may be, something to do. */
  begin(): void;
  /** An epoch that moved an offset was decided or committed, or there is nothing to do. `more`: is anything under way still? */
  advance(more: boolean): void;
  /** Remembers what was said to be in the way. */
  hear(event: CoordinatorEvent): void;
  /** Says what is to be said by now. */
  keep(trouble: Trouble): void;
  /** Watches work that has no loop to do it. Its end is progress. */
  during<T>(work: Promise<T>): Promise<T>;
  /** When there is something to say, unless there is progress before; by the clock's `elapsedMs`. */
  dueAtMs(trouble: Trouble): number;
}

export function watchProgress(
  { clock, epochs, observe }: Pick<CoordinatorDeps, 'clock' | 'epochs' | 'observe'>,
  settings: Pick<JobSettings, 'job' | 'checkpointIntervalMs' | 'epochTimeoutMs'>,
  generation: number,
): ProgressWatch {
  /** Since when there is something to do without progress. */
  let since: Moment | undefined;
  /** Said again each time the wait has doubled. */
  let saidForMs = 0;
  /** What a commit, a plan or a chore waits for: no attempt tells of that. */
  let inTheWay: string | undefined;
  let said: NoProgress | undefined;
  let recorded: NoProgress | undefined;
  let recording = false;

  /** Until the row says what was said last. A write that fails is tried again when the watch is next kept. */
  async function record(): Promise<void> {
    if (recording) return;
    recording = true;
    try {
      while (recorded !== said) {
        const what = said;
        // Whether another generation holds the job is the lease's business.
        await epochs.recordNoProgress(settings.job, generation, what);
        recorded = what;
      }
    } catch (error) {
      observe({ event: 'warning', message: `recording the progress: ${error instanceof Error ? error.message : String(error)}` });
    } finally {
      recording = false;
    }
  }

  function dueAtMs({ failures }: Trouble): number {
    if (since === undefined) return Number.POSITIVE_INFINITY;
    const firstMs = noProgressAfterMs(failures.inARow, settings.checkpointIntervalMs, settings.epochTimeoutMs);
    return since.elapsedMs + Math.max(firstMs, 2 * saidForMs);
  }

  function advance(more: boolean): void {
    if (said !== undefined && since !== undefined) observe({ event: 'progress-again', afterMs: clock.elapsedMs() - since.elapsedMs });
    since = more ? momentOf(clock) : undefined;
    saidForMs = 0;
    said = undefined;
    inTheWay = undefined;
  }

  function keep(trouble: Trouble): void {
    const nowMs = clock.elapsedMs();
    if (since !== undefined && nowMs >= dueAtMs(trouble)) {
      const sinceMs = since.wallMs;
      const { failures, lastError = inTheWay } = trouble;
      saidForMs = nowMs - since.elapsedMs;
      said = { generation, sinceMs, failuresInARow: failures.inARow, lastError };
      observe({ event: 'no-progress', sinceMs, forMs: saidForMs, failuresInARow: failures.inARow, lastError });
    }
    void record();
  }

  function begin(): void {
    since ??= momentOf(clock);
  }

  return {
    begin,
    advance,
    keep,
    async during(work) {
      const over = new AbortController();
      begin();
      void (async () => {
        while (!over.signal.aborted) {
          keep(NO_TROUBLE);
          await clock.sleep(Math.max(dueAtMs(NO_TROUBLE) - clock.elapsedMs(), 0), over.signal);
        }
      })();
      try {
        return await work;
      } finally {
        over.abort();
        advance(false);
        keep(NO_TROUBLE);
      }
    },
    hear(event) {
      if (event.event === 'warning') inTheWay = event.message;
      if (event.event === 'waiting') inTheWay = event.what;
      if (event.event === 'doubtful') inTheWay = `the commit of ${inWords(event.names)} is in doubt: ${event.resolution}`;
    },
    dueAtMs,
  };
}
