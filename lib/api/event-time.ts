import { type EventTimeStrategy, JobDefinitionError } from '../graph/job.ts';
import { type EveryOption, expectKnown } from './known-options.ts';
import { refuseAsync } from './user-function.ts';
import { expectSpan } from './whole-number.ts';

interface CommonEventTime<T> {
  /**
   * The time of a value, in milliseconds since the Unix epoch: a whole number. It takes the place of the record's timestamp in all that is
   * made of the value. What it throws, and what it gives that is no whole number, is an error of this record.
   * @default the record's timestamp; a record without one cannot be processed
   */
  readonly timestamp?: (value: T, recordTimestamp: number) => number;
  /**
   * A partition that has brought no record for so long, in processing time, does not hold back the others.
   * @default a partition is never idle: one without records holds back the time of all that is behind the source
   */
  readonly idleAfterMs?: number;
  /**
   * A partition whose watermark is further ahead than this of what is behind the source is not read on until the others have come
   * nearer: what waits for them stays small. The slowest is never held.
   * @default every partition is read as fast as it goes
   */
  readonly alignWithinMs?: number;
  /**
   * A record whose time, or with which a watermark, is further than this ahead of the processing time cannot be processed: one wrong clock
   * would otherwise make all that comes behind it late. Infinity: none is too far ahead.
   * @default 86,400,000 (a day)
   */
  readonly maxAheadMs?: number;
}

/** How a source's records get their event time, and how far it has come when they have been read: the watermark. */
export type EventTime<T> = CommonEventTime<T> &
  (
    | {
        /**
         * How much earlier than the latest record before it in its partition a record may be: the watermark is that far behind, and a
         * millisecond. 0: times only go forward.
         */
        readonly maxOutOfOrdernessMs: number;
        readonly watermark?: undefined;
      }
    | {
        /**
         * Which watermark comes with a value: what is not later than it has all come. Undefined: this value says nothing of it. One that
         * is earlier than one before it changes nothing.
         */
        readonly watermark: (value: T, timestamp: number) => number | undefined;
        readonly maxOutOfOrdernessMs?: undefined;
      }
  );

const OPTIONS: EveryOption<EventTime<never>> = {
  timestamp: true,
  maxOutOfOrdernessMs: true,
  watermark: true,
  idleAfterMs: true,
  alignWithinMs: true,
  maxAheadMs: true,
};

const DAY_MS = 24 * 60 * 60 * 1_000;

/** @param where begins the messages. @throws JobDefinitionError */
export function eventTimeStrategy(options: EventTime<never>, where: string): EventTimeStrategy {
  const { timestamp, maxOutOfOrdernessMs, watermark, idleAfterMs, alignWithinMs, maxAheadMs = DAY_MS } = options;
  expectKnown(options, OPTIONS, where);
  if ((maxOutOfOrdernessMs === undefined) === (watermark === undefined))
    throw new JobDefinitionError(
      `${where}: say how far its records may be out of order, maxOutOfOrdernessMs (0: not at all), or give a watermark function; one of both`,
    );
  if (timestamp !== undefined) refuseAsync(timestamp, `${where}: timestamp`);
  if (watermark !== undefined) refuseAsync(watermark, `${where}: watermark`);
  expectSpan(maxOutOfOrdernessMs, 0, `${where}: maxOutOfOrdernessMs`);
  expectSpan(idleAfterMs, 1, `${where}: idleAfterMs`);
  expectSpan(alignWithinMs, 0, `${where}: alignWithinMs`);
  if (maxAheadMs !== Number.POSITIVE_INFINITY) expectSpan(maxAheadMs, 0, `${where}: maxAheadMs`);
  return {
    timestamp: timestamp as EventTimeStrategy['timestamp'],
    maxOutOfOrdernessMs: maxOutOfOrdernessMs ?? 0,
    watermark: watermark as EventTimeStrategy['watermark'],
    idleAfterMs,
    alignWithinMs,
    maxAheadMs,
  };
}
