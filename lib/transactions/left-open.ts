import type { Timing } from '../ports/clock.ts';
import {
  type KafkaAnswer,
  KafkaProblem,
  type ProducerIdentity,
  type ProducerState,
  type TransactionRequests,
} from '../ports/kafka-requests.ts';
import { announceMarker } from './marker.ts';
import { retried, retriedAnswer } from './retry.ts';

/**
 * What became of a transaction, as its partitions show it. The answers of the transaction coordinator do not: a broker
 * (4.0 to 4.3, KAFKA-20734) that has no leader for a partition at that moment forgets the partition's marker, answers OK,
 * and takes the transaction for complete. Its records stay open under the producer id, and the *next* transaction of the
 * id decides over them: its commit shows what was aborted, its abort loses what was committed.
 */
export interface ProducerReading {
  readonly answer: KafkaAnswer;
  /** One for each partition that knows the producer id; none unless the answer is NONE. */
  readonly states: readonly ProducerState[];
}

/** What the leaders of every partition of `topic` know of one producer id. A topic that is gone is an answer, not an error. */
export async function readProducer(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  topic: string,
  producerId: string,
): Promise<ProducerReading> {
  return retried(timing, deadlineMs, async (): Promise<ProducerReading> => {
    const leaders = await leadersOf(kafka, topic);
    if (typeof leaders === 'string') return { answer: leaders, states: [] };
    const partitions = Map.groupBy(leaders.keys(), (partition) => leaders[partition] ?? -1);
    const answers = await Promise.all([...partitions].map(([leader, of]) => kafka.describeProducers(leader, topic, of)));
    const failed = answers.find(({ answer }) => answer !== 'NONE');
    if (failed !== undefined) {
      kafka.forgetLeaders(topic);
      return { answer: failed.answer, states: [] };
    }
    return { answer: 'NONE', states: answers.flatMap(({ producers }) => producers.filter((state) => state.producerId === producerId)) };
  });
}

async function leadersOf(kafka: TransactionRequests, topic: string): Promise<readonly number[] | KafkaAnswer> {
  try {
    return await kafka.leaders(topic);
  } catch (error) {
    if (error instanceof KafkaProblem) return error.code;
    throw error;
  }
}

/**
 * Makes what was left open under the producer id part of the transaction of `who`, a fresh identity under the same
 * producer id, so that this transaction's end is theirs; the marker's group too. Idempotent.
 */
export async function takeIn(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
  topic: string,
  left: readonly ProducerState[],
): Promise<KafkaAnswer> {
  const announced = await announceMarker(kafka, timing, deadlineMs, who);
  if (announced !== 'NONE' || left.length === 0) return announced;
  const partitions = left.map(({ partition }) => ({ topic, partition }));
  return retriedAnswer(timing, deadlineMs, () => kafka.addPartitions(who, partitions));
}

/** Aborts what was left open, see `takeIn`. NONE when it was aborted. */
export async function abortLeftOpen(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
  topic: string,
  left: readonly ProducerState[],
): Promise<KafkaAnswer> {
  const taken = await takeIn(kafka, timing, deadlineMs, who, topic, left);
  return taken === 'NONE' ? retriedAnswer(timing, deadlineMs, () => kafka.endTxn(who, false)) : taken;
}
