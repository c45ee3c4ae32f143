/** A deployment's schedule: how often it looks whether a job needs a coordinator. */
export const TICK_MS = 60_000;
/** The platform keeps an invocation that it cannot run at once for this long, and then forgets it: the next tick looks anew. */
export const MOST_WAITING_MS = 60_000;
/** A start that was asked for longer ago is not carried out: as long as the platform may keep it, and clocks may differ. */
export const START_HOLDS_MS = MOST_WAITING_MS + 60_000;
/** A holder that ends within this time has ended before the tick after next: the one that sees it waits. */
export const ENDS_SOON_MS = 70_000;
/** A holder renews its lease when a third of it has passed; one that is this much later is probably dead. */
const LATE_RENEWAL_MS = 2_000;

/** After this long without a renewal a tick waits for the end of the lease. */
export function overdueMs(leaseMs: number): number {
  return leaseMs / 3 + LATE_RENEWAL_MS;
}

/**
 * The longest time from a crash until a tick takes the lease: one that came just before the lease was overdue left it alone,
 * and the next comes a minute later. With a standby, the lease alone.
 */
export function longestVacancyMs(leaseMs: number, standby: 'none' | 'keep'): number {
  return standby === 'keep' ? leaseMs : Math.max(leaseMs, overdueMs(leaseMs) + TICK_MS);
}
