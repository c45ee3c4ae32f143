import type { KafkaAnswer, TopicPartition } from '../../ports/kafka-requests.ts';
import type { Asking } from './asking.ts';
import type { KafkaCommittable } from './committable.ts';
import { type OpenTransaction, readOpen } from './left-open.ts';

/**
 * - `sound`: committing these transactions shows their own records and nothing else.
 * - `unsound`: it would show, or has lost, something else; they must be aborted. `leftOpen`: what else is open under their ids.
 */
export type PreparedCheck =
  | { readonly outcome: 'sound' }
  | {
      readonly outcome: 'unsound';
      readonly message: string;
      readonly leftOpen: readonly { readonly of: KafkaCommittable; readonly partitions: readonly TopicPartition[] }[];
    }
  | { readonly outcome: 'unknown'; readonly topic: string; readonly answer: KafkaAnswer };

/**
 * Whether prepared transactions hold their own records alone. A producer id has one open transaction in a partition: records
 * of an earlier attempt whose end a broker forgot are part of the next one, and would be committed with it. To be asked when
 * everything was acknowledged, and before the decision: from then on the partition refuses whoever might add to it.
 */
export async function checkPrepared(asking: Asking, prepared: readonly KafkaCommittable[]): Promise<PreparedCheck> {
  const topics = [...new Set(prepared.flatMap(({ written }) => written.map(({ topic }) => topic)))];
  const check = await checkOnce(asking, prepared, topics);
  if (check.outcome !== 'unsound') return check;
  // A follower answers too, and does not know yet what its leader does: another look at who leads, and one more question.
  for (const topic of topics) asking.kafka.forgetLeaders(topic);
  return checkOnce(asking, prepared, topics);
}

async function checkOnce(asking: Asking, prepared: readonly KafkaCommittable[], topics: readonly string[]): Promise<PreparedCheck> {
  const readings = await Promise.all(topics.map(async (topic) => ({ topic, ...(await readOpen(asking, topic)) })));
  const failed = readings.find(({ answer }) => answer !== 'NONE');
  if (failed !== undefined) return { outcome: 'unknown', topic: failed.topic, answer: failed.answer };
  const open = readings.flatMap((reading) => reading.open);
  const leaderless = readings.flatMap((reading) => reading.leaderless);
  return soundnessOf(prepared, open, leaderless);
}

/** See `checkPrepared`. A partition without a leader matters only where something was written to it. */
export function soundnessOf(
  prepared: readonly KafkaCommittable[],
  open: readonly OpenTransaction[],
  leaderless: readonly TopicPartition[],
): PreparedCheck {
  const unasked = prepared.flatMap(({ written }) => written).find((range) => leaderless.some((one) => isIn(one, range)));
  if (unasked !== undefined) return { outcome: 'unknown', topic: unasked.topic, answer: 'LEADER_NOT_AVAILABLE' };
  const faults = prepared.flatMap((committable) => {
    const own = open.filter(({ producerId }) => producerId === committable.producerId);
    return [...committable.written.flatMap((range) => faultIn(committable, range, own)), ...leftIn(committable, own)];
  });
  if (faults.length === 0) return { outcome: 'sound' };
  const leftOpen = prepared.flatMap((of) => {
    const partitions = open
      .filter(({ producerId }) => producerId === of.producerId)
      .filter((one) => !of.written.some((range) => isIn(one, range)));
    return partitions.length === 0 ? [] : [{ of, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) }];
  });
  return { outcome: 'unsound', message: faults.join('; '), leftOpen };
}

function faultIn(committable: KafkaCommittable, range: KafkaCommittable['written'][number], own: readonly OpenTransaction[]): string[] {
  const { transactionalId, producerEpoch } = committable;
  const found = own.find((one) => isIn(one, range));
  const where = `in topic ${range.topic}, partition ${range.partition}`;
  if (found === undefined || found.producerEpoch !== producerEpoch)
    return [`transaction ${transactionalId} was ended ${where} before it was decided (by another attempt, or its timeout)`];
  if (found.openSince !== range.first)
    return [
      `transaction ${transactionalId} has joined records ${where}, from offset ${found.openSince}, that an earlier attempt left open there: they are aborted with it`,
    ];
  return [];
}

function leftIn({ transactionalId, written }: KafkaCommittable, own: readonly OpenTransaction[]): string[] {
  return own
    .filter((one) => !written.some((range) => isIn(one, range)))
    .map(
      ({ topic, partition }) =>
        `under transactional id ${transactionalId} an earlier attempt left records open in topic ${topic}, partition ${partition}: they are aborted now`,
    );
}

function isIn(one: TopicPartition, other: TopicPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition;
}
