/** Attempts that are under way in this process: each is told what serdes come to lack. */
const underWay = new Set<Lacks>();

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
    for (const lacks of underWay) lacks.meet(prepare);
  }
}

/**
 * What serdes come to lack from when this is made until it is closed: in the whole process, since a serde may be called from within another
 * one, or from a function of the user, which may do anything with what it throws. What another attempt at the same time lacks does no harm.
 */
export class Lacks {
  readonly #preparing = new Set<() => Promise<void>>();
  #unaccounted = 0;

  constructor() {
    underWay.add(this);
  }

  /** Was there any for which nobody has accounted? */
  get any(): boolean {
    return this.#unaccounted > 0;
  }

  meet(prepare: () => Promise<void>): void {
    this.#unaccounted++;
    this.#preparing.add(prepare);
  }

  /** One of them was met where nothing had been made of its record yet, and what is missing is fetched there. */
  async makeGood(): Promise<void> {
    this.#unaccounted--;
    await this.fetch();
  }

  /** Fetches what is missing. What is not to be had now will be lacked again. */
  async fetch(): Promise<void> {
    const all = [...this.#preparing];
    this.#preparing.clear();
    await Promise.all(all.map((prepare) => prepare()));
  }

  close(): void {
    underWay.delete(this);
  }
}
