import type { Deed, LongRunOptions } from './long-run.ts';

/**
 * What happens in each period of a long run, as parts of it: a savepoint that is kept for a while and deleted, another from which the job is started,
 * other numbers of subtasks, a coordinator that crashes, functions that are lost.
 */
const PERIOD: readonly (readonly [number, Deed])[] = [
  [0.1, 'pin'],
  [0.2, 'crash'],
  [0.25, 'lose-functions'],
  [0.3, { subtasks: 3 }],
  [0.45, { subtasks: 1 }],
  [0.5, 'unpin'],
  [0.55, 'pin'],
  [0.6, 'start-from'],
  [0.65, 'unpin'],
  [0.7, { subtasks: 2 }],
  [0.8, 'crash'],
  [0.85, 'lose-functions'],
];

/** One call of a function in so many fails. */
const CALLS_A_FAILURE = 2_000;

/** Of an incarnation that was left the last is collected an hour later: it is no part of a period that is shorter. */
const LEAST_FOR_STARTS_MS = 4 * 3_600_000;

/** A job that always has input, and whose every period is like the one before. */
export function busyRun(lengthMs: number, intervalMs: number, periods: number): LongRunOptions {
  const periodMs = lengthMs / periods;
  const period = PERIOD.filter(([, does]) => does !== 'start-from' || periodMs >= LEAST_FOR_STARTS_MS);
  return {
    untilMs: lengthMs,
    intervalMs,
    inputEveryMs: intervalMs,
    inlineBlobBytes: 0,
    deeds: Array.from({ length: periods }, (_, n) =>
      period.map(([part, does]) => ({ atMs: Math.round((n + part) * periodMs), does })),
    ).flat(),
    failures: 1 / CALLS_A_FAILURE,
    sampleEveryMs: Math.min(300_000, periodMs / 100),
  };
}
