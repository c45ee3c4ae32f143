import { type BatchStamp, batchesOf, stampBatch, stampPlainBatch } from '../../format/stamp-batches.ts';
import {
  type KafkaAnswer,
  KafkaProblem,
  type PartitionBatch,
  type ProduceAnswer,
  type ProducerIdentity,
  type TransactionRequests,
} from '../../ports/kafka-requests.ts';
import { retriedAnswer } from '../../ports/retry.ts';
import type { Asking } from './asking.ts';
import type { WrittenRange } from './committable.ts';
import type { StagedSection } from './staged-output.ts';

/** Produce requests to one leader that may be under way at once: the next is on the wire while one is written. */
const PRODUCE_IN_FLIGHT = 2;
/** One request carries about this much, so that two of them fill the connection and the broker's memory stays small. */
export const REQUEST_BYTES = 1024 * 1024;

/** `written`: where the records are, one range for each partition. */
export type SendOutcome = { readonly sent: true; readonly written: readonly WrittenRange[] } | SendFailure;

/** `refused`: which record the broker refused, and why, where it says so. */
export interface SendFailure {
  readonly sent: false;
  readonly answer: KafkaAnswer;
  readonly during: string;
  readonly refused?: string | undefined;
}

/** How many staged batches of a partition are acknowledged, by `topic partition`. */
export type Acknowledged = Map<string, number>;

/** A batch that is ready to be sent, and how many records it has. */
type ReadyBatch = PartitionBatch & { readonly records: number };

/**
 * Begins a transaction and fills it with every staged batch, every acknowledgement awaited. The one path of the first send
 * and of sending again. The batches are stamped in place: the caller owns the buffers.
 *
 * A failed Produce is not repeated here: the caller aborts, and a new attempt begins with a fresh InitProducerId.
 */
export async function sendStaged(asking: Asking, who: ProducerIdentity, sections: readonly StagedSection[]): Promise<SendOutcome> {
  const partitions = distinctPartitions(sections);
  const added = await retriedAnswer(asking, () => asking.kafka.addPartitions(who, partitions));
  if (added !== 'NONE') return { sent: false, answer: added, during: 'AddPartitionsToTxn' };
  const sending: Sending = { kafka: asking.kafka, who, written: new Map(), acknowledged: new Map(), newPace: () => () => true };
  return (await produceAll(sending, sections)) ?? { sent: true, written: [...sending.written.values()] };
}

/**
 * Sends the staged batches that are not `acknowledged`, outside a transaction, every acknowledgement awaited and noted there. Stops
 * when the next request to a leader would not be answered in time, by its slowest so far; the first is sent all the same, so that each
 * call gets on. Answers whether that was all. After a failure what was under way may have been appended: it is sent again.
 */
