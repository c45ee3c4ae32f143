import { murmur2 } from '../format/murmur2.ts';
import type { Timer } from '../graph/job.ts';
import { shortened, TimerError, textOf } from '../records/errors.ts';
import { refusePromise } from '../records/push.ts';
import type { DueTimer } from '../state/columns/timers.ts';
import type { StateSet } from '../state/state-set.ts';
import type { KeyedPlace } from './kind.ts';

/** So often in a row a key's timers may set one that is not later than they are: it fires at once, and that would never end. */
const MOST_WITHOUT_ADVANCE = 10_000;
const SHOWN_CHARS = 100;

/**
 * What an operator does at the end of an epoch: has the timers fire that are due. Those of event time come before those of processing
 * time; in each domain they fire in order of time, then of key group, then of the key's bytes. One that is set meanwhile and is due
 * fires in its place. What is made of a timer has its time.
 */
export function firing({ current, clock }: KeyedPlace, uid: string, state: StateSet, fire: (timer: Timer) => unknown): () => boolean {
  const { keys, timers } = state;
  if (timers === undefined) throw new Error(`${uid} has no state for its timers`);

  /** Turns to the timer's key. */
  function turnTo({ number, id, timeMs }: DueTimer): void {
    const bytes = Buffer.from(id, 'latin1');
    keys.current = number;
    current.key = current.keySerde?.read(bytes, 0, bytes.length);
    current.keyHash = murmur2(bytes, 0, bytes.length);
    current.timestamp = timeMs;
  }

  function fireOne(due: DueTimer): void {
    const { domain, timeMs } = due;
    try {
      turnTo(due);
      const result = fire({ domain, timeMs });
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      throw new TimerError(uid, `timer of ${domain} time ${timeMs} of key ${shortened(textOf(current.key), SHOWN_CHARS)}`, cause);
    }
  }

  return () => {
    let last: DueTimer | undefined;
    let withoutAdvance = 0;
    for (;;) {
      const due = timers.takeDue(clock.watermarkMs, clock.processingMs);
      if (due === undefined) break;
      const advances = last === undefined || last.number !== due.number || last.domain !== due.domain || last.timeMs < due.timeMs;
      withoutAdvance = advances ? 0 : withoutAdvance + 1;
      if (withoutAdvance > MOST_WITHOUT_ADVANCE) {
        const why = new RangeError('onTimer sets, again and again, a timer that is not later than the one that fires: that never ends');
        throw new TimerError(uid, `timer of ${due.domain} time ${due.timeMs} of key ${shortened(textOf(current.key), SHOWN_CHARS)}`, why);
      }
      last = due;
      fireOne(due);
    }
    if (last === undefined) return false;
    try {
      state.takeBack();
    } catch (cause) {
      throw new TimerError(uid, 'behind its timers', cause);
    }
    return true;
  };
}
