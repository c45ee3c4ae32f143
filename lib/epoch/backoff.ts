import { jittered } from '../ports/pause.ts';

/**
 * Wait before the attempt after `failures` failures in a row: `firstMs`, doubled for each further one, at most `maxMs`;
 * up to a fifth of it at random (`fraction` in [0, 1)), so that jobs that failed together do not return together.
 */
export function backoffMs(failures: number, firstMs: number, maxMs: number, fraction: number): number {
  return jittered(Math.min(firstMs * 2 ** Math.min(failures - 1, 30), maxMs), fraction);
}

const FIRST_IDLE_POLL_MS = 1_000;

/** Pause after a look for input that found none: the checkpoint interval or a second, doubled after each further one. */
export function idlePollMs(looks: number, intervalMs: number, maxMs: number): number {
  return Math.min(Math.min(intervalMs, FIRST_IDLE_POLL_MS) * 2 ** Math.min(looks, 30), maxMs);
}
