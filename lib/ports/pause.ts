import type { Timing } from './clock.ts';

/** A pause of at most `ms`, up to a fifth less by `fraction`, a random number in [0, 1): those who failed together do not return together. */
export function jittered(ms: number, fraction: number): number {
  return Math.round(ms * (0.8 + 0.2 * fraction));
}

/** Waits before something is repeated: about `ms`, or until `signal` aborts. */
export function pauseBeforeRetry({ clock, random }: Timing, ms: number, signal?: AbortSignal): Promise<void> {
  return clock.sleep(jittered(ms, random.fraction()), signal);
}

/** Pauses between tries of one thing. */
export interface Pauses {
  /** The longest that the next one takes. */
  nextMs(): number;
  /** Waits for the next one, or until `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void>;
}

/** About `firstMs`, then `factor` times as long each time, at most `longestMs`. */
export function growingPauses(timing: Timing, firstMs: number, longestMs: number, factor = 2): Pauses {
  let pauseMs = firstMs;
  return {
    nextMs: () => pauseMs,
    wait(signal) {
      const thisMs = pauseMs;
      pauseMs = Math.min(pauseMs * factor, longestMs);
      return pauseBeforeRetry(timing, thisMs, signal);
    },
  };
}
