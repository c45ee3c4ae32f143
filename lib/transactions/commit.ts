import type { Committable } from '../format/manifest.ts';
import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, TransactionRequests } from '../ports/kafka-requests.ts';
import { kindOf } from './answers.ts';
import { retriedAnswer } from './retry.ts';

/**
 * The proof that an epoch was decided, without which nothing is committed. Made by `permitFor` in `lib/epoch/decide.ts`
 * from a decision that the store holds, and by nothing else; on the wire it is plain JSON.
 */
export interface CommitPermit {
  readonly epoch: number;
  readonly decisionId: string;
  readonly generation: number;
  readonly decided: true;
}

/** `doubtful`: whether the transaction was committed has to be found out by `resolve`. */
export type CommitOutcome = { readonly outcome: 'committed' } | { readonly outcome: 'doubtful'; readonly answer: KafkaAnswer };

/** Commits a prepared transaction from its committable, in whichever process. Only the answer OK means committed. */
export async function commitTransaction(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  permit: CommitPermit,
  committable: Committable,
): Promise<CommitOutcome> {
  if (permit.epoch !== committable.epoch)
    throw new Error(`the permit for epoch ${permit.epoch} does not cover the committable of epoch ${committable.epoch}`);
  const answer = await retriedAnswer(timing, deadlineMs, () => kafka.endTxn(committable, true));
  return kindOf(answer) === 'ok' ? { outcome: 'committed' } : { outcome: 'doubtful', answer };
}
