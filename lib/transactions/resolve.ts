import type { Committable } from '../format/manifest.ts';
import type { StagedSection } from '../format/staged-output.ts';
import type { Timing } from '../ports/clock.ts';
import type { ProducerIdentity, ProducerState, TransactionRequests } from '../ports/kafka-requests.ts';
import { type CommitPermit, commitTransaction } from './commit.ts';
import { abortLeftOpen, readProducer, takeIn } from './left-open.ts';
import { type MarkerReading, reached, readMarker, writeMarker } from './marker.ts';
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

/** Once every transaction of the id has ended its marker is stable within milliseconds, if ever. */
const STABLE_PATIENCE_MS = 1_000;

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
  const { committable, deadlineMs, permit } = request;
  const { epoch, topic, transactionalId } = committable;

  // As it stands, not stable: a stable read would wait for the very transaction that is in doubt. At or above the
  // epoch and not equal to it, because a later epoch may have used the id since. Nobody is fenced in this case.
  const before = await readMarker(kafka, timing, deadlineMs, transactionalId, topic, false);
  if (reached(before, epoch)) {
    const { answer, states } = await readProducer(kafka, timing, deadlineMs, topic, committable.producerId);
    if (answer === 'NONE' && !states.some((state) => isOpenOf(state, committable))) return { outcome: 'committed' };
  }

  // From here on nobody else can commit or write under the old identity: what the marker says now stays true.
  const fenced = await retried(timing, deadlineMs, () => kafka.initProducerId(transactionalId, request.transactionTimeoutMs));
  if (fenced.answer !== 'NONE') return unsettled(committable, `InitProducerId was answered ${fenced.answer}`);
  const who: ProducerIdentity = { transactionalId, producerId: fenced.producerId, producerEpoch: fenced.producerEpoch };

  // Not until the deadline, nor for long: when the broker has forgotten the end of a transaction, the marker is never stable again.
  const after = await readMarker(kafka, timing, stableUntil(timing.clock.now(), deadlineMs), transactionalId, topic, true);
  const isUnstable = after.found === 'unknown' && after.answer === 'UNSTABLE_OFFSET_COMMIT';
  if (after.found === 'unknown' && !isUnstable) return unsettled(committable, `the commit marker could not be read (${after.answer})`);
  const producer = await readProducer(kafka, timing, deadlineMs, topic, committable.producerId);
  if (producer.answer !== 'NONE') return unsettled(committable, `DescribeProducers was answered ${producer.answer}`);
  const open = producer.states.filter(({ isOpen }) => isOpen);
  if (reached(after, epoch) && open.length === 0) return { outcome: 'committed' };
  // Producer ids are replaced when their epochs are used up. What an old one left open no client can end.
  if (open.length > 0 && who.producerId !== committable.producerId) return { outcome: 'no-evidence', message: tornText(committable) };
  const staged = await request.staged();
  const marker = { topic, epoch, decisionId: permit.decisionId };

  switch (verdictOf(committable, isUnstable ? undefined : reached(after, epoch), producer.states, staged)) {
    case 'in-place': {
      // Everything is there and only its end is missing: the end of a transaction that takes it in is its end.
      const taken = await takeIn(kafka, timing, deadlineMs, who, topic, open);
      if (taken !== 'NONE') return unsettled(committable, `taking in what the broker had left open was answered ${taken}`);
      const marked = await writeMarker(kafka, timing, deadlineMs, who, marker);
      if (marked !== 'NONE') return unsettled(committable, `TxnOffsetCommit of the commit marker was answered ${marked}`);
      const ended = await commitTransaction(kafka, timing, deadlineMs, permit, { ...committable, ...who });
      return ended.outcome === 'committed'
        ? ended
        : unsettled(committable, `ending what the broker had left open was answered ${ended.answer}`);
    }
    case 'left-open': {
      const aborted = await abortLeftOpen(kafka, timing, deadlineMs, who, topic, open);
      return unsettled(committable, `what the broker had left open is aborted (${aborted}) before it is asked again`);
    }
    case 'torn':
      return { outcome: 'no-evidence', message: tornText(committable) };
    case 'not-committed': {
      const doubt = evidenceLost(request, after, timing.clock.now());
      if (doubt !== undefined) return { outcome: 'no-evidence', message: doubt };
      // Under the identity of the InitProducerId above, never another: if anyone came between, this send is refused.
      const sent = await sendStaged(kafka, timing, deadlineMs, who, marker, staged);
      if (!sent.sent) return unsettled(committable, `republishing: ${sent.during} was answered ${sent.answer}`);
      const committed = await commitTransaction(kafka, timing, deadlineMs, permit, { ...committable, ...who });
      return committed.outcome === 'committed'
        ? { outcome: 'republished' }
        : unsettled(committable, `republishing: EndTxn was answered ${committed.answer}`);
    }
  }
}

