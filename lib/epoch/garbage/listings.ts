import { createHash } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';

/** What comes late, of an attempt that nobody waits for any more, is found by then. */
const LIST_AGAIN_MS = 600_000;

/**
 * What was listed, and what was known then. A listing costs more than everything else that a collection asks for, and of an idle job
 * finds each time what it found before.
 */
export interface Listings {
  /** May there be garbage that the last listing has not seen? `facts`: all by which that is told of what is listed. */
  isDue(incarnation: string, facts: string): boolean;
  /** It was listed, by these facts, and all that was garbage is deleted. */
  done(incarnation: string, facts: string): void;
}

export function createListings(clock: Pick<Clock, 'elapsedMs'>): Listings {
  const last = new Map<string, { readonly facts: string; readonly atMs: number }>();
  return {
    isDue(incarnation, facts) {
      const known = last.get(incarnation);
      return known?.facts !== facts || clock.elapsedMs() - known.atMs >= LIST_AGAIN_MS;
    },
    done(incarnation, facts) {
      last.set(incarnation, { facts, atMs: clock.elapsedMs() });
    },
  };
}

/** By which it is told what of an incarnation is garbage: how far it is, what the manifests that are left name of it, and what savepoints keep. */
export function factsOf(of: { readonly progress: readonly number[]; readonly named: readonly string[]; readonly pins: string }): string {
  const { progress, named, pins } = of;
  return createHash('sha256')
    .update(JSON.stringify([progress, named.toSorted(), pins]))
    .digest('base64');
}
