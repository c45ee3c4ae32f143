import type { EpochStore, UnderWay } from '../../ports/epoch-store.ts';
import { type CoordinatorDeps, type JobSettings, SupersededError } from '../coordinator/context.ts';
import { fenced } from './fenced.ts';

/** The lease of a generation that was taken. */
export interface Lease {
  /** Aborted when another generation holds the job; its reason is the `SupersededError`. */
  readonly lost: AbortSignal;
  /**
   * A decision has renewed it, whose expiry was computed at this `elapsedMs`. One that took long to be made may have set the lease back:
   * it is sent again as it was.
   */
  renewed(atMs: number): void;
  /** Each renewal says this of what is under way: one write for both. */
  says(underWay: () => UnderWay | undefined): void;
  /**
   * There is something to say, under this name: the lease is renewed for it, once, unless that was just done. Undefined: there is not.
   */
  hasNews(news: string | undefined): void;
  /** Renews it no more. Resolves when no renewal is under way that could give it back to one that gave it up. */
  end(): Promise<void>;
}

/** What lasts less long after the last renewal, or decision, is said by no write of its own. */
const NEWS_AFTER_MS = 3_000;

/**
 * Renews the lease each third of its time, whatever its holder does meanwhile: recovers, commits for an hour, waits for a
 * broker. A lease that ran out would have each tick take over from one that works, and begin anew. A renewal that fails is
 * said aloud and tried again when the next is due.
 *
 * @param takenMs `elapsedMs` when its expiry was computed
 */
export function holdLease(
  deps: Pick<CoordinatorDeps, 'clock' | 'observe'> & { readonly epochs: Pick<EpochStore, 'renewLease'> },
  { job, leaseMs }: Pick<JobSettings, 'job' | 'leaseMs'>,
  generation: number,
  takenMs: number,
): Lease {
  const { clock, epochs, observe } = deps;
  const lost = new AbortController();
  const over = new AbortController();
  let renewedMs = takenMs;
  let wake = new AbortController();
  let underWay: () => UnderWay | undefined = () => undefined;
  let news: string | undefined;
  let said: string | undefined;
  let isDue = false;

  async function renew(): Promise<void> {
    renewedMs = clock.elapsedMs();
    said = news;
    isDue = false;
    try {
      fenced({ job }, await epochs.renewLease(job, generation, clock.now() + leaseMs, underWay()));
    } catch (error) {
      if (error instanceof SupersededError) lost.abort(error);
      else observe({ event: 'warning', message: `renewing the lease: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  async function keep(): Promise<void> {
    while (!over.signal.aborted && !lost.signal.aborted) {
      const leftMs = renewedMs + leaseMs / 3 - clock.elapsedMs();
      wake = new AbortController();
      if (leftMs > 0 && !isDue) await clock.sleep(leftMs, AbortSignal.any([over.signal, wake.signal]));
      else await renew();
    }
  }

  const kept = keep();
  return {
    lost: lost.signal,
    renewed(atMs) {
      const isSetBack = atMs < renewedMs;
      renewedMs = atMs;
      if (isSetBack) wake.abort();
    },
    says(what) {
      underWay = what;
    },
    hasNews(what) {
      news = what;
      if (what === undefined || what === said || clock.elapsedMs() < renewedMs + NEWS_AFTER_MS) return;
      isDue = true;
      wake.abort();
    },
    end() {
      over.abort();
      return kept;
    },
  };
}
