/** A handle of one record was used when that record was done with: from a promise or a timer that a user function started. */
export class OutsideRecordError extends Error {
  override readonly name = 'OutsideRecordError';
  /** Uid of the keyed operator whose handle it is. */
  readonly operator: string;

  constructor(operator: string, what: string) {
    super(
      `${what} was used outside of its record: user functions return their result at once, and what a promise or a timer does later belongs to no record and no epoch. ` +
        'Do what must be waited for in mapAsync, or outside the job, before its records are written to Kafka or after',
    );
    this.operator = operator;
  }
}

/**
 * Whether the rows of an epoch are being worked on. What is used outside of them throws; and because a promise may keep that
 * to itself, it is remembered, so that the attempt fails.
 */
export class RecordScope {
  isOpen = false;
  #stray: OutsideRecordError | undefined;

  /** The first use outside since the last call. */
  takeStray(): OutsideRecordError | undefined {
    const stray = this.#stray;
    this.#stray = undefined;
    return stray;
  }

  refuse(operator: string, what: string): never {
    const error = new OutsideRecordError(operator, what);
    this.#stray ??= error;
    throw error;
  }
}
