import type { StageTime } from '../protocol/event-time.ts';

/** The time of the epoch that is worked on, as the operators of a stage see it. One object for each runtime, changed in place. */
export class EpochClock {
  /** While rows are worked on, that of the epoch before; then that of this one. −Infinity: none. */
  watermarkMs = Number.NEGATIVE_INFINITY;
  /** That of the epoch before, all the time. */
  beforeMs = Number.NEGATIVE_INFINITY;
  processingMs = 0;
  /** Does the job use time? */
  #isKnown = false;
  #afterMs = Number.NEGATIVE_INFINITY;

  /** An epoch begins. Undefined: the job does not use time. */
  begin(time: StageTime | undefined): void {
    this.#isKnown = time !== undefined;
    this.watermarkMs = time?.beforeMs ?? Number.NEGATIVE_INFINITY;
    this.beforeMs = this.watermarkMs;
    this.#afterMs = time?.afterMs ?? Number.NEGATIVE_INFINITY;
    this.processingMs = time?.processingMs ?? 0;
  }

  /** For the user's code. Throws `TypeError` when the job does not use time: no epoch has any then. */
  known(): this {
    if (this.#isKnown) return this;
    throw new TypeError('the job does not use time, and epochs have none: give the operator usesTime: true, and they do');
  }

  /** The rows are done with: the watermark is that of the epoch's end. */
  advance(): void {
    this.watermarkMs = this.#afterMs;
  }
}
