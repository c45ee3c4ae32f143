import type { OnRecord } from '../../graph/job.ts';
import type { CurrentRecord } from '../../records/current-record.ts';
import type { Push } from '../../records/push.ts';
import type { WaitingColumn, WaitingRow } from '../../state/columns/waiting.ts';
import type { EpochClock } from '../epoch-clock.ts';
import type { OfInput } from '../of-input.ts';

/** The side output of what came late to an operator that works in order of time. */
export const LATE = 'late';

/** Of one time rows come in the order of the inputs, then of their origins: of several inputs each row waits under its input and origin. */
const rankOf = (input: number) => String.fromCharCode(input);

/** The origin of a row that has waited. @param inputs how many the operator has */
export function originOf({ origin }: WaitingRow, inputs: number): string {
  return inputs === 1 ? origin : origin.slice(1);
}

/** An input's rows of the current key wait until the watermark has come to them; what it has passed already goes to `late`. */
export type Hold = (input: number) => Push;

/** @param inputs how many there are */
export function holding(waiting: WaitingColumn, inputs: number, late: Push, current: CurrentRecord, clock: EpochClock): Hold {
  return (input) => {
    const rank = inputs === 1 ? '' : rankOf(input);
    const waitingOf = inputs === 1 ? (value: unknown) => value : (value: unknown): OfInput => ({ input, value });
    return (value) => {
      if (current.timestamp <= clock.watermarkMs) late(value);
      else waiting.put(current.timestamp, rank + current.origin, waitingOf(value));
    };
  };
}

/** Gives a row that has waited to the function of its input. */
export function givenTo(onRecord: readonly OnRecord[], give: (onRecord: OnRecord, value: unknown) => unknown): (row: unknown) => unknown {
  const [only] = onRecord;
  if (only !== undefined && onRecord.length === 1) return (row) => give(only, row);
  return (row) => {
    const { input, value } = row as OfInput;
    return give(onRecord[input] as OnRecord, value);
  };
}
