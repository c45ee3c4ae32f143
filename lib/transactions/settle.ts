import type { Timing } from '../ports/clock.ts';
import type { TransactionRequests } from '../ports/kafka-requests.ts';
import { kindOf, mendOf } from './answers.ts';
import { retried } from './retry.ts';

export type SettleOutcome =
  | { readonly outcome: 'settled' }
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string };

/**
 * Ends whatever is open under the given transactional ids: an InitProducerId each. Called after every decided epoch has
 * been committed, at start and at stop; otherwise an id that nobody uses any more would hold up every read_committed
 * reader until the transaction times out.
 */
export async function settleTransactions(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  transactionTimeoutMs: number,
  ids: readonly string[],
): Promise<SettleOutcome> {
  const answers = await Promise.all(
    ids.map(async (id) => ({
      id,
      answer: (await retried(timing, deadlineMs, () => kafka.initProducerId(id, transactionTimeoutMs))).answer,
    })),
  );
  const bad = answers.find(({ answer }) => answer !== 'NONE');
  if (bad === undefined) return { outcome: 'settled' };
  const refused = kindOf(bad.answer) === 'refused';
  return {
    outcome: 'failed',
    retriable: !refused,
    message: `transaction ${bad.id} could not be settled: InitProducerId was answered ${bad.answer}${refused ? `: ${mendOf(bad.answer)}` : ''}`,
  };
}
