import type { ProcessNode, Timers } from '../graph/job.ts';
import type { TimeDomain, TimerColumn } from '../state/columns/timers.ts';

/** What an operator's functions set timers with. Without a column it refuses. */
export function timersFor({ uid, time }: Pick<ProcessNode, 'uid' | 'time'>, column: TimerColumn | undefined): Timers {
  const of = (domain: TimeDomain, timeMs: number): TimerColumn => {
    if (column === undefined) throw new TypeError(`${uid} sets or deletes a timer, and has no onTimer: give it one`);
    if (domain === 'event' && time !== 'event')
      throw new TypeError(`${uid} has timers: 'processing-time', and sets or deletes one of event time: take that out`);
    if (!Number.isSafeInteger(timeMs)) throw new TypeError(`a timer's time is ${String(timeMs)}, and must be whole milliseconds`);
    return column;
  };
  // A time has one encoding: -0 is 0.
  return {
    setEventTime: (timeMs) => of('event', timeMs).set('event', timeMs + 0),
    deleteEventTime: (timeMs) => of('event', timeMs).delete('event', timeMs + 0),
    setProcessingTime: (timeMs) => of('processing', timeMs).set('processing', timeMs + 0),
    deleteProcessingTime: (timeMs) => of('processing', timeMs).delete('processing', timeMs + 0),
  };
}
