import { compressBatch } from '../format/compress.ts';
import { RecordBatchWriter } from '../format/record-batch-writer.ts';
import { bytes } from '../format/serdes.ts';
import { stampPlainBatch } from '../format/stamp-batches.ts';
import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, KafkaRequests } from '../ports/kafka-requests.ts';
import { retried } from '../ports/retry.ts';
import type { DeadLetter } from './dead-letters.ts';

/** `refused`: why, and what to do. */
export type Retried = { readonly outcome: 'sent'; readonly offset: number } | { readonly outcome: 'refused'; readonly why: string };

const WITHIN_MS = 30_000;
const TOO_LARGE: readonly KafkaAnswer[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/**
 * Writes the record of a letter to the partition that it came from, behind what is there: with its key, value, headers and
 * timestamp. At least once: where a broker's answer is lost, it is sent again.
 */
export async function retryLetter(clients: Timing & { readonly kafka: KafkaRequests }, letter: DeadLetter): Promise<Retried> {
  const { topic, partition } = letter.from;
  const leaders = await clients.kafka.leaders(topic, partition + 1);
  if (leaders[partition] === undefined) {
    const why = `topic ${topic} has ${leaders.length} partitions, and the record was in partition ${partition}: give it the partitions that it had`;
    return { outcome: 'refused', why };
  }
  const batch = batchOf(letter);
  const plain = await produce(clients, letter, batch);
  // A record that came in a compressed batch may be larger than any that is not.
  const { answer, baseOffsets, refused } = TOO_LARGE.includes(plain.answer)
    ? await produce(clients, letter, compressBatch(batch, 'gzip'))
    : plain;
  if (answer === 'NONE') return { outcome: 'sent', offset: baseOffsets[0] ?? -1 };
  return {
    outcome: 'refused',
    why: `Produce was answered ${answer}${refused === undefined ? '' : ` (${refused})`}: ${mendOf(answer, topic)}`,
  };
}

function batchOf({ timestampMs, key, value, headers }: DeadLetter): Buffer {
  const writer = new RecordBatchWriter({ maxBatchBytes: Number.POSITIVE_INFINITY });
  writer.append(timestampMs, key, bytes, value, bytes, headers);
  return writer.finish();
}

function produce(clients: Timing & { readonly kafka: KafkaRequests }, { from: { topic, partition } }: DeadLetter, batch: Buffer) {
  const { kafka, clock } = clients;
  stampPlainBatch(batch, 0, batch.length);
  return retried({ ...clients, deadlineMs: clock.elapsedMs() + WITHIN_MS }, async () => {
    const leader = (await kafka.leaders(topic, partition + 1))[partition] ?? -1;
    const produced = await kafka.produce(undefined, leader, [{ topic, partition, batch }]);
    if (produced.answer !== 'NONE') kafka.forgetLeaders(topic);
    return produced;
  });
}

function mendOf(answer: KafkaAnswer, topic: string): string {
  switch (answer) {
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `grant WRITE on topic ${topic} to whoever retries: the job itself only reads it`;
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return `raise max.message.bytes of topic ${topic}`;
    case 'INVALID_TIMESTAMP':
      return `its timestamp is further from now than the topic takes: raise message.timestamp.before.max.ms or message.timestamp.after.max.ms of topic ${topic}`;
    case 'INVALID_RECORD':
      return `the topic takes no such record (a compacted topic takes none without a key): look at cleanup.policy of topic ${topic}`;
    default:
      return 'try again later, or look at the brokers';
  }
}
