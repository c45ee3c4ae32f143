/*
 * What serdes came to lack in this process. It is of the process and not of a runtime: a serde may be called from within another one, or from
 * a function of the user, which may do anything with what it throws.
 */
let lacked = 0;
const preparing = new Set<() => Promise<void>>();

/**
 * A serde cannot read or write yet: it has to ask somebody first (a registry for the schema of a record). Whoever makes one says by that
 * that the attempt at the epoch counts for nothing, whatever becomes of the error: what is missing is fetched, and the work is done
 * again. No record is left out for it.
 */
export class NotPreparedError extends Error {
  override readonly name = 'NotPreparedError';

  /** @param what is missing @param prepare fetches it; when it rejects, the epoch is tried again later */
  constructor(what: string, prepare: () => Promise<void>) {
    super(what);
    lacked++;
    preparing.add(prepare);
  }
}

/** What serdes came to lack since this was made: also what another attempt at once with it came to lack, which does no harm. */
export class Lacks {
  #known = lacked;

  /** Was there any for which nobody has accounted? */
  get any(): boolean {
    return lacked !== this.#known;
  }

  /** One of them was met where nothing had been made of its record yet, and what is missing is fetched there. */
  async makeGood(): Promise<void> {
    this.#known++;
    await fetchMissing();
  }
}

/** Fetches what serdes have lacked so far. What is not to be had now will be lacked again. */
export async function fetchMissing(): Promise<void> {
  const all = [...preparing];
  preparing.clear();
  await Promise.all(all.map((prepare) => prepare()));
}
