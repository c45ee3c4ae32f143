import { murmur2 } from '../format/murmur2.ts';
import type { Timer } from '../graph/job.ts';
import { shortened, TimerError, textOf } from '../records/errors.ts';
import { refusePromise } from '../records/push.ts';
import type { BroadcastState } from '../state/broadcast-state.ts';
import type { DueTimer } from '../state/columns/timers.ts';
import type { WaitingRow } from '../state/columns/waiting.ts';
import type { StateSet } from '../state/state-set.ts';
import type { KeyedPlace } from './kind.ts';
import { originOf } from './kinds/time-order.ts';
import { originOfTimer } from './origins.ts';

/** So often in a row a key's timers may set one that is not later than they are: it fires at once, and that would never end. */
const MOST_WITHOUT_ADVANCE = 10_000;
const SHOWN_CHARS = 100;

/** The operator's own functions. */
interface Functions {
  /** Takes a row that has waited. Undefined: none waits. */
  readonly give: ((value: unknown) => unknown) | undefined;
  /** Undefined: it has no timers. */
  readonly fire: ((timer: Timer) => unknown) | undefined;
  /** Of how many inputs rows wait. @default 1 */
  readonly inputs?: number;
  /** What they read besides the state of the key. */
  readonly broadcast?: BroadcastState | undefined;
}

/**
 * What an operator does at the end of an epoch: has the timers fire that are due. Those of event time come before those of processing
 * time; in each domain they fire in order of time, then of key group, then of the key's bytes. One that is set meanwhile and is due
 * fires in its place. What is made of a timer has its time.
 *
 * In order of time: the rows that have waited are given with the timers of event time between them. Of one time rows come first.
 *
 * Undefined: there is nothing to do at the end of an epoch.
 */
export function firing(
  place: KeyedPlace,
  uid: string,
  state: StateSet,
  { give, fire, broadcast, inputs = 1 }: Functions,
): (() => boolean) | undefined {
  const { current, clock } = place;
  const { keys, timers, waiting } = state;
  if (timers === undefined && waiting === undefined) return undefined;

  /** Turns to the key of what is due. */
  function turnTo({ number, id, timeMs }: DueTimer | WaitingRow, origin: string): void {
    const bytes = Buffer.from(id, 'latin1');
    keys.current = number;
    current.key = current.keySerde?.read(bytes, 0, bytes.length);
    current.keyHash = murmur2(bytes, 0, bytes.length);
    current.timestamp = timeMs;
    current.origin = origin;
    current.turn++;
  }

  function run(what: string, work: () => unknown): void {
    try {
      const result = work();
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      throw new TimerError(uid, `${what} of key ${shortened(textOf(current.key), SHOWN_CHARS)}`, cause);
    }
  }

  function fireOne(due: DueTimer, afterMs: number): void {
    const { domain, timeMs, id } = due;
    if (waiting !== undefined) clock.watermarkMs = domain === 'event' ? timeMs : afterMs;
    turnTo(due, originOfTimer(uid, domain, timeMs, id));
    run(`timer of ${domain} time ${timeMs}`, () => fire?.({ domain, timeMs }));
  }

  function giveOne(row: WaitingRow): void {
    clock.watermarkMs = row.timeMs - 1;
    turnTo(row, originOf(row, inputs));
    run(`row of time ${row.timeMs}`, () => give?.(row.value));
  }

  /** The next timer that fires before any row that is due. */
  function nextTimer(afterMs: number): DueTimer | undefined {
    const rowMs = waiting?.firstMs();
    if (rowMs === undefined || rowMs > afterMs) return timers?.takeDue(afterMs, clock.processingMs);
    return timers?.takeDue(rowMs - 1, Number.NEGATIVE_INFINITY);
  }

  return () => {
    const afterMs = clock.watermarkMs;
    state.bringDue(afterMs, clock.processingMs);
    broadcast?.turnOn();
    let last: DueTimer | undefined;
    let withoutAdvance = 0;
    let any = false;
    for (;;) {
      const due = nextTimer(afterMs);
      const row = due !== undefined || (waiting?.firstMs() ?? Number.POSITIVE_INFINITY) > afterMs ? undefined : waiting?.takeFirst();
      if (due === undefined && row === undefined) break;
      any = true;
      if (row !== undefined) giveOne(row);
      if (due === undefined) continue;
      const advances = last === undefined || last.number !== due.number || last.domain !== due.domain || last.timeMs < due.timeMs;
      withoutAdvance = advances ? 0 : withoutAdvance + 1;
      last = due;
      if (withoutAdvance <= MOST_WITHOUT_ADVANCE) fireOne(due, afterMs);
      else
        run(`timer of ${due.domain} time ${due.timeMs}`, () => {
          throw new RangeError('onTimer sets, again and again, a timer that is not later than the one that fires: that never ends');
        });
    }
    clock.watermarkMs = afterMs;
    if (!any) return false;
    try {
      state.takeBack();
      broadcast?.takeBack();
    } catch (cause) {
      throw new TimerError(uid, 'behind its timers', cause);
    }
    return true;
  };
}
