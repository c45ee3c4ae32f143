import type { CoordinatorDeps } from '../coordinator/context.ts';

/** Rows of retired epochs stay this long for people to look at. */
export const RETIRED_ROW_MS = 24 * 3_600_000;
/** Between the writes to two of these rows: in one go they would hold up decisions, and use up what the store lets one job write in a second. */
const EXPIRE_PAUSE_MS = 10;

export interface RowExpiry {
  /**
   * Gives a time to live to the rows that were retired and have none, because a crash or an outage came between. They are the
   * newest of the retired: rows get it from the oldest to the newest. Looks once, and again after a failure.
   */
  catchUp(retiredThrough: number): Promise<void>;
  /** Gives a time to live to the rows of epochs that have just been retired, ascending. */
  expire(epochs: readonly number[]): Promise<void>;
}

export function createRowExpiry({ epochs, clock }: Pick<CoordinatorDeps, 'epochs' | 'clock'>, job: string, incarnation: string): RowExpiry {
  let behind = true;

  async function expire(retired: readonly number[]): Promise<void> {
    behind = true;
    for (const epoch of retired) {
      await epochs.expireEpoch(job, incarnation, epoch, clock.now() + RETIRED_ROW_MS);
      await clock.sleep(EXPIRE_PAUSE_MS);
    }
    behind = false;
  }

  async function withoutEnd(retiredThrough: number): Promise<number[]> {
    const found: number[] = [];
    for (let epoch = retiredThrough; epoch >= 0; epoch--) {
      const row = await epochs.readEpoch(job, incarnation, epoch);
      if (row === undefined || row.expiresAtMs !== undefined) break;
      found.push(epoch);
    }
    return found.reverse();
  }

  return {
    expire,
    async catchUp(retiredThrough) {
      if (behind) await expire(await withoutEnd(retiredThrough));
    },
  };
}
