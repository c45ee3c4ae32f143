import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, TransactionRequests } from '../ports/kafka-requests.ts';
import { kindOf, mendOf } from './answers.ts';
import { NO_MARKER } from './commit.ts';
import { abortLeftOpen, readProducer } from './left-open.ts';
import { retried } from './retry.ts';

export type SettleOutcome =
  | { readonly outcome: 'settled' }
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string };

/** A transactional id that may be open. */
export interface PoolId {
  readonly transactionalId: string;
  /** What its sink writes to; undefined where that is not known, and what the broker left open there stays so. */
  readonly topic: string | undefined;
}

/**
 * Ends whatever is open under the given transactional ids: an InitProducerId each, and an abort of what a broker has left
 * open (`left-open.ts`). Called after every decided epoch has been committed, at start and at stop; otherwise an id that
 * nobody uses any more would hold up every read_committed reader until the transaction times out, or for ever.
 */
export async function settleTransactions(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  transactionTimeoutMs: number,
  ids: readonly PoolId[],
): Promise<SettleOutcome> {
  const answers = await Promise.all(
    ids.map(async (id) => ({ id, ...(await settleOne(kafka, timing, deadlineMs, transactionTimeoutMs, id)) })),
  );
  const bad = answers.find(({ answer }) => answer !== 'NONE');
  if (bad === undefined) return { outcome: 'settled' };
  const refused = kindOf(bad.answer) === 'refused';
  return {
    outcome: 'failed',
    retriable: !refused,
    message: `transaction ${bad.id.transactionalId} could not be settled: ${bad.during} was answered ${bad.answer}${refused ? `: ${mendOf(bad.answer)}` : ''}`,
  };
}

async function settleOne(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  transactionTimeoutMs: number,
  { transactionalId, topic }: PoolId,
): Promise<{ readonly answer: KafkaAnswer; readonly during: string }> {
  for (;;) {
    const { answer, producerId, producerEpoch } = await retried(timing, deadlineMs, () =>
      kafka.initProducerId(transactionalId, transactionTimeoutMs),
    );
    if (answer !== 'NONE' || topic === undefined) return { answer, during: 'InitProducerId' };
    const producer = await readProducer(kafka, timing, deadlineMs, topic, producerId);
    const open = producer.states.filter(({ isOpen }) => isOpen);
    if (open.length === 0) return { answer: producer.answer, during: 'DescribeProducers' };
    const during = `aborting what the broker had left open in topic ${topic}`;
    const aborted = await abortLeftOpen(kafka, timing, deadlineMs, { transactionalId, producerId, producerEpoch }, topic, open);
    if (aborted !== 'NONE') return { answer: aborted, during };
    if (timing.clock.now() >= deadlineMs) return { answer: NO_MARKER, during };
  }
}
