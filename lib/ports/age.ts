import type { Clock } from './clock.ts';

export type Reading = Pick<Clock, 'now' | 'elapsedMs'>;

/** A moment by both clocks. */
export interface Moment {
  readonly wallMs: number;
  readonly elapsedMs: number;
}

export function momentOf(clock: Reading): Moment {
  return { wallMs: clock.now(), elapsedMs: clock.elapsedMs() };
}

/**
 * How old something is by the clock that says more, in milliseconds. For what is kept from one invocation to the next: a platform
 * may stop the machine in between and its `elapsedMs` with it, and wall time may have stepped back. Too old is only asked for again.
 */
export function ageMs(clock: Reading, since: Moment): number {
  return Math.max(clock.now() - since.wallMs, clock.elapsedMs() - since.elapsedMs);
}
