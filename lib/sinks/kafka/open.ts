import type { TransactionDescription } from '../../ports/kafka-requests.ts';

const OVER: ReadonlySet<string> = new Set(['unknown', 'Empty', 'CompleteCommit', 'CompleteAbort', 'Dead']);
const ENDING: ReadonlySet<string> = new Set(['PrepareCommit', 'PrepareAbort']);

/**
 * - `over`: nothing is open under the id.
 * - `ending`: the broker is writing the markers that end its transaction; that takes no one's doing.
 * - `open`: somebody has to end it, or the broker does after its timeout.
 */
export type Openness = 'over' | 'ending' | 'open';

export function opennessOf({ state }: Pick<TransactionDescription, 'state'>): Openness {
  if (OVER.has(state)) return 'over';
  return ENDING.has(state) ? 'ending' : 'open';
}
