import type { Until } from './connector.ts';

/** May another step be begun, by the slowest so far? The first may always, so that each call gets on. To be asked before each. */
export function paceUntil({ clock, deadlineMs }: Pick<Until, 'clock' | 'deadlineMs'>): () => boolean {
  let lastMs = clock.elapsedMs();
  let slowestMs = 0;
  let isFirst = true;
  return () => {
    const nowMs = clock.elapsedMs();
    slowestMs = Math.max(slowestMs, nowMs - lastMs);
    lastMs = nowMs;
    const mayGoOn = isFirst || nowMs + slowestMs <= deadlineMs;
    isFirst = false;
    return mayGoOn;
  };
}
