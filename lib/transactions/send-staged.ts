import type { StagedSection } from '../format/staged-output.ts';
import { type BatchStamp, batchesOf, stampBatch, stampPlainBatch } from '../format/stamp-batches.ts';
import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, PartitionBatch, ProducerIdentity, TransactionRequests } from '../ports/kafka-requests.ts';
import { announceMarker, type Marker, writeMarker } from './marker.ts';
import { retriedAnswer } from './retry.ts';

/** Produce requests to one leader that may be under way at once: the next is on the wire while one is written. */
const PRODUCE_IN_FLIGHT = 2;
/** One request carries about this much, so that two of them fill the connection and the broker's memory stays small. */
const REQUEST_BYTES = 1024 * 1024;

export type SendOutcome = { readonly sent: true } | { readonly sent: false; readonly answer: KafkaAnswer; readonly during: string };

/**
 * Fills an open transaction with the marker and every staged batch, every acknowledgement awaited. The one path of the
 * first send and of republishing. The batches are stamped in place: the caller owns the buffers.
 *
 * A failed Produce is not repeated here: the caller aborts, and a new attempt begins with a fresh InitProducerId.
 */
export async function sendStaged(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
  marker: Marker,
  sections: readonly StagedSection[],
): Promise<SendOutcome> {
  // One after the other: the transaction coordinator takes no request while it writes down another of the same id.
  const announced = await announceMarker(kafka, timing, deadlineMs, who);
  if (announced !== 'NONE') return { sent: false, answer: announced, during: 'AddOffsetsToTxn of the commit marker' };
  const partitions = distinctPartitions(sections);
  if (partitions.length > 0) {
    const added = await retriedAnswer(timing, deadlineMs, () => kafka.addPartitions(who, partitions));
    if (added !== 'NONE') return { sent: false, answer: added, during: 'AddPartitionsToTxn' };
  }
  // Then the marker, before any batch: the broker verifies both against the transaction, and of two verifications of one
  // id that meet it fails one, which makes it answer Produce with NOT_ENOUGH_REPLICAS.
  const marked = await writeMarker(kafka, timing, deadlineMs, who, marker);
  if (marked !== 'NONE') return { sent: false, answer: marked, during: 'TxnOffsetCommit of the commit marker' };
  const produced = await produceAll(kafka, who, partitions, sections);
  return produced === 'NONE' ? { sent: true } : { sent: false, answer: produced, during: 'Produce' };
}

/**
 * Sends every staged batch outside a transaction, every acknowledgement awaited. After a failure some may have been
 * appended: the caller sends all of it again.
 */
export async function sendPlain(kafka: TransactionRequests, sections: readonly StagedSection[]): Promise<SendOutcome> {
  const produced = await produceAll(kafka, undefined, distinctPartitions(sections), sections);
  return produced === 'NONE' ? { sent: true } : { sent: false, answer: produced, during: 'Produce' };
}

/** `who`: undefined outside a transaction. */
async function produceAll(
  kafka: TransactionRequests,
  who: ProducerIdentity | undefined,
  partitions: readonly { readonly topic: string }[],
  sections: readonly StagedSection[],
): Promise<KafkaAnswer> {
  const queues = await requestsByLeader(kafka, who, sections);
  const answers = await Promise.all([...queues].map(([leader, requests]) => produceInOrder(kafka, who, leader, requests)));
  const failed = answers.find((answer) => answer !== 'NONE');
  if (failed === undefined) return 'NONE';
  for (const { topic } of partitions) kafka.forgetLeaders(topic);
  return failed;
}

function distinctPartitions(sections: readonly StagedSection[]): { topic: string; partition: number }[] {
  const seen = new Map<string, { topic: string; partition: number }>();
  for (const { topic, partition } of sections) seen.set(`${topic} ${partition}`, { topic, partition });
  return [...seen.values()];
}

/**
 * Stamps every batch with the identity and its sequence number, and groups the batches into requests for each leader:
 * in every request at most one batch of a partition (the broker's rule), in the order in which they were staged.
 */
async function requestsByLeader(
  kafka: TransactionRequests,
  who: ProducerIdentity | undefined,
  sections: readonly StagedSection[],
): Promise<Map<number, PartitionBatch[][]>> {
  const nextSequence = new Map<string, number>();
  const queues = new Map<number, PartitionBatch[][]>();
  for (const { topic, partition, batches } of sections) {
    const leader = (await kafka.leaders(topic))[partition] ?? -1;
    const requests = queues.get(leader) ?? [];
    queues.set(leader, requests);
    const key = `${topic} ${partition}`;
    let sequence = nextSequence.get(key) ?? 0;
    for (const span of batchesOf(batches)) {
      if (who === undefined) stampPlainBatch(batches, span.start, span.end);
      else stampBatch(batches, span.start, span.end, stampOf(who, sequence));
      sequence += span.records;
      placeInRequests(requests, { topic, partition, batch: batches.subarray(span.start, span.end) });
    }
    nextSequence.set(key, sequence);
  }
  return queues;
}

function stampOf({ producerId, producerEpoch }: ProducerIdentity, baseSequence: number): BatchStamp {
  return { producerId: BigInt(producerId), producerEpoch, baseSequence };
}

/** Into the first request behind the partition's last batch that still has room. */
function placeInRequests(requests: PartitionBatch[][], batch: PartitionBatch): void {
  const holds = (request: PartitionBatch[]) => request.some((other) => other.topic === batch.topic && other.partition === batch.partition);
  for (let at = requests.findLastIndex(holds) + 1; at < requests.length; at++) {
    const request = requests[at];
    if (request !== undefined && sizeOf(request) + batch.batch.length <= REQUEST_BYTES) {
      request.push(batch);
      return;
    }
  }
  requests.push([batch]);
}

function sizeOf(request: readonly PartitionBatch[]): number {
  return request.reduce((sum, { batch }) => sum + batch.length, 0);
}

/**
 * Sends the requests in order, two under way; after a failure sends no more, and awaits what is under way. Outside a
 * transaction one: sequence numbers do not keep the second from being appended when the first was not.
 */
async function produceInOrder(
  kafka: TransactionRequests,
  who: ProducerIdentity | undefined,
  leader: number,
  requests: readonly PartitionBatch[][],
): Promise<KafkaAnswer> {
  const atOnce = who === undefined ? 1 : PRODUCE_IN_FLIGHT;
  const underWay: Promise<KafkaAnswer>[] = [];
  let worst: KafkaAnswer = 'NONE';
  for (const request of requests) {
    if (underWay.length === atOnce) {
      const answer = await underWay.shift();
      if (answer !== undefined && answer !== 'NONE') worst = answer;
    }
    if (worst !== 'NONE') break;
    underWay.push(kafka.produce(who, leader, request));
  }
  for (const answer of await Promise.all(underWay)) if (answer !== 'NONE' && worst === 'NONE') worst = answer;
  return worst;
}
