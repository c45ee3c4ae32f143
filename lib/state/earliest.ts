import type { Due } from '../protocol/event-time.ts';

/** The earlier of what waits for a time, in each domain. */
export function earliestOf(one: Due | undefined, other: Due | undefined): Due | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { eventMs: leastOf(one.eventMs, other.eventMs), processingMs: leastOf(one.processingMs, other.processingMs) };
}

function leastOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
