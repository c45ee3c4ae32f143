import type { Clock } from '../../ports/clock.ts';

export interface EventQueue<T> {
  push(event: T): void;
  /** The oldest event, or undefined when none came within `timeoutMs`. One caller at a time. */
  next(clock: Clock, timeoutMs: number): Promise<T | undefined>;
}

/** Hands results of steps that run beside each other to one loop, one at a time, in the order in which they came. */
export function createEventQueue<T>(): EventQueue<T> {
  const events: T[] = [];
  let wake: (() => void) | undefined;
  return {
    push(event) {
      events.push(event);
      wake?.();
    },
    async next(clock, timeoutMs) {
      if (events.length === 0 && timeoutMs > 0) {
        const timer = new AbortController();
        const pushed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([pushed, clock.sleep(timeoutMs, timer.signal)]);
        wake = undefined;
        timer.abort();
      }
      return events.shift();
    },
  };
}
