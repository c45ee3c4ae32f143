import type { Committable } from '../format/manifest.ts';
import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, TransactionRequests } from '../ports/kafka-requests.ts';
import { pauseBeforeRetry } from '../ports/pause.ts';
import { kindOf } from './answers.ts';
import { readProducer } from './left-open.ts';
import { reached, readMarker } from './marker.ts';
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

/** What `commitTransaction` answers when EndTxn was answered OK and a partition still has no marker at the deadline. */
export const NO_MARKER = 'NO_MARKER';
/** The same when somebody else has used the transactional id since, so that the partitions show no more who was committed. */
export const USED_SINCE = 'USED_SINCE';

/** A broker that takes longer to write markers is asked by `resolve`, whose InitProducerId waits for them. */
const MARKERS_PATIENCE_MS = 2_000;
const FIRST_LOOK_PAUSE_MS = 2;
const LONGEST_LOOK_PAUSE_MS = 100;

/**
 * Commits a prepared transaction from its committable, in whichever process. Committed means that EndTxn was answered OK
 * *and* that every partition of the topic and the marker's group have the end of the transaction: OK alone is a promise that
 * a broker can forget (`left-open.ts`).
 */
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
  if (kindOf(answer) !== 'ok') return { outcome: 'doubtful', answer };
  const marked = await awaitMarkers(kafka, timing, Math.min(deadlineMs, timing.clock.now() + MARKERS_PATIENCE_MS), committable);
  return marked === 'NONE' ? { outcome: 'committed' } : { outcome: 'doubtful', answer: marked };
}

async function awaitMarkers(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  { epoch, topic, transactionalId, producerId, producerEpoch }: Committable,
): Promise<KafkaAnswer> {
  for (let pauseMs = FIRST_LOOK_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_PAUSE_MS)) {
    // The broker answers EndTxn before it writes the markers, which takes it a few milliseconds.
    await pauseBeforeRetry(timing, pauseMs);
    const [marker, producer] = await Promise.all([
      readMarker(kafka, timing, deadlineMs, transactionalId, topic, false),
      readProducer(kafka, timing, deadlineMs, topic, producerId),
    ]);
    if (marker.found === 'unknown') return marker.answer;
    if (producer.answer !== 'NONE') return producer.answer;
    if (producer.states.some((state) => state.producerEpoch > producerEpoch)) return USED_SINCE;
    if (reached(marker, epoch) && !producer.states.some(({ isOpen }) => isOpen)) return 'NONE';
    if (timing.clock.now() + pauseMs >= deadlineMs) return NO_MARKER;
  }
}
