import {
  type KafkaAnswer,
  KafkaProblem,
  type ProducerIdentity,
  type ProducerState,
  type TopicPartition,
} from '../../ports/kafka-requests.ts';
import { retried, retriedAnswer } from '../../ports/retry.ts';
import type { Asking } from './asking.ts';

/**
 * What is open in partitions, by their leaders. The transaction coordinator does not know: a broker (4.0 to 4.3, KAFKA-20734)
 * that has no leader for a partition when a transaction ends forgets its end there, answers OK, and takes the transaction for
 * complete. Its records stay open under the producer id, and the next transaction of the id that has the partition decides
 * over them: its commit would show what was aborted, its abort lose what was committed.
 */
export interface OpenTransaction extends TopicPartition {
  readonly producerId: string;
  readonly producerEpoch: number;
  /** The timestamp of its last batch, as its producer stamped it. */
  readonly lastTimestampMs: number;
  /** The offset of its first record. */
  readonly openSince: number;
}

export interface OpenReading {
  /** NONE when every partition was asked, but those that have no leader at the moment. */
  readonly answer: KafkaAnswer;
  readonly open: readonly OpenTransaction[];
  readonly leaderless: readonly TopicPartition[];
}

const NO_LEADER = -1;

/** What is open in `only`, or in every partition of the topic. A topic that is gone is an answer, not an error. */
export async function readOpen(asking: Asking, topic: string, only?: readonly number[]): Promise<OpenReading> {
  let isGone = false;
  const reading = await retried(asking, async (): Promise<OpenReading> => {
    const leaders = await leadersOf(asking, topic);
    // Asked for several times already: what no broker knows need not be asked for until the deadline.
    isGone = leaders === 'UNKNOWN_TOPIC_OR_PARTITION';
    if (typeof leaders === 'string') return { answer: isGone ? 'NONE' : leaders, open: [], leaderless: [] };
    const partitions = Map.groupBy(only ?? leaders.keys(), (partition) => leaders[partition] ?? NO_LEADER);
    const leaderless = (partitions.get(NO_LEADER) ?? []).map((partition) => ({ topic, partition }));
    partitions.delete(NO_LEADER);
    const answers = await Promise.all([...partitions].map(([leader, of]) => asking.kafka.describeProducers(leader, topic, of)));
    const failed = answers.find(({ answer }) => answer !== 'NONE');
    if (failed !== undefined || leaderless.length > 0) asking.kafka.forgetLeaders(topic);
    if (failed !== undefined) return { answer: failed.answer, open: [], leaderless };
    return { answer: 'NONE', open: answers.flatMap(({ producers }) => producers.flatMap((state) => openIn(topic, state))), leaderless };
  });
  return isGone ? { ...reading, answer: 'UNKNOWN_TOPIC_OR_PARTITION' } : reading;
}

function openIn(topic: string, { openSince, ...of }: ProducerState): OpenTransaction[] {
  return openSince === undefined ? [] : [{ topic, ...of, openSince }];
}

async function leadersOf({ kafka }: Asking, topic: string): Promise<readonly number[] | KafkaAnswer> {
  try {
    return await kafka.leaders(topic);
  } catch (error) {
    if (error instanceof KafkaProblem) return error.code;
    throw error;
  }
}

/**
 * Aborts what is open under the producer id of `who`, a fresh identity, in these partitions: as a transaction of its own that
 * holds nothing else. NONE when the broker has answered that it is aborted.
 */
export async function abortLeftOpen(asking: Asking, who: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<KafkaAnswer> {
  const taken = await retriedAnswer(asking, () => asking.kafka.addPartitions(who, partitions));
  return taken === 'NONE' ? abortTransaction(asking, who) : taken;
}

/** Aborts an open transaction from its identity alone. Only for what no decision covers. */
export async function abortTransaction(asking: Asking, who: ProducerIdentity): Promise<KafkaAnswer> {
  return retriedAnswer(asking, () => asking.kafka.endTxn(who, false));
}
