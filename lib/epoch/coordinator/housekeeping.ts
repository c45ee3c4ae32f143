import { collectGarbage } from './collect.ts';
import { type CoordinatorDeps, type JobSettings, SupersededError, type Tenure } from './context.ts';
import { createRowExpiry } from './expire-rows.ts';
import { lookForHeldUp } from './look-for-held-up.ts';
import { OPEN_LOOK_INTERVAL_MS, type OpenWatch } from './watch-open.ts';

/** How often the job row is read for a request to stop, or for a successor. */
export const CONTROL_POLL_MS = 2_000;
const COLLECT_INTERVAL_MS = 10_000;

export type Chore = 'read-control' | 'collect' | 'look-for-open' | 'look-for-held-up' | 'record-commit' | 'sink-topics' | 'group-offsets';

export interface Housekeeping {
  /** Starts every chore whose time has come. */
  keep(): void;
  /** Starts a chore unless one of its kind is under way. */
  start(chore: Chore, work: () => Promise<void>): void;
  /** When the next chore is due, by the clock's `elapsedMs`. */
  dueAtMs(): number;
  /** The job row asks for a stop: a person's request. */
  stopRequested(): boolean;
}

/**
 * What a coordinator does beside its epochs. A chore that fails is said aloud and tried again when it is next due; only
 * that another coordinator holds the job ends the loop: `done` is told, with the error then.
 */
export function createHousekeeping(
  deps: CoordinatorDeps,
  settings: JobSettings,
  tenure: Tenure,
  open: OpenWatch,
  done: (error?: SupersededError) => void,
): Housekeeping {
  const { clock } = deps;
  const rows = createRowExpiry(deps, settings.job, tenure.incarnation);
  const busy = new Set<Chore>();
  let controlReadAtMs = clock.elapsedMs();
  let collectedAtMs = clock.elapsedMs();
  let lookedAtMs = clock.elapsedMs();
  let stop = false;

  function start(chore: Chore, work: () => Promise<void>): void {
    if (busy.has(chore)) return;
    busy.add(chore);
    work()
      .then(
        () => done(),
        (error: unknown) => {
          if (error instanceof SupersededError) return done(error);
          deps.observe({ event: 'warning', message: `${chore}: ${error instanceof Error ? error.message : String(error)}` });
        },
      )
      .finally(() => busy.delete(chore));
  }

  async function readControl(): Promise<void> {
    const row = await deps.epochs.readJob(settings.job);
    if (row?.generation !== tenure.generation)
      throw new SupersededError(`generation ${row?.generation} (${row?.holder}) has taken over job ${settings.job}`);
    stop = row.desired === 'stopped';
  }

  return {
    start,
    keep() {
      const nowMs = clock.elapsedMs();
      if (nowMs >= controlReadAtMs + CONTROL_POLL_MS) {
        controlReadAtMs = nowMs;
        start('read-control', readControl);
      }
      if (nowMs >= collectedAtMs + COLLECT_INTERVAL_MS) {
        collectedAtMs = nowMs;
        start('collect', () => collectGarbage(deps, settings, tenure, rows));
      }
      if (nowMs >= lookedAtMs + OPEN_LOOK_INTERVAL_MS) {
        lookedAtMs = nowMs;
        start('look-for-open', open.look);
        start('look-for-held-up', () => lookForHeldUp(deps, settings));
      }
    },
    dueAtMs: () => Math.min(controlReadAtMs + CONTROL_POLL_MS, collectedAtMs + COLLECT_INTERVAL_MS, lookedAtMs + OPEN_LOOK_INTERVAL_MS),
    stopRequested: () => stop,
  };
}
