/** A job that has failed attempts is without progress after this many checkpoint intervals. */
const INTERVALS = 10;
/** And not before: an epoch may take a few seconds however short the interval is. */
const LEAST_MS = 10_000;

/**
 * How long there may be work to do and nothing decided or committed before the job says that it makes no progress. An
 * epoch that has not failed has its whole timeout.
 */
export function noProgressAfterMs(failuresInARow: number, intervalMs: number, epochTimeoutMs: number): number {
  const afterFailures = Math.max(INTERVALS * intervalMs, LEAST_MS);
  return failuresInARow > 0 ? afterFailures : Math.max(epochTimeoutMs, afterFailures);
}
