import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../lib/epoch/failure/backoff.ts';
import {
  countFailure,
  type FailedAttempt,
  type Failures,
  forgetFailures,
  NO_FAILURES,
  type Restart,
  type RestartStrategy,
  restartAfter,
} from '../../../lib/epoch/failure/restart.ts';
import { noProgressAfterMs } from '../../../lib/epoch/progress/progress.ts';
import { jittered } from '../../../lib/ports/pause.ts';

const broken: FailedAttempt = { isOfRecord: false, isSearch: false, message: 'the broker was away' };
const thrown: FailedAttempt = { isOfRecord: true, isSearch: false, message: 'Error: no' };
const searching: FailedAttempt = { isOfRecord: true, isSearch: true, message: 'Error: no' };

/** What follows each of the failures, `everyMs` apart; 'decided' is an epoch that succeeded. */
function follow(strategy: RestartStrategy, steps: readonly (FailedAttempt | 'decided')[], tolerable = Infinity, everyMs = 10): Restart[] {
  let failures: Failures = NO_FAILURES;
  return steps.flatMap((step, index): Restart[] => {
    if (step === 'decided') {
      failures = forgetFailures(failures);
      return [];
    }
    failures = countFailure(strategy, failures, step, 1_000_000 + index * everyMs);
    return [restartAfter(strategy, tolerable, failures, step, 1)];
  });
}

const times = (count: number, failed: FailedAttempt) => Array.from({ length: count }, () => failed);
const pauses = (restarts: readonly Restart[]) => restarts.map((restart) => (restart.outcome === 'again' ? restart.inMs : 'gives up'));
const exponential: RestartStrategy = { kind: 'exponential', firstMs: 100, maxMs: 1000 };

describe('every pause', () => {
  it('is at most what is set, and up to a fifth less at random', () => {
    expect([jittered(1000, 0), jittered(1000, 0.5), jittered(1000, 1)]).toEqual([800, 900, 1000]);
    expect(backoffMs(3, 100, 10_000, 0)).toBe(320);
    expect(backoffMs(1000, 100, 10_000, 1)).toBe(10_000);
  });
});

describe('restart strategy exponential', () => {
  it('tries again without end, after pauses that double from ONCEFLOW_RESTART_BACKOFF_MS to ONCEFLOW_RESTART_BACKOFF_MAX_MS', () => {
    expect(pauses(follow(exponential, times(6, broken)))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(follow(exponential, times(5000, thrown)).at(-1)).toEqual({ outcome: 'again', inMs: 1000 });
  });

  it('begins anew after an epoch was decided', () => {
    expect(pauses(follow(exponential, [broken, broken, 'decided', broken]))).toEqual([100, 200, 100]);
  });

  it('waits the first pause between the steps of a search, which are no restarts', () => {
    expect(pauses(follow(exponential, [thrown, searching, searching, searching, thrown, thrown]))).toEqual([100, 100, 100, 100, 200, 400]);
  });
});

describe('restart strategy fixed-delay', () => {
  const strategy: RestartStrategy = { kind: 'fixed-delay', attempts: 3, delayMs: 50 };

  it('tries again so many times in a row, then gives up and says the numbers and the last error', () => {
    const restarts = follow(strategy, times(4, broken));
    expect(pauses(restarts)).toEqual([50, 50, 50, 'gives up']);
    expect(restarts.at(-1)).toEqual({
      outcome: 'gives-up',
      message: expect.stringMatching(
        /^restart strategy fixed-delay gives up: 4 failures in a row, and ONCEFLOW_RESTART_ATTEMPTS=3, each after ONCEFLOW_RESTART_DELAY_MS=50\. .* The last error: the broker was away$/,
      ),
    });
  });

  it('begins anew after an epoch was decided', () => {
    expect(pauses(follow(strategy, [...times(3, broken), 'decided', ...times(3, broken)]))).not.toContain('gives up');
  });

  it('does not count the steps of a search', () => {
    expect(pauses(follow(strategy, [thrown, ...times(20, searching), thrown, thrown]))).not.toContain('gives up');
  });
});

describe('restart strategy failure-rate', () => {
  const strategy: RestartStrategy = { kind: 'failure-rate', maxFailures: 2, intervalMs: 1000, delayMs: 50 };

  it('gives up when more failures come within the interval, also with decided epochs between them', () => {
    const restarts = follow(strategy, [broken, 'decided', broken, 'decided', broken]);
    expect(pauses(restarts)).toEqual([50, 50, 'gives up']);
    expect(restarts.at(-1)).toMatchObject({
      message: expect.stringContaining(
        'failure-rate gives up: 3 failures within ONCEFLOW_RESTART_FAILURE_INTERVAL_MS=1000, and ONCEFLOW_RESTART_MAX_FAILURES=2',
      ),
    });
  });

  it('tries again without end while they are further apart', () => {
    expect(pauses(follow(strategy, times(100, broken), Infinity, 500))).not.toContain('gives up');
    expect(pauses(follow(strategy, times(3, broken), Infinity, 499))).toContain('gives up');
  });
});

describe('restart strategy none', () => {
  it('gives up at the first failure', () => {
    expect(follow({ kind: 'none' }, [broken])).toEqual([
      { outcome: 'gives-up', message: expect.stringMatching(/^restart strategy none gives up .* The last error: the broker was away$/) },
    ]);
  });
});

describe('ONCEFLOW_TOLERABLE_FAILURES', () => {
  it('stops the job at one more failure in a row that is not of user code', () => {
    const restarts = follow(exponential, times(3, broken), 2);
    expect(pauses(restarts)).toEqual([100, 200, 'gives up']);
    expect(restarts.at(-1)).toMatchObject({
      message: expect.stringContaining(
        '3 attempts in a row failed, none of them in user code, and ONCEFLOW_TOLERABLE_FAILURES=2 are tolerated',
      ),
    });
    expect(pauses(follow(exponential, [broken], 0))).toEqual(['gives up']);
  });

  it('counts neither user code nor what was before a decided epoch', () => {
    expect(pauses(follow(exponential, times(50, thrown), 0))).not.toContain('gives up');
    expect(pauses(follow(exponential, [broken, broken, 'decided', broken, broken], 2))).not.toContain('gives up');
  });
});

describe('a job without progress', () => {
  it('says so after ten intervals of failures, and at the epoch timeout without any', () => {
    expect(noProgressAfterMs(1, 5_000, 60_000)).toBe(50_000);
    expect(noProgressAfterMs(0, 5_000, 60_000)).toBe(60_000);
  });

  it('has at least ten seconds', () => {
    expect([noProgressAfterMs(1, 100, 60_000), noProgressAfterMs(0, 100, 1_000)]).toEqual([10_000, 10_000]);
  });
});
