import type { Committable } from '../format/manifest.ts';
import type { StagedSection } from '../format/staged-output.ts';
import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer, ProducerIdentity, TransactionRequests } from '../ports/kafka-requests.ts';
import { kindOf, mendOf } from './answers.ts';
import { type SinkPlace, transactionalId } from './ids.ts';
import { abortLeftOpen, readProducer } from './left-open.ts';
import { retried, retriedAnswer } from './retry.ts';
import { sendStaged } from './send-staged.ts';

export interface PrepareRequest extends SinkPlace {
  readonly topic: string;
  readonly epoch: number;
  readonly decisionId: string;
  readonly transactionTimeoutMs: number;
  readonly deadlineMs: number;
  /** Reads the staged output. */
  readonly staged: () => Promise<readonly StagedSection[]>;
}

/** `failed`: nothing that a reader of committed data can see was left; `retriable` says whether a new attempt may succeed. */
export type PrepareOutcome =
  | { readonly outcome: 'prepared'; readonly committable: Committable }
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string };

/**
 * Prepares one epoch's transaction of one sink subtask: everything but the commit. It begins with a fresh
 * InitProducerId always: that fences and aborts whatever an earlier attempt left behind under this id. The staged output
 * is read beside it. Throws what `staged` throws.
 */
export async function prepareTransaction(kafka: TransactionRequests, timing: Timing, request: PrepareRequest): Promise<PrepareOutcome> {
  const id = transactionalId(request, request.epoch);
  // A process that was frozen past its deadline must not wake up and fence a transaction that was decided meanwhile.
  if (timing.clock.now() >= request.deadlineMs)
    return { outcome: 'failed', retriable: true, message: `transaction ${id}: the attempt's deadline passed before it began` };
  const staged = request.staged();
  // Should beginning fail, a failure to read is of no interest.
  staged.catch(() => {});
  const begun = await retried(timing, request.deadlineMs, () => kafka.initProducerId(id, request.transactionTimeoutMs));
  if (begun.answer !== 'NONE') return failed(id, request.topic, 'InitProducerId', begun.answer);
  const who: ProducerIdentity = { transactionalId: id, producerId: begun.producerId, producerEpoch: begun.producerEpoch };
  const left = await abortAttemptsBefore(kafka, timing, request, who);
  if (left !== undefined) return left;
  const marker = { topic: request.topic, epoch: request.epoch, decisionId: request.decisionId };
  const sent = await sendStaged(kafka, timing, request.deadlineMs, who, marker, await staged);
  if (sent.sent) {
    return {
      outcome: 'prepared',
      committable: { sink: request.sink, subtask: request.subtask, epoch: request.epoch, topic: request.topic, ...who },
    };
  }
  // Best effort: an open transaction holds up every read_committed reader until its id's next use or its timeout.
  if (kindOf(sent.answer) !== 'fenced') await abortTransaction(kafka, timing, request.deadlineMs, who);
  return failed(id, request.topic, sent.during, sent.answer);
}

/**
 * Every decided epoch that used the id was seen committed (`commitTransaction`) before this one began. What is open under
 * its producer id now, though InitProducerId has ended everything, is what an attempt left whose abort the broker forgot:
 * committed with this attempt, readers would see it.
 */
async function abortAttemptsBefore(
  kafka: TransactionRequests,
  timing: Timing,
  { deadlineMs, topic }: PrepareRequest,
  who: ProducerIdentity,
): Promise<PrepareOutcome | undefined> {
  const { answer, states } = await readProducer(kafka, timing, deadlineMs, topic, who.producerId);
  if (answer !== 'NONE') return failed(who.transactionalId, topic, 'DescribeProducers', answer);
  const open = states.filter(({ isOpen }) => isOpen);
  if (open.length === 0) return undefined;
  const aborted = await abortLeftOpen(kafka, timing, deadlineMs, who, topic, open);
  if (aborted !== 'NONE') return failed(who.transactionalId, topic, 'aborting what the broker had left open', aborted);
  const where = open.map(({ partition }) => partition).join(', ');
  const message = `transaction ${who.transactionalId}: the broker had left records of an earlier attempt open in topic ${topic}, partitions ${where}; they are aborted now, and the attempt is repeated`;
  return { outcome: 'failed', retriable: true, message };
}

/** Aborts an open transaction from its identity alone. Only for attempts that were never decided. */
export async function abortTransaction(
  kafka: TransactionRequests,
  timing: Timing,
  deadlineMs: number,
  who: ProducerIdentity,
): Promise<KafkaAnswer> {
  return retriedAnswer(timing, deadlineMs, () => kafka.endTxn(who, false));
}

function failed(id: string, topic: string, during: string, answer: KafkaAnswer): PrepareOutcome {
  const kind = kindOf(answer);
  const why =
    kind === 'fenced'
      ? 'a newer attempt or another coordinator owns it; this attempt stops and loses nothing'
      : kind === 'refused'
        ? mendOf(answer, topic)
        : 'the attempt is repeated';
  return { outcome: 'failed', retriable: kind !== 'refused', message: `transaction ${id}: ${during} was answered ${answer}: ${why}` };
}
