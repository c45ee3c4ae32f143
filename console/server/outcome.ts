import type { Clock } from '../../lib/ports/clock.ts';

/** What became of reading a panel: each has its own, and one that fails is no matter of the others. */
export type Outcome<T> =
  | { readonly is: 'known'; readonly of: T; readonly atMs: number }
  /** There is nothing of this name, or nothing is configured for it. */
  | { readonly is: 'none'; readonly why: string }
  /** It could not be read: who did not answer, and what to do about it. */
  | { readonly is: 'unknown'; readonly why: string };

/** There is nothing to read, which is no fault. */
export class NothingThere extends Error {
  override readonly name = 'NothingThere';
}

/** What became of acting: the answer of the command that did it. */
export type ActionOutcome = { readonly is: 'done' | 'refused' | 'failed'; readonly text: string };

interface Reading {
  readonly nowMs: () => number;
  readonly sleep: Clock['sleep'];
  /** An error, for people. */
  readonly explain: (error: unknown) => string;
}

/** So long a panel is waited for. Brokers that are away are given up sooner by their client. */
const WITHIN_MS = 20_000;

/**
 * Reads panels. What is being read is shared by all who ask for it meanwhile, so that a broker that is slow is not asked again and again by a page
 * that asks each second.
 */
export function createReader({ nowMs, sleep, explain }: Reading) {
  const underWay = new Map<string, Promise<Outcome<unknown>>>();
  async function outcomeOf(read: () => Promise<unknown>): Promise<Outcome<unknown>> {
    try {
      return { is: 'known', of: await read(), atMs: nowMs() };
    } catch (error) {
      if (error instanceof NothingThere) return { is: 'none', why: error.message };
      return { is: 'unknown', why: explain(error) };
    }
  }
  return async (key: string, read: () => Promise<unknown>): Promise<Outcome<unknown>> => {
    const reading = underWay.get(key) ?? outcomeOf(read).finally(() => underWay.delete(key));
    underWay.set(key, reading);
    const answered = new AbortController();
    const late = sleep(WITHIN_MS, answered.signal).then(
      (): Outcome<unknown> => ({ is: 'unknown', why: `no answer within ${WITHIN_MS / 1000} s` }),
    );
    try {
      return await Promise.race([reading, late]);
    } finally {
      // A timer that nobody waits for would keep the command from its end.
      answered.abort();
    }
  };
}