/**
 * - `not-committed`: nothing of the epoch is in the topic; all of it was aborted.
 * - `in-place`: all of the epoch's records are in the topic, committed or open, and an end was forgotten.
 * - `left-open`: something else is open, or a marker that goes with nothing; it is aborted before anything is committed.
 * - `torn`: of the epoch's records some were aborted, and some may have been seen.
 */
type Verdict = 'not-committed' | 'in-place' | 'left-open' | 'torn';

/**
 * What became of a decided transaction whose marker was not reached, or beside which something is open, after a fresh
 * InitProducerId. A partition whose producer still has the committable's epoch holds the epoch's records, open or
 * committed: every abort of them raises the epoch. `markerReached`: undefined when the marker does not become stable,
 * which means that its end was forgotten.
 */
export function verdictOf(
  committable: Pick<Committable, 'producerEpoch'>,
  markerReached: boolean | undefined,
  states: readonly ProducerState[],
  staged: readonly Pick<StagedSection, 'partition'>[],
): Verdict {
  const inPlace = states.filter((state) => state.producerEpoch === committable.producerEpoch);
  const open = states.filter(({ isOpen }) => isOpen);
  const onlyItsOwn = open.every((state) => inPlace.includes(state));
  const written = [...new Set(staged.map(({ partition }) => partition))];
  const there = written.filter((partition) => inPlace.some((state) => state.partition === partition)).length;
  const isMissing = markerReached === false && open.length === 0;

  if (there === written.length && onlyItsOwn && !(written.length === 0 && isMissing)) return 'in-place';
  if (there === 0) return isMissing ? 'not-committed' : 'left-open';
  // An abort that was forgotten in some partitions: its group had it, so no reader has seen a record of the epoch.
  if (markerReached === false && inPlace.every(({ isOpen }) => isOpen)) return 'left-open';
  return markerReached === true && !open.some((state) => inPlace.includes(state)) ? 'left-open' : 'torn';
}

function isOpenOf(state: ProducerState, committable: Committable): boolean {
  return state.isOpen && state.producerEpoch === committable.producerEpoch;
}

function stableUntil(nowMs: number, deadlineMs: number): number {
  return nowMs + Math.min((deadlineMs - nowMs) / 2, STABLE_PATIENCE_MS);
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

function tornText({ transactionalId, topic, epoch }: Committable): string {
  return `transaction ${transactionalId} of epoch ${epoch} was torn by the broker: it answered OK, forgot the end in some partitions of topic ${topic} (KAFKA-20734), and aborted those records since. Compare what a read_committed consumer sees in its partitions with the epoch's staged output, and ask for help with docs/protocol.md at hand: sending it again would repeat what is committed.`;
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function unsettled(committable: Committable, why: string): ResolveOutcome {
  return { outcome: 'unsettled', message: `transaction ${committable.transactionalId} of epoch ${committable.epoch}: ${why}` };
}
