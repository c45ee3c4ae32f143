import { kindOf } from '../../ports/broker-answers.ts';
import type { KafkaAnswer, ProducerIdentity, TopicPartition } from '../../ports/kafka-requests.ts';
import { growingPauses } from '../../ports/pause.ts';
import { retried } from '../../ports/retry.ts';
import { mendOf } from './answers.ts';
import type { Asking } from './asking.ts';
import { abortLeftOpen, type OpenTransaction, readOpen } from './left-open.ts';

/**
 * `unasked`: partitions that had no leader until the deadline; what is open there, if anything, still is. `barred`: topics that
 * only a person can open to the job again. `others`: what is open in the topics under other producer ids.
 */
export type SettleOutcome =
  | {
      readonly outcome: 'settled';
      readonly unasked: readonly TopicPartition[];
      readonly barred: readonly BarredTopic[];
      readonly others: readonly OpenTransaction[];
    }
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string };

interface BarredTopic {
  readonly topic: string;
  readonly answer: KafkaAnswer;
}

/** A transactional id that may be open. */
export interface PoolId {
  readonly transactionalId: string;
  /** What its sink may have written to. */
  readonly topics: readonly string[];
}

/**
 * Ends whatever is open under the given transactional ids: an InitProducerId each, and an abort of what a broker has left
 * open (`left-open.ts`). Called after every decided epoch has been committed, at start and at stop; otherwise an id that
 * nobody uses any more would hold up every read_committed reader until the transaction times out, or for ever.
 *
 * @param isFormer the job wrote to that topic once, and does not any more: it need not have the rights to look there
 */
export async function settleTransactions(
  asking: Asking,
  transactionTimeoutMs: number,
  ids: readonly PoolId[],
  isFormer: (topic: string) => boolean = () => false,
): Promise<SettleOutcome> {
  const begun = await Promise.all(
    ids.map(async (id) => ({
      id,
      ...(await retried(asking, () => asking.kafka.initProducerId(id.transactionalId, transactionTimeoutMs))),
    })),
  );
  const refused = begun.find(({ answer }) => answer !== 'NONE');
  if (refused !== undefined) return failed(refused.id, 'InitProducerId', refused.answer);
  const topics = [...new Set(ids.flatMap((id) => id.topics))];
  const pauses = growingPauses(asking, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (;;) {
    const readings = await Promise.all(topics.map((topic) => readOpen(asking, topic)));
    const isBarred = (at: number) => kindOf(readings[at]?.answer ?? 'NONE') === 'refused' && isFormer(topics[at] ?? '');
    // A topic that is gone holds nothing open.
    const unread = readings.findIndex(({ answer }, at) => answer !== 'NONE' && answer !== 'UNKNOWN_TOPIC_OR_PARTITION' && !isBarred(at));
    const owners = begun.map(({ id, producerId, producerEpoch }) => ({
      id,
      who: { transactionalId: id.transactionalId, producerId, producerEpoch },
      open: readings.flatMap(({ open }) => open).filter((one) => one.producerId === producerId),
    }));
    const [first] = ids;
    if (unread >= 0 && first !== undefined)
      return failed(first, `DescribeProducers of topic ${topics[unread]}`, readings[unread]?.answer ?? 'NO_ANSWER', topics[unread]);
    const unasked = readings.flatMap(({ leaderless }) => leaderless);
    const open = owners.filter((owner) => owner.open.length > 0);
    if (open.length === 0 && (unasked.length === 0 || asking.clock.elapsedMs() >= asking.deadlineMs))
      return {
        outcome: 'settled',
        unasked,
        barred: topics.flatMap((topic, at) => (isBarred(at) ? [{ topic, answer: readings[at]?.answer ?? 'NO_ANSWER' }] : [])),
        others: openOfOthers(
          readings.flatMap((reading) => reading.open),
          begun,
        ),
      };
    const faults = await Promise.all(open.map((owner) => abortOf(asking, owner.id, owner.who, owner.open)));
    const fault = faults.find((each) => each !== undefined);
    if (fault !== undefined) return fault;
    if (asking.clock.elapsedMs() >= asking.deadlineMs && open[0] !== undefined)
      return failed(open[0].id, 'aborting what the broker had left open', 'REQUEST_TIMED_OUT');
    await pauses.wait();
  }
}

function openOfOthers(open: readonly OpenTransaction[], own: readonly { readonly producerId: string }[]): OpenTransaction[] {
  const ids = new Set(own.map(({ producerId }) => producerId));
  return open.filter(({ producerId }) => !ids.has(producerId));
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

async function abortOf(
  asking: Asking,
  id: PoolId,
  who: ProducerIdentity,
  open: readonly TopicPartition[],
): Promise<SettleOutcome | undefined> {
  const answer = await abortLeftOpen(asking, who, open);
  return answer === 'NONE' ? undefined : failed(id, 'aborting what the broker had left open', answer);
}

function failed(
  { transactionalId }: PoolId,
  during: string,
  answer: KafkaAnswer,
  topic?: string,
): Extract<SettleOutcome, { outcome: 'failed' }> {
  const refused = kindOf(answer) === 'refused';
  return {
    outcome: 'failed',
    retriable: !refused,
    message: `transaction ${transactionalId} could not be settled: ${during} was answered ${answer}${refused ? `: ${mendOf(answer, topic)}` : ''}`,
  };
}
