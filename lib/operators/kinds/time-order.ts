import type { CurrentRecord } from '../../records/current-record.ts';
import type { Push } from '../../records/push.ts';
import type { WaitingColumn } from '../../state/columns/waiting.ts';
import type { EpochClock } from '../epoch-clock.ts';

/** The side output of what came late to an operator that works in order of time. */
export const LATE = 'late';

/** Has rows of the current key wait until the watermark has come to them; what it has passed already goes to `late`. */
export function holding(waiting: WaitingColumn, late: Push, current: CurrentRecord, clock: EpochClock): Push {
  return (value) => {
    if (current.timestamp <= clock.watermarkMs) late(value);
    else waiting.put(current.timestamp, current.origin, value);
  };
}
