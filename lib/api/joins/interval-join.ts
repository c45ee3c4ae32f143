import type { Serde } from '../../format/serde.ts';
import { madeOf } from '../../format/versioned.ts';
import { JobDefinitionError, type KeyedContext, type Output, type Timer } from '../../graph/job.ts';
import { copyOf } from '../../operators/copy.ts';
import { type ValuePlace, valuePlaceSerde } from '../../operators/kinds/window/panes.ts';
import type { OrderedMap } from '../../state/columns/map.ts';
import { expectGiven } from '../expect-given.ts';
import { expectKnown } from '../known-options.ts';
import { mapState } from '../state.ts';
import { refuseAsync } from '../user-function.ts';
import { shownValue } from '../whole-number.ts';
import type { DraftedJoin, JoinSide } from './drafted-join.ts';

/** Which rows of two streams of one key belong together: `left.timestamp + lowerBoundMs <= right.timestamp <= left.timestamp + upperBoundMs`. */
export interface IntervalBounds {
  /** In milliseconds, included; at most a thousand years. Negative: the right one may be earlier. */
  readonly lowerBoundMs: number;
  /** In milliseconds, included; at most a thousand years. Not below `lowerBoundMs`. */
  readonly upperBoundMs: number;
}

/** An inner join by an interval of time. */
export interface IntervalJoin<L, R, O> extends IntervalBounds {
  /** `inner`: what nothing belongs to gives nothing. @default 'inner' */
  readonly type?: 'inner';
  /** Makes the result of two rows. */
  join(left: L, right: R): O;
}

/** A left join by an interval of time. */
export interface LeftIntervalJoin<L, R, O> extends IntervalBounds {
  /** `left`: left rows that nothing belongs to give a result too. */
  readonly type: 'left';
  /** Makes the result of two rows; without `right` of a left one that no right one belongs to. */
  join(left: L, right: R | undefined): O;
}

/** A left row that waits for more. */
interface Left {
  readonly value: unknown;
  /** Has any right row belonged to it? */
  readonly met: boolean;
}

interface State {
  readonly left: OrderedMap<ValuePlace, Left>;
  readonly right: OrderedMap<ValuePlace, unknown>;
}

/** @param where begins messages */
export function intervalJoin(
  options: IntervalJoin<unknown, unknown, unknown>,
  sides: readonly [JoinSide, JoinSide],
  where: string,
): DraftedJoin {
  expectGiven(options, where, '{ lowerBoundMs: 0, upperBoundMs: 60_000, join: (left, right) => … }');
  const { lowerBoundMs, upperBoundMs, join, type = 'inner' } = options as IntervalJoin<unknown, unknown, unknown>;
  expectKnown(options, { lowerBoundMs: true, upperBoundMs: true, join: true, type: true }, where);
  checkBounds({ lowerBoundMs, upperBoundMs }, where);
  refuseAsync(join, `${where}: join`);
  if (type !== 'inner' && type !== 'left')
    throw new JobDefinitionError(`${where}: type is ${JSON.stringify(type)}, and may be 'inner' or 'left'`);
  const isLeft = (type as string) === 'left';
  /** So long behind its time a row is kept for those of the other side. */
  const leftWaitsMs = Math.max(0, upperBoundMs);
  const rightWaitsMs = Math.max(0, -lowerBoundMs);
  const give = (out: Output<unknown>, left: unknown, right: unknown) => out.emit(join(copyOf(left), copyOf(right) as never));

  return {
    state: { left: mapState(valuePlaceSerde, leftSerde(sides[0].value)), right: mapState(valuePlaceSerde, sides[1].value) },
    names: ['left', 'right'],
    onRecord: [
      (value, state, out, { timestamp, timers }) => {
        const { left, right } = state as State;
        let met = false;
        for (const place of within(right, timestamp + lowerBoundMs, Math.min(timestamp, timestamp + upperBoundMs))) {
          met = true;
          give(out as Output<unknown>, value, right.copyOf(place));
        }
        if (upperBoundMs < 0) {
          if (isLeft && !met) give(out as Output<unknown>, value, undefined);
          return;
        }
        left.set(nextPlace(left, timestamp), { value, met });
        timers.setEventTime(timestamp + leftWaitsMs);
      },
      (value, state, out, { timestamp, timers }) => {
        const { left, right } = state as State;
        for (const place of within(left, timestamp - upperBoundMs, Math.min(timestamp, timestamp - lowerBoundMs))) {
          const one = left.copyOf(place) as Left;
          give(out as Output<unknown>, one.value, value);
          if (!one.met) left.set(place, { value: one.value, met: true });
        }
        // Left rows of the same time came before.
        if (lowerBoundMs >= 0) return;
        right.set(nextPlace(right, timestamp), value);
        timers.setEventTime(timestamp + rightWaitsMs);
      },
    ],
    onTimer({ timeMs }: Timer, state: unknown, out: Output<unknown>, { timers }: KeyedContext<unknown>) {
      const { left, right } = state as State;
      for (const place of within(left, Number.NEGATIVE_INFINITY, timeMs - leftWaitsMs)) {
        const one = left.copyOf(place) as Left;
        left.delete(place);
        if (isLeft && !one.met) give(out, one.value, undefined);
      }
      for (const place of within(right, Number.NEGATIVE_INFINITY, timeMs - rightWaitsMs)) right.delete(place);
      // Rows of before a start with wider bounds have timers at the ends of the narrower ones, and wait on.
      for (const [first, waitsMs] of [[left.firstKey(), leftWaitsMs] as const, [right.firstKey(), rightWaitsMs] as const])
        if (first !== undefined) timers.setEventTime(first.timeMs + waitsMs);
    },
  };
}

