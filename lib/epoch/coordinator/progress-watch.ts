import { type Moment, momentOf } from '../../ports/age.ts';
import type { NoProgress } from '../../ports/epoch-store.ts';
import type { Trouble } from '../after-failure.ts';
import type { CoordinatorEvent } from '../events.ts';
import { noProgressAfterMs } from '../progress.ts';
import type { CoordinatorDeps, JobSettings, Tenure } from './context.ts';
import type { Housekeeping } from './housekeeping.ts';
import { fenced } from './start.ts';

/** Says that a job has work to do and makes no progress: as an event, and in the job row. */
export interface ProgressWatch {
  /** There is, or may be, something to do. */
  begin(): void;
  /** An epoch was decided or committed, or there is nothing to do. `more`: is anything under way still? */
  advance(more: boolean): void;
  /** Remembers what was said to be in the way. */
  hear(event: CoordinatorEvent): void;
  /** Says what is to be said by now. */
  keep(trouble: Trouble): void;
  /** When there is something to say, unless there is progress before; by the clock's `elapsedMs`. */
  dueAtMs(trouble: Trouble): number;
}

export function watchProgress(deps: CoordinatorDeps, settings: JobSettings, tenure: Tenure, house: Housekeeping): ProgressWatch {
  const { clock, observe } = deps;
  /** Since when there is something to do without progress. */
  let since: Moment | undefined;
  /** Said again each time the wait has doubled. */
  let saidForMs = 0;
  /** What a commit, a plan or a chore waits for: no attempt tells of that. */
  let inTheWay: string | undefined;
  let said: NoProgress | undefined;
  let recorded: NoProgress | undefined;

  async function record(what: NoProgress | undefined): Promise<void> {
    fenced(settings, await deps.epochs.recordNoProgress(settings.job, tenure.generation, what));
    recorded = what;
  }

  function dueAtMs({ failures }: Trouble): number {
    if (since === undefined) return Number.POSITIVE_INFINITY;
    const firstMs = noProgressAfterMs(failures.inARow, settings.checkpointIntervalMs, settings.epochTimeoutMs);
    return since.elapsedMs + Math.max(firstMs, 2 * saidForMs);
  }

  return {
    begin() {
      since ??= momentOf(clock);
    },
    advance(more) {
      if (said !== undefined && since !== undefined) observe({ event: 'progress-again', afterMs: clock.elapsedMs() - since.elapsedMs });
      since = more ? momentOf(clock) : undefined;
      saidForMs = 0;
      said = undefined;
      inTheWay = undefined;
    },
    hear(event) {
      if (event.event === 'warning') inTheWay = event.message;
      if (event.event === 'waiting') inTheWay = event.what;
      if (event.event === 'doubtful') inTheWay = `the commit of ${event.transactionalId} is in doubt: ${event.resolution}`;
    },
    keep(trouble) {
      const nowMs = clock.elapsedMs();
      if (since !== undefined && nowMs >= dueAtMs(trouble)) {
        const sinceMs = since.wallMs;
        const { failures, lastError = inTheWay } = trouble;
        saidForMs = nowMs - since.elapsedMs;
        said = { generation: tenure.generation, sinceMs, failuresInARow: failures.inARow, lastError };
        observe({ event: 'no-progress', sinceMs, forMs: saidForMs, failuresInARow: failures.inARow, lastError });
      }
      const wanted = said;
      if (wanted !== recorded) house.start('record-progress', () => record(wanted));
    },
    dueAtMs,
  };
}
