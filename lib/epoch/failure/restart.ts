import type { Config } from '../../config/parameters.ts';
import { jittered } from '../../ports/pause.ts';
import { backoffMs } from './backoff.ts';

/** Whether and when an epoch whose attempt failed is tried again. Delays are the longest: up to a fifth less at random. */
export type RestartStrategy =
  /** Without end, after pauses that double. */
  | { readonly kind: 'exponential'; readonly firstMs: number; readonly maxMs: number }
  | { readonly kind: 'fixed-delay'; readonly attempts: number; readonly delayMs: number }
  | { readonly kind: 'failure-rate'; readonly maxFailures: number; readonly intervalMs: number; readonly delayMs: number }
  | { readonly kind: 'none' };

export function restartStrategyOf(
  config: Pick<
    Config,
    | 'restartStrategy'
    | 'restartBackoffMs'
    | 'restartBackoffMaxMs'
    | 'restartAttempts'
    | 'restartDelayMs'
    | 'restartMaxFailures'
    | 'restartFailureIntervalMs'
  >,
): RestartStrategy {
  const { restartStrategy: kind, restartDelayMs: delayMs } = config;
  switch (kind) {
    case 'exponential':
      return { kind, firstMs: config.restartBackoffMs, maxMs: config.restartBackoffMaxMs };
    case 'fixed-delay':
      return { kind, attempts: config.restartAttempts, delayMs };
    case 'failure-rate':
      return { kind, maxFailures: config.restartMaxFailures, intervalMs: config.restartFailureIntervalMs, delayMs };
    case 'none':
      return { kind };
  }
}

/** What a failed attempt was, as far as restarts are concerned. */
export interface FailedAttempt {
  /** Did what a record did make it fail? */
  readonly isOfRecord: boolean;
  /** The next attempt reads less than this one: a step of the search for a record, and no restart. */
  readonly isSearch: boolean;
  /** Where and why, for the message of a strategy that gives up. */
  readonly message: string;
}

/** Failed attempts since an epoch was decided, and for a failure rate those of the last interval. */
export interface Failures {
  readonly inARow: number;
  /** Those of them after which the epoch was tried again as it was. */
  readonly restarts: number;
  /** Those of them that were not of user code. */
  readonly notUserCode: number;
  readonly restartsAtMs: readonly number[];
}

export const NO_FAILURES: Failures = { inARow: 0, restarts: 0, notUserCode: 0, restartsAtMs: [] };

export function countFailure(strategy: RestartStrategy, before: Failures, failed: FailedAttempt, nowMs: number): Failures {
  const sinceMs = strategy.kind === 'failure-rate' ? nowMs - strategy.intervalMs : nowMs;
  const recent = before.restartsAtMs.filter((atMs) => atMs > sinceMs);
  return {
    inARow: before.inARow + 1,
    restarts: before.restarts + (failed.isSearch ? 0 : 1),
    notUserCode: before.notUserCode + (failed.isOfRecord ? 0 : 1),
    restartsAtMs: failed.isSearch || strategy.kind !== 'failure-rate' ? recent : [...recent, nowMs],
  };
}

/** An epoch was decided. A failure rate still counts what its interval holds. */
export function forgetFailures(before: Failures): Failures {
  return { ...NO_FAILURES, restartsAtMs: before.restartsAtMs };
}

export type Restart =
  | { readonly outcome: 'again'; readonly inMs: number }
  /** The job stops and can be started again. */
  | { readonly outcome: 'gives-up'; readonly message: string };

/**
 * What follows the failed attempt that `failures` has counted already. The steps of a search are not restarts: there are
 * at most as many as the epoch's size can be halved, and each is another attempt.
 *
 * @param tolerable failures in a row that are not of user code and do not stop the job.
 * @param fraction at random, in [0, 1).
 */
export function restartAfter(
  strategy: RestartStrategy,
  tolerable: number,
  failures: Failures,
  failed: FailedAttempt,
  fraction: number,
): Restart {
  const givesUp = (why: string): Restart => ({
    outcome: 'gives-up',
    message: `${why}. The job stops and keeps what it has; started again it goes on from the last completed epoch. The last error: ${failed.message}`,
  });
  if (failures.notUserCode > tolerable) {
    return givesUp(
      `${failures.notUserCode} attempts in a row failed, none of them in user code, and ONCEFLOW_TOLERABLE_FAILURES=${tolerable} are tolerated`,
    );
  }
  if (failed.isSearch) return { outcome: 'again', inMs: firstPauseMs(strategy, fraction) };
  switch (strategy.kind) {
    case 'exponential':
      return { outcome: 'again', inMs: backoffMs(failures.restarts, strategy.firstMs, strategy.maxMs, fraction) };
    case 'fixed-delay':
      if (failures.restarts <= strategy.attempts) return { outcome: 'again', inMs: jittered(strategy.delayMs, fraction) };
      return givesUp(
        `restart strategy fixed-delay gives up: ${failures.restarts} failures in a row, and ONCEFLOW_RESTART_ATTEMPTS=${strategy.attempts}, each after ONCEFLOW_RESTART_DELAY_MS=${strategy.delayMs}`,
      );
    case 'failure-rate':
      if (failures.restartsAtMs.length <= strategy.maxFailures) return { outcome: 'again', inMs: jittered(strategy.delayMs, fraction) };
      return givesUp(
        `restart strategy failure-rate gives up: ${failures.restartsAtMs.length} failures within ONCEFLOW_RESTART_FAILURE_INTERVAL_MS=${strategy.intervalMs}, and ONCEFLOW_RESTART_MAX_FAILURES=${strategy.maxFailures}`,
      );
    case 'none':
      return givesUp('restart strategy none gives up at the first failure (ONCEFLOW_RESTART_STRATEGY)');
  }
}

function firstPauseMs(strategy: RestartStrategy, fraction: number): number {
  if (strategy.kind === 'none') return 0;
  return jittered(strategy.kind === 'exponential' ? strategy.firstMs : strategy.delayMs, fraction);
}