/** With any time that a record can have it is a time that numbers hold exactly. */
const LARGEST_BOUND_MS = 1000 * 365 * 86_400_000;

function checkBounds({ lowerBoundMs, upperBoundMs }: IntervalBounds, where: string): void {
  for (const [name, bound] of Object.entries({ lowerBoundMs, upperBoundMs })) {
    if (!Number.isSafeInteger(bound))
      throw new JobDefinitionError(`${where}: ${name} is ${shownValue(bound)}, and must be whole milliseconds`);
    if (Math.abs(bound) > LARGEST_BOUND_MS)
      throw new JobDefinitionError(
        `${where}: ${name} is ${bound}, and may be ${LARGEST_BOUND_MS} at most (a thousand years), or as much below zero: rows are kept for so long`,
      );
  }
  if (lowerBoundMs > upperBoundMs)
    throw new JobDefinitionError(
      `${where}: lowerBoundMs is ${lowerBoundMs}, above upperBoundMs, which is ${upperBoundMs}: no row could belong to another; turn them round`,
    );
}

/** Places of rows from one time to another, both included, in their order. What is visited may be deleted meanwhile. */
function* within(rows: OrderedMap<ValuePlace, unknown>, fromMs: number, toMs: number): Generator<ValuePlace> {
  let place = fromMs === Number.NEGATIVE_INFINITY ? rows.firstKey() : rows.keyBehind({ timeMs: fromMs - 1, sequence: LAST_SEQUENCE });
  for (; place !== undefined && place.timeMs <= toMs; place = rows.keyBehind(place)) yield place;
}

/** The largest that a place holds. */
const LAST_SEQUENCE = 2 ** 48 - 1;

/** Behind all rows of that time. */
function nextPlace(rows: OrderedMap<ValuePlace, unknown>, timeMs: number): ValuePlace {
  const last = rows.keyUpTo({ timeMs, sequence: LAST_SEQUENCE });
  return { timeMs, sequence: last?.timeMs === timeMs ? last.sequence + 1 : 0 };
}

/** The row as it crosses the exchange, behind whether it has met another. */
function leftSerde(of: Serde<unknown>): Serde<Left> {
  return madeOf(of, (value) => ({
    name: `met and ${value.name}`,
    write({ met, value: row }, out) {
      out.u8(met ? 1 : 0);
      value.write(row, out);
    },
    read: (bytes, start, end) => ({ met: bytes[start] === 1, value: value.read(bytes, start + 1, end) }),
  }));
}
