import type { Clock, Random } from '../../ports/clock.ts';
import { jittered } from '../backoff.ts';

/** Waits before something is repeated: at most `ms`, up to a fifth less, so that those who failed together do not return together. */
export function pauseBeforeRetry(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return clock.sleep(jittered(ms, random.fraction()), signal);
}
