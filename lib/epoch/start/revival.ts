import { ENDS_SOON_MS, overdueMs } from '../../config/ticks.ts';
import type { JobRow } from '../../ports/epoch-store.ts';
import { holderOf, isLeaseLive, mayStart } from './may-start.ts';

/** `none`: a tick waits only for a holder that is about to end. `keep`: every tick waits, so that one is always there. */
export type Standby = 'none' | 'keep';

export type RevivalStep =
  /** Nobody holds the job and it is to run. */
  | { readonly outcome: 'starts' }
  /** Somebody holds it, probably not until the next tick. */
  | { readonly outcome: 'waits'; readonly message: string }
  /** It is held well, or nothing that a schedule may start. */
  | { readonly outcome: 'leaves'; readonly message: string };

/**
 * What a tick does about the job with this row. It waits for a holder that announced its end, so that the job goes on
 * without a gap; and for one whose lease was not renewed when it should have been: it probably crashed, and by waiting
 * its successor starts when the lease runs out, instead of at the next tick.
 */
export function reviveOrWait(
  row: JobRow | undefined,
  nowMs: number,
  leaseMs: number,
  standby: Standby,
  deadHolders: readonly string[] = [],
): RevivalStep {
  const may = mayStart(row, nowMs, 'revival', 'allow', deadHolders);
  if (may.outcome !== 'refused') return { outcome: 'starts' };
  const { message } = may;
  if (row === undefined || row.desired === 'stopped' || row.failure !== undefined || !isLeaseLive(row, nowMs))
    return { outcome: 'leaves', message };
  if (standby === 'keep') return { outcome: 'waits', message: `${message}; this one stands by` };
  const { holderEndsAtMs, leaseExpiresAtMs } = row;
  if (holderEndsAtMs !== undefined && holderEndsAtMs - nowMs <= ENDS_SOON_MS)
    return { outcome: 'waits', message: `${holderOf(row)} hands job ${row.job} over at ${new Date(holderEndsAtMs).toISOString()}` };
  const renewedAgoMs = leaseMs - (leaseExpiresAtMs - nowMs);
  if (renewedAgoMs > overdueMs(leaseMs))
    return { outcome: 'waits', message: `${holderOf(row)} has not renewed its lease of job ${row.job} for ${renewedAgoMs} ms` };
  return { outcome: 'leaves', message };
}
