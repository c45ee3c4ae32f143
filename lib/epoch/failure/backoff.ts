import { jittered } from '../../ports/pause.ts';

/**
 * Wait before the attempt after `failures` failures in a row: `firstMs`, doubled for each further one, at most `maxMs`;
 * up to a fifth of it at random (`fraction` in [0, 1)), so that jobs that failed together do not return together.
 */
export function backoffMs(failures: number, firstMs: number, maxMs: number, fraction: number): number {
  return jittered(Math.min(firstMs * 2 ** Math.min(failures - 1, 30), maxMs), fraction);
}

const FIRST_IDLE_POLL_MS = 1_000;
/** Input that pauses and comes again waits for the next look at most about this part of its pause. */
const IDLE_POLL_GROWTH = 0.25;

/** Pause after a look for input that found none: the checkpoint interval or a second, a quarter longer after each further one. */
export function idlePollMs(looks: number, intervalMs: number, maxMs: number): number {
  const pauseMs = Math.min(intervalMs, FIRST_IDLE_POLL_MS) * (1 + IDLE_POLL_GROWTH) ** Math.min(looks, 100);
  return Math.round(Math.min(pauseMs, maxMs));
}