export async function sendPlain(
  { kafka, clock, deadlineMs }: Asking,
  sections: readonly StagedSection[],
  acknowledged: Acknowledged,
): Promise<'all' | 'partly' | SendFailure> {
  const beganMs = clock.elapsedMs();
  let stopped = false;
  const newPace = (): Pace => {
    let lastMs = beganMs;
    let slowestMs = 0;
    return (isFirst) => {
      const nowMs = clock.elapsedMs();
      slowestMs = Math.max(slowestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (isFirst || nowMs + slowestMs <= deadlineMs) return true;
      stopped = true;
      return false;
    };
  };
  const failed = await produceAll({ kafka, who: undefined, written: new Map(), acknowledged, newPace }, sections);
  return failed ?? (stopped ? 'partly' : 'all');
}

/** May another request be sent to the leader that it was made for? Asked before each; `isFirst`: of these. */
type Pace = (isFirst: boolean) => boolean;

interface Sending {
  readonly kafka: TransactionRequests;
  /** Undefined outside a transaction. */
  readonly who: ProducerIdentity | undefined;
  /** Where the batches are, by `topic partition`. */
  readonly written: Map<string, WrittenRange>;
  readonly acknowledged: Acknowledged;
  /** One for each leader: the one must not count the time of the other. */
  readonly newPace: () => Pace;
}

async function produceAll(sending: Sending, sections: readonly StagedSection[]): Promise<SendFailure | undefined> {
  const { kafka } = sending;
  const queues = await requestsByLeader(sending, sections);
  const answers = await Promise.all([...queues].map(([leader, requests]) => produceInOrder(sending, leader, requests)));
  const failed = answers.find(({ answer }) => answer !== 'NONE');
  if (failed === undefined) return undefined;
  for (const { topic } of distinctPartitions(sections)) kafka.forgetLeaders(topic);
  return { sent: false, ...failed, during: 'Produce' };
}

function distinctPartitions(sections: readonly StagedSection[]): { topic: string; partition: number }[] {
  const seen = new Map<string, { topic: string; partition: number }>();
  for (const { topic, partition } of sections) seen.set(`${topic} ${partition}`, { topic, partition });
  return [...seen.values()];
}

/**
 * Stamps every batch with the identity and its sequence number, and groups those that are not acknowledged into requests for each
 * leader: in every request at most one batch of a partition (the broker's rule), in the order in which they were staged. All batches of
 * a partition go to one leader, though who leads may change meanwhile: the second of two could be acknowledged without the first, which
 * would count as sent.
 */
async function requestsByLeader(
  { kafka, who, acknowledged }: Sending,
  sections: readonly StagedSection[],
): Promise<Map<number, ReadyBatch[][]>> {
  const nextSequence = new Map<string, number>();
  const toSkip = new Map(acknowledged);
  const leaders = new Map<string, number>();
  const queues = new Map<number, ReadyBatch[][]>();
  for (const { topic, partition, batches } of sections) {
    const key = `${topic} ${partition}`;
    const leader = leaders.get(key) ?? (await leaderOf(kafka, topic, partition, who !== undefined));
    leaders.set(key, leader);
    const requests = queues.get(leader) ?? [];
    queues.set(leader, requests);
    let sequence = nextSequence.get(key) ?? 0;
    for (const span of batchesOf(batches)) {
      const skipped = toSkip.get(key) ?? 0;
      if (skipped > 0) {
        toSkip.set(key, skipped - 1);
        continue;
      }
      if (who === undefined) stampPlainBatch(batches, span.start, span.end);
      else stampBatch(batches, span.start, span.end, stampOf(who, sequence));
      sequence += span.records;
      placeInRequests(requests, { topic, partition, batch: batches.subarray(span.start, span.end), records: span.records });
    }
    nextSequence.set(key, sequence);
  }
  return queues;
}

/**
 * -1 while one is being elected. Throws `KafkaProblem` when the topic has no such partition: it was made anew with fewer. `isAdded`: it was
 * just taken into a transaction, so that who does not know it knows less, and will know more.
 */
async function leaderOf(kafka: TransactionRequests, topic: string, partition: number, isAdded: boolean): Promise<number> {
  const leaders = await kafka.leaders(topic, partition + 1);
  const leader = leaders[partition];
  if (leader !== undefined) return leader;
  kafka.forgetLeaders(topic);
  throw new KafkaProblem(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `output is for partition ${partition} of topic ${topic}, which has ${leaders.length} partitions now: give it the partitions that it had`,
    isAdded,
  );
}

function stampOf({ producerId, producerEpoch }: ProducerIdentity, baseSequence: number): BatchStamp {
  return { producerId: BigInt(producerId), producerEpoch, baseSequence };
}

/** Into the first request behind the partition's last batch that still has room. */
function placeInRequests(requests: ReadyBatch[][], batch: ReadyBatch): void {
  const holds = (request: ReadyBatch[]) => request.some((other) => other.topic === batch.topic && other.partition === batch.partition);
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
 * transaction one: sequence numbers do not keep the second from being appended when the first was not. Notes where the
 * batches are.
 */
async function produceInOrder(sending: Sending, leader: number, requests: readonly ReadyBatch[][]): Promise<Produced> {
  const { kafka, who, newPace } = sending;
  const mayGoOn = newPace();
  const atOnce = who === undefined ? 1 : PRODUCE_IN_FLIGHT;
  const underWay: Promise<Produced>[] = [];
  let worst: Produced = { answer: 'NONE' };
  for (const [index, request] of requests.entries()) {
    if (underWay.length === atOnce) worst = (await underWay.shift()) ?? worst;
    if (worst.answer !== 'NONE' || !mayGoOn(index === 0)) break;
    const sent = kafka.produce(who, leader, request);
    underWay.push(sent.then((produced) => ({ answer: noted(request, produced, sending), refused: produced.refused })));
  }
  for (const produced of await Promise.all(underWay)) if (worst.answer === 'NONE') worst = produced;
  return worst;
}

type Produced = Pick<ProduceAnswer, 'answer' | 'refused'>;

/** Batches of a partition lie in the order of their requests; of two that are under way the second may be heard of first. */
function noted(
  request: readonly ReadyBatch[],
  { answer, baseOffsets }: ProduceAnswer,
  { written, acknowledged }: Pick<Sending, 'written' | 'acknowledged'>,
): KafkaAnswer {
  if (answer !== 'NONE') return answer;
  for (const [index, { topic, partition, records }] of request.entries()) {
    const offset = baseOffsets[index] ?? -1;
    // A broker that knows a batch from before may have forgotten where it is: then there is no evidence of it.
    if (offset < 0) return 'UNKNOWN_SERVER_ERROR';
    const key = `${topic} ${partition}`;
    const { first, last } = written.get(key) ?? { first: offset, last: offset };
    written.set(key, { topic, partition, first: Math.min(first, offset), last: Math.max(last, offset + records - 1) });
    acknowledged.set(key, (acknowledged.get(key) ?? 0) + 1);
  }
  return 'NONE';
}
