import { kindOf } from '../../ports/broker-answers.ts';
import type { KafkaAnswer, ProducerIdentity } from '../../ports/kafka-requests.ts';
import { retried } from '../../ports/retry.ts';
import { mendOf } from './answers.ts';
import type { Asking } from './asking.ts';
import type { KafkaCommittable } from './committable.ts';
import { type SinkPlace, transactionalId } from './ids.ts';
import { abortTransaction } from './left-open.ts';
import { sendStaged } from './send-staged.ts';
import { settleTransactions } from './settle.ts';
import type { StagedSection } from './staged-output.ts';

/** For a subtask without output. */
const NOTHING_TIMEOUT_MS = 2_000;

export interface PrepareRequest extends SinkPlace {
  /** Of the sink. */
  readonly topics: readonly string[];
  readonly epoch: number;
  readonly transactionTimeoutMs: number;
  /** Reads the staged output. */
  readonly staged: () => Promise<readonly StagedSection[]>;
}

/**
 * `prepared`: without a committable when there was nothing to write. `failed`: nothing that a reader of committed data can see
 * was left; `retriable` says whether a new attempt may succeed.
 */
export type PrepareOutcome =
  | { readonly outcome: 'prepared'; readonly committable: KafkaCommittable | undefined }
  /** `ofRecord`: a record is not what the topic takes, and is refused each time. */
  | { readonly outcome: 'failed'; readonly retriable: boolean; readonly message: string; readonly ofRecord?: KafkaAnswer | undefined };

/**
 * Prepares one epoch's transaction of one sink subtask: everything but the commit. It begins with a fresh InitProducerId
 * always: that fences and aborts whatever an earlier attempt left behind under this id. The staged output is read beside it.
 * Throws what `staged` throws.
 */
export async function prepareTransaction(asking: Asking, request: PrepareRequest): Promise<PrepareOutcome> {
  const { sink, subtask, epoch, topics, transactionTimeoutMs } = request;
  const id = transactionalId(request, epoch, topics);
  // A process that was frozen past its deadline need not wake up and abort a transaction that was decided meanwhile.
  if (asking.clock.elapsedMs() >= asking.deadlineMs)
    return { outcome: 'failed', retriable: true, message: `transaction ${id}: the attempt's deadline passed before it began` };
  const reading = request.staged();
  // Should beginning fail, a failure to read is of no interest.
  reading.catch(() => {});
  const begun = await retried(asking, () => asking.kafka.initProducerId(id, transactionTimeoutMs));
  if (begun.answer !== 'NONE') return failed(id, topics, 'InitProducerId', begun.answer);
  const who: ProducerIdentity = { transactionalId: id, producerId: begun.producerId, producerEpoch: begun.producerEpoch };
  const sent = await sendStaged(asking, who, await reading);
  if (sent.sent) return { outcome: 'prepared', committable: { sink, subtask, epoch, ...who, written: sent.written } };
  // Best effort: an open transaction holds up every read_committed reader until its id's next use or its timeout.
  if (kindOf(sent.answer) !== 'fenced') await abortTransaction(asking, who);
  return failed(id, topics, sent.during, sent.answer, sent.refused);
}

/** What preparing is for a subtask without output: what an earlier attempt may have left behind under its id is ended. */
export async function prepareNothing(asking: Asking, request: Omit<PrepareRequest, 'staged'>): Promise<PrepareOutcome> {
  const id = { transactionalId: transactionalId(request, request.epoch, request.topics), topics: request.topics };
  // A partition that has no leader is not waited for: the check before the next decision finds what is open there.
  const deadlineMs = Math.min(asking.deadlineMs, asking.clock.elapsedMs() + NOTHING_TIMEOUT_MS);
  const settled = await settleTransactions({ ...asking, deadlineMs }, request.transactionTimeoutMs, [id]);
  return settled.outcome === 'failed' ? settled : { outcome: 'prepared', committable: undefined };
}

function failed(id: string, topics: readonly string[], during: string, answer: KafkaAnswer, refused?: string): PrepareOutcome {
  const kind = kindOf(answer);
  // It was asked for until there was no time left: a topic that was just made is known by then.
  const isGone = answer === 'UNKNOWN_TOPIC_OR_PARTITION';
  const why =
    kind === 'fenced'
      ? 'a newer attempt or another coordinator owns it; this attempt stops and loses nothing'
      : kind === 'refused' || kind === 'record' || isGone
        ? mendOf(answer, topics)
        : 'the attempt is repeated';
  const message = `transaction ${id}: ${during} was answered ${answer}${refused === undefined ? '' : ` (${refused})`}: ${why}`;
  return { outcome: 'failed', retriable: kind !== 'refused' && !isGone, message, ofRecord: kind === 'record' ? answer : undefined };
}
