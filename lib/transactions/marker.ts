import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, ProducerIdentity, TransactionRequests } from '../ports/kafka-requests.ts';
import { markerGroup } from './ids.ts';
import { retried, retriedAnswer } from './retry.ts';

/**
 * The commit marker: a group offset that is written inside an epoch's transaction, so that it commits or aborts with
 * the data and proves later, when EndTxn's answers cannot, whether the transaction was committed (docs/protocol.md).
 */
export interface Marker {
  /** The sink's topic; the marker always names partition 0. */
  readonly topic: string;
  readonly epoch: number;
  /** The attempt's decision id, for people who look at the group. */
  readonly decisionId: string;
}

/** Makes the marker's group part of the transaction of `who` (AddOffsetsToTxn). Idempotent. */
export function announceMarker(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
): Promise<KafkaAnswer> {
  return retriedAnswer(timing, deadlineMs, () => kafka.addOffsets(who, markerGroup(who.transactionalId)));
}

/** Writes the marker into the transaction of `who` (TxnOffsetCommit), which `announceMarker` has made ready. Idempotent. */
export function writeMarker(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
  marker: Marker,
): Promise<KafkaAnswer> {
  const offset = { topic: marker.topic, partition: 0, offset: marker.epoch, metadata: marker.decisionId };
  return retriedAnswer(timing, deadlineMs, () => kafka.txnOffsetCommit(who, markerGroup(who.transactionalId), offset));
}

/** The epoch in the marker of a transactional id; `absent` is no proof that nothing was committed (see `resolve`). */
export type MarkerReading =
  | { readonly found: 'epoch'; readonly epoch: number }
  | { readonly found: 'absent' }
  | { readonly found: 'unknown'; readonly answer: KafkaAnswer };

/**
 * Reads the marker. Not stable: as it stands, without waiting for an open transaction. Stable: only an answer that no
 * open transaction can still change; needed after InitProducerId, because a coordinator that fails over (and brokers
 * before 3.9.1) may answer an old value.
 */
export async function readMarker(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  idOfMarker: string,
  topic: string,
  stable: boolean,
): Promise<MarkerReading> {
  const reading = await retried(timing, deadlineMs, () => kafka.offsetFetch(markerGroup(idOfMarker), { topic, partition: 0 }, stable));
  if (reading.answer !== 'NONE') return { found: 'unknown', answer: reading.answer };
  return reading.offset === undefined ? { found: 'absent' } : { found: 'epoch', epoch: reading.offset };
}

/** Whether the epoch was committed under the id. At or above and not equal: a later epoch may have used the id since. */
export function reached(reading: MarkerReading, epoch: number): boolean {
  return reading.found === 'epoch' && reading.epoch >= epoch;
}
