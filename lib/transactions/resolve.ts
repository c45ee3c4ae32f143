import type { Committable } from '../format/manifest.ts';
import type { StagedSection } from '../format/staged-output.ts';
import type { Timing } from '../ports/clock.ts';
import type { ProducerIdentity, TransactionRequests } from '../ports/kafka-requests.ts';
import { type CommitPermit, commitTransaction } from './commit.ts';
import { type MarkerReading, readMarker } from './marker.ts';
import { retried } from './retry.ts';
import { sendStaged } from './send-staged.ts';

export interface ResolveRequest {
  readonly permit: CommitPermit;
  readonly committable: Committable;
  readonly transactionTimeoutMs: number;
  readonly deadlineMs: number;
  /** When this epoch's sink stage started: its marker, if it was committed, is no older. */
  readonly sinkStartedAtMs: number;
  /** When the epoch that used this transactional id before, in this incarnation, started its sink stage. */
  readonly previousUseAtMs: number | undefined;
  /** The broker's offsets.retention.minutes, in milliseconds. */
  readonly markerRetentionMs: number;
  /** Reads the staged output; called only when it has to be sent again. */
  readonly staged: () => Promise<readonly StagedSection[]>;
}

/**
 * - `committed`: the transaction had been committed before (its marker says so).
 * - `republished`: the broker had aborted it; the staged output was sent again and committed.
 * - `unsettled`: not known yet; the coordinator checks that it still holds its generation and asks again.
 * - `no-evidence`: the absence of a marker proves nothing any more; a person has to decide.
 */
export type ResolveOutcome =
  | { readonly outcome: 'committed' | 'republished' }
  | { readonly outcome: 'unsettled'; readonly message: string }
  | { readonly outcome: 'no-evidence'; readonly message: string };

/**
 * Finds out whether a decided epoch's transaction was committed, and commits its output if it was not
 * (docs/protocol.md). Asked for only by the holder of the generation. It never loops by itself.
 */
export async function resolveTransaction(kafka: TransactionRequests, timing: Timing, request: ResolveRequest): Promise<ResolveOutcome> {
  const { committable, deadlineMs } = request;
  const { epoch, topic, transactionalId } = committable;

  // As it stands, not stable: a stable read would wait for the very transaction that is in doubt. At or above the
  // epoch and not equal to it, because a later epoch may have used the id since. Nobody is fenced in this case.
  const before = await readMarker(kafka, timing, deadlineMs, transactionalId, topic, false);
  if (reached(before, epoch)) return { outcome: 'committed' };

  // From here on nobody else can commit or write under the old identity: what the marker says now stays true.
  const fenced = await retried(timing, deadlineMs, () => kafka.initProducerId(transactionalId, request.transactionTimeoutMs));
  if (fenced.answer !== 'NONE') return unsettled(committable, `InitProducerId was answered ${fenced.answer}`);
  const who: ProducerIdentity = { transactionalId, producerId: fenced.producerId, producerEpoch: fenced.producerEpoch };

  const after = await readMarker(kafka, timing, deadlineMs, transactionalId, topic, true);
  if (reached(after, epoch)) return { outcome: 'committed' };
  if (after.found === 'unknown') return unsettled(committable, `the commit marker could not be read (${after.answer})`);
  const doubt = evidenceLost(request, after, timing.clock.now());
  if (doubt !== undefined) return { outcome: 'no-evidence', message: doubt };

  // Under the identity of the InitProducerId above, never another: if anyone came between, this send is refused.
  const marker = { topic, epoch, decisionId: request.permit.decisionId };
  const sent = await sendStaged(kafka, timing, deadlineMs, who, marker, await request.staged());
  if (!sent.sent) return unsettled(committable, `republishing: ${sent.during} was answered ${sent.answer}`);
  const committed = await commitTransaction(kafka, timing, deadlineMs, request.permit, { ...committable, ...who });
  return committed.outcome === 'committed'
    ? { outcome: 'republished' }
    : unsettled(committable, `republishing: EndTxn was answered ${committed.answer}`);
}

function reached(reading: MarkerReading, epoch: number): boolean {
  return reading.found === 'epoch' && reading.epoch >= epoch;
}

/** Absence is no evidence for ever: markers go with the group's retention. Returns what a person has to know, or undefined. */
export function evidenceLost(
  request: Pick<ResolveRequest, 'committable' | 'sinkStartedAtMs' | 'previousUseAtMs' | 'markerRetentionMs'>,
  reading: MarkerReading,
  nowMs: number,
): string | undefined {
  const { transactionalId, topic, epoch } = request.committable;
  const byHand =
    `Look whether the output of epoch ${epoch} of transaction ${transactionalId} is in topic ${topic} (read_committed). ` +
    'If it is, commit offset ' +
    `${epoch} for partition 0 of that topic to the consumer group ${transactionalId}; if it is not, commit offset ${Math.max(0, epoch - 1)}. Then start the job again.`;
  const ageMs = nowMs - request.sinkStartedAtMs;
  if (reading.found === 'absent' && ageMs > request.markerRetentionMs / 2) {
    return `epoch ${epoch} was decided ${hours(ageMs)} ago, more than half of the broker's offsets.retention.minutes (${hours(request.markerRetentionMs)}): a missing commit marker proves nothing any more. ${byHand}`;
  }
  const previousAgeMs = request.previousUseAtMs === undefined ? undefined : nowMs - request.previousUseAtMs;
  if (reading.found === 'absent' && previousAgeMs !== undefined && previousAgeMs < request.markerRetentionMs) {
    return `the commit markers of transaction ${transactionalId} are gone although it was committed ${hours(previousAgeMs)} ago (the consumer group or the sink topic was deleted?): whether epoch ${epoch} was committed cannot be told. ${byHand}`;
  }
  return undefined;
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function unsettled(committable: Committable, why: string): ResolveOutcome {
  return { outcome: 'unsettled', message: `transaction ${committable.transactionalId} of epoch ${committable.epoch}: ${why}` };
}
