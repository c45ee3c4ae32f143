import type { WindowNode } from '../../../graph/job.ts';
import type { CurrentRecord } from '../../../records/current-record.ts';
import type { TimeDomain, TimerColumn } from '../../../state/columns/timers.ts';
import type { EpochClock } from '../../epoch-clock.ts';
import { lastMultiple } from './aligned.ts';

/**
 * The time by which windows are cut. A window is over when its last millisecond is: in event time when the watermark has come to it, in
 * processing time when that is behind it, since records of that very millisecond may still come in a later epoch.
 */
export class WindowTime {
  readonly #isEvent: boolean;
  readonly #earlyEveryMs: number | undefined;
  readonly #current: CurrentRecord;
  readonly #clock: EpochClock;
  readonly #timers: TimerColumn;

  constructor(
    { time, earlyEveryMs }: Pick<WindowNode, 'time' | 'earlyEveryMs'>,
    current: CurrentRecord,
    clock: EpochClock,
    timers: TimerColumn,
  ) {
    this.#isEvent = time === 'event';
    this.#earlyEveryMs = earlyEveryMs;
    this.#current = current;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Of the record that is worked on. */
  get atMs(): number {
    return this.#isEvent ? this.#current.timestamp : this.#clock.processingMs;
  }

  /** What was over when the epoch began: what lies there is late. Nothing is in processing time. */
  get beforeMs(): number {
    return this.#isEvent ? this.#clock.beforeMs : Number.NEGATIVE_INFINITY;
  }

  /** What is over by now. */
  get overMs(): number {
    return this.#isEvent ? this.#clock.watermarkMs : this.#clock.processingMs - 1;
  }

  /** Has the current key's windows looked at when `lastMs` is over. What lies behind all times never is. */
  wakeBehind(lastMs: number): void {
    const dueMs = this.#isEvent ? lastMs : lastMs + 1;
    if (dueMs <= Number.MAX_SAFE_INTEGER) this.#timers.set(this.#isEvent ? 'event' : 'processing', dueMs);
  }

  /** Has early results given of the current key the next time they are due. Answers when. Undefined: there are none. */
  wakeEarly(): number | undefined {
    if (this.#earlyEveryMs === undefined) return undefined;
    const nextMs = lastMultiple(this.#clock.processingMs, this.#earlyEveryMs) + this.#earlyEveryMs;
    this.#timers.set('processing', nextMs);
    return nextMs;
  }

  /** What a timer says that is over. Undefined: it is for early results alone. */
  overBy(domain: TimeDomain, timeMs: number): number | undefined {
    if (this.#isEvent) return domain === 'event' ? timeMs : undefined;
    return timeMs - 1;
  }

  /** May early results be due? */
  isEarly(domain: TimeDomain): boolean {
    return this.#earlyEveryMs !== undefined && domain === 'processing';
  }
}
