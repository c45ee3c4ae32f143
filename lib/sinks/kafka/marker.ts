import type { KafkaAnswer } from '../../ports/kafka-requests.ts';
import { retried } from '../../ports/retry.ts';
import type { CommitOutcome } from '../connector.ts';
import type { Asking } from './asking.ts';
import type { CommitMarker, KafkaCommittable } from './committable.ts';
import { readOpen } from './left-open.ts';

/**
 * Epochs that were decided by builds before committables held evidence (manifests of version 1). Each transaction of theirs
 * committed a group offset too, the epoch's number, to a group named like its transactional id, topic as in the committable,
 * partition 0: the commit marker. This file, `CommitMarker` and `offsetFetch` serve the one epoch that such a build may have
 * left decided and not committed when it was updated.
 */
export type MarkerVerdict =
  | { readonly verdict: 'committed' }
  | { readonly verdict: 'not-committed' }
  | { readonly verdict: 'unsettled' | 'no-evidence' | 'forgotten'; readonly message: string };

/** An absent marker may have expired with its group; the broker keeps it for days, and this long at the least in any sane setting. */
const ABSENCE_COUNTS_MS = 12 * 3_600_000;

export async function isCommittedByMarker(
  asking: Asking,
  committable: KafkaCommittable,
  marker: CommitMarker,
  answer: KafkaAnswer,
): Promise<CommitOutcome> {
  const found = await markerVerdict(asking, committable, marker, asking.clock.now());
  return found.verdict === 'committed' ? { outcome: 'committed' } : { outcome: 'doubtful', why: `EndTxn was answered ${answer}` };
}

/**
 * What the marker says. Believed as `not-committed` only after an InitProducerId on the id. At or above the epoch and not equal
 * to it: a later epoch may have used the id since. `nowMs`: the time of day.
 */
export async function markerVerdict(
  asking: Asking,
  { transactionalId, producerId, epoch }: KafkaCommittable,
  marker: CommitMarker,
  nowMs: number,
): Promise<MarkerVerdict> {
  const { kafka } = asking;
  const at = { topic: marker.topic, partition: 0 };
  const [reading, { open, answer, leaderless }] = await Promise.all([
    retried(asking, () => kafka.offsetFetch(transactionalId, at)),
    readOpen(asking, marker.topic),
  ]);
  const what = `epoch ${epoch}, decided by an earlier version, transaction ${transactionalId}`;
  if (reading.answer !== 'NONE' || answer !== 'NONE')
    return { verdict: 'unsettled', message: `${what}: its commit marker could not be read (${reading.answer}, ${answer})` };
  // What is open there, if anything, would be taken for ended.
  if (leaderless.length > 0)
    return {
      verdict: 'unsettled',
      message: `${what}: partitions ${leaderless.map(({ partition }) => partition).join(', ')} of topic ${marker.topic} have no leader`,
    };
  const left = open.filter((one) => one.producerId === producerId).map(({ partition }) => partition);
  if (left.length > 0)
    return {
      verdict: 'forgotten',
      message: `${what}: the broker answered that it ended and forgot the end in partitions ${left.join(', ')} of topic ${marker.topic} (KAFKA-20734). Compare what a read_committed consumer sees there with what lies behind it (read_uncommitted), write what is missing by hand, end the rest with Kafka's kafka-transactions.sh abort, and start the job again`,
    };
  if (reading.offset !== undefined && reading.offset >= epoch) return { verdict: 'committed' };
  if (reading.offset !== undefined) return { verdict: 'not-committed' };
  const ageMs = nowMs - marker.startedAtMs;
  if (marker.previousUseAtMs === undefined && ageMs < ABSENCE_COUNTS_MS) return { verdict: 'not-committed' };
  return {
    verdict: 'no-evidence',
    message:
      `${what}: its commit marker is gone (the consumer group or the sink topic was deleted, or it expired). Look whether its output is in ` +
      `topic ${marker.topic} (read_committed), and start once with ONCEFLOW_ON_MISSING_EVIDENCE=committed or =lost ("Missing evidence" in docs/runbook.md)`,
  };
}
