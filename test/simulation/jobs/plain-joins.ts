import type { KeyedContext, OnRecord, Output, ProcessNode, Timer } from '../../../lib/graph/job.ts';

/*
 * What the joins must do, written anew: they look at all rows that are kept, each time. The interpreter runs these in place of the engine's own.
 */

/** What an operator does with its rows and timers. */
export type Rewritten = Pick<ProcessNode, 'onRecord' | 'onTimer'>;

interface Place {
  readonly timeMs: number;
  readonly sequence: number;
}
interface Kept<V> {
  entries(): Iterable<[Place, V]>;
  set(place: Place, value: V): void;
  delete(place: Place): boolean;
}
interface Left {
  readonly value: unknown;
  readonly met: boolean;
}
interface Both {
  readonly left: Kept<Left>;
  readonly right: Kept<unknown>;
}
type Function2 = (value: unknown, both: Both, out: Output<unknown>, context: KeyedContext<unknown>) => void;

function keep<V>(rows: Kept<V>, timeMs: number, value: V): void {
  const before = [...rows.entries()].filter(([place]) => place.timeMs === timeMs).length;
  rows.set({ timeMs, sequence: before }, value);
}

/** Two rows belong together by their times alone. A row is kept while one of the other side may come that belongs to it; who stays alone is told then. */
export function plainIntervalJoin(
  { lowerBoundMs, upperBoundMs }: { readonly lowerBoundMs: number; readonly upperBoundMs: number },
  join: (left: unknown, right: unknown) => unknown,
): Rewritten {
  const belong = (leftMs: number, rightMs: number) => rightMs - leftMs >= lowerBoundMs && rightMs - leftMs <= upperBoundMs;
  const lastOfLeft = (leftMs: number) => leftMs + Math.max(upperBoundMs, 0);
  const lastOfRight = (rightMs: number) => rightMs + Math.max(-lowerBoundMs, 0);
  const onLeft: Function2 = (value, { left, right }, out, { timestamp, timers }) => {
    const others = [...right.entries()].filter(([{ timeMs }]) => belong(timestamp, timeMs));
    for (const [, other] of others) out.emit(join(value, other));
    // Of one time the right ones come later.
    if (upperBoundMs >= 0) {
      keep(left, timestamp, { value, met: others.length > 0 });
      timers.setEventTime(lastOfLeft(timestamp));
    } else if (others.length === 0) out.emit(join(value, undefined));
  };
  const onRight: Function2 = (value, { left, right }, out, { timestamp, timers }) => {
    for (const [place, one] of [...left.entries()]) {
      if (!belong(place.timeMs, timestamp)) continue;
      out.emit(join(one.value, value));
      left.set(place, { ...one, met: true });
    }
    if (lowerBoundMs >= 0) return;
    keep(right, timestamp, value);
    timers.setEventTime(lastOfRight(timestamp));
  };
  return {
    onRecord: [onLeft as OnRecord, onRight as OnRecord],
    onTimer({ timeMs }: Timer, state: unknown, out: Output<unknown>) {
      const { left, right } = state as Both;
      for (const [place, { value, met }] of [...left.entries()]) {
        if (lastOfLeft(place.timeMs) > timeMs) continue;
        left.delete(place);
        if (!met) out.emit(join(value, undefined));
      }
      for (const [place] of [...right.entries()]) if (lastOfRight(place.timeMs) <= timeMs) right.delete(place);
    },
  };
}

interface One {
  readonly version: { get(): unknown; set(value: unknown): void; clear(): void };
}

/** Of versions and of rows, which come in their order: each row with the last version, unless that is a deletion. */
export function plainVersionJoin(
  isDeleted: (version: unknown) => boolean,
  give: (row: unknown, version: unknown, out: Output<unknown>) => void,
): Rewritten {
  const onVersion = (value: unknown, { version }: One) => (isDeleted(value) ? version.clear() : version.set(value));
  const onRow = (value: unknown, { version }: One, out: Output<unknown>) => give(value, version.get(), out);
  return { onRecord: [onVersion as OnRecord, onRow as OnRecord], onTimer: undefined };
}
