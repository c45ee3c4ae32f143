import { takesDeadLetters } from '../plan/dead-letters.ts';
import { kindOf } from '../ports/broker-answers.ts';
import type { TransactionRequests } from '../ports/kafka-requests.ts';
import type { AbortAnswer, CommitAnswer, PrepareAnswer, ResolveAnswer, SendAnswer, StageFailed } from '../protocol/answers.ts';
import type { BlobRef } from '../protocol/references.ts';
import type { AbortSinkRequest, CommitSinkRequest, PrepareSinkRequest, ResolveSinkRequest, SendSinkRequest } from '../protocol/requests.ts';
import { mendOf } from '../sinks/kafka/answers.ts';
import { commitTransaction } from '../sinks/kafka/commit.ts';
import { abortTransaction } from '../sinks/kafka/left-open.ts';
import { type PrepareOutcome, prepareNothing, prepareTransaction } from '../sinks/kafka/prepare.ts';
import { resolveTransaction } from '../sinks/kafka/resolve.ts';
import { sendPlain } from '../sinks/kafka/send-staged.ts';
import { decodeStagedOutput, type StagedSection } from '../sinks/kafka/staged-output.ts';
import { failureOf, type StageDeps } from './common.ts';
import type { Received } from './received.ts';

export type SinkDeps = StageDeps & { readonly kafka: TransactionRequests };

/** One epoch of one sink subtask: sends the staged output in a fresh transaction and leaves it prepared. */
export async function prepareSink(deps: SinkDeps, request: Received<PrepareSinkRequest>): Promise<PrepareAnswer> {
  try {
    const asking = { ...deps, deadlineMs: request.deadlineMs };
    const place = { ...request, sink: request.stage };
    const prepared =
      request.staged.length === 0
        ? await prepareNothing(asking, place)
        : await prepareTransaction(asking, { ...place, staged: () => readStaged(deps, request.staged) });
    if (prepared.outcome === 'prepared') return { outcome: 'prepared', committable: prepared.committable };
    return failureOfPrepare(request.stage, prepared);
  } catch (error) {
    return failureOf(error);
  }
}

/**
 * A record that the topic refuses is searched for as one that user code fails at: nobody knows of which input it was made. Not where
 * it is a dead letter: what the dead-letter topic refuses cannot go there.
 */
function failureOfPrepare(sink: string, { retriable, message, ofRecord }: Extract<PrepareOutcome, { outcome: 'failed' }>): StageFailed {
  if (ofRecord !== undefined && !takesDeadLetters(sink))
    return { outcome: 'failed', kind: 'user-code', message, fault: { operator: `sink ${sink}`, errorClass: ofRecord, message } };
  return { outcome: 'failed', kind: retriable && ofRecord === undefined ? 'transient' : 'refused', message };
}

/** Commits the decided epoch's transactions of one sink, from the committables alone. Answers which are in doubt. */
export async function commitSink(deps: SinkDeps, request: Received<CommitSinkRequest>): Promise<CommitAnswer> {
  const asking = { ...deps, deadlineMs: request.deadlineMs };
  const compacted = new Set(request.compacted);
  const doubtful = await Promise.all(
    request.committables.map(async (committable) => {
      const ended = await commitTransaction(asking, request.permit, committable, { compacted, isOld: request.isOld });
      return ended.outcome === 'committed' ? [] : [{ transactionalId: committable.transactionalId, why: ended.why }];
    }),
  );
  return { outcome: 'committed', doubtful: doubtful.flat() };
}

/** Sends the output of one sink subtask in an epoch that was decided at least once. */
export async function sendSink(deps: SinkDeps, request: SendSinkRequest): Promise<SendAnswer> {
  try {
    const sent = await sendPlain(deps.kafka, await readStaged(deps, request.staged));
    if (sent.sent) return { outcome: 'sent' };
    const kind = kindOf(sent.answer);
    // It is decided: there is no smaller epoch to search in.
    const refused = kind === 'refused' || kind === 'record';
    const which = sent.refused === undefined ? '' : ` (${sent.refused})`;
    const message = `${sent.during} to sink ${request.stage} was answered ${sent.answer}${which}${refused ? `: ${mendOf(sent.answer)}` : ''}`;
    return { outcome: 'failed', kind: refused ? 'refused' : 'transient', message };
  } catch (error) {
    return failureOf(error);
  }
}

/** Finds out about one doubtful commit, and sends again what of the staged output was lost. */
export async function resolveSink(deps: SinkDeps, request: Received<ResolveSinkRequest>): Promise<ResolveAnswer> {
  try {
    const asking = { ...deps, deadlineMs: request.deadlineMs };
    const compacted = new Set(request.compacted);
    const resolved = await resolveTransaction(asking, { ...request, compacted, staged: () => readStaged(deps, request.staged) });
    return resolved.outcome === 'refused' ? { outcome: 'failed', kind: 'refused', message: resolved.message } : resolved;
  } catch (error) {
    return failureOf(error);
  }
}

/** Aborts the prepared transactions of an attempt that will never be decided, so that readers need not wait for a timeout. */
export async function abortSink(deps: SinkDeps, request: Received<AbortSinkRequest>): Promise<AbortAnswer> {
  const asking = { ...deps, deadlineMs: request.deadlineMs };
  await Promise.all(request.committables.map((committable) => abortTransaction(asking, committable)));
  return { outcome: 'aborted' };
}

/** The sections of every staged blob, in order, as buffers that may be written to. */
async function readStaged(deps: StageDeps, refs: readonly BlobRef[]): Promise<StagedSection[]> {
  const payloads = await Promise.all(
    refs.map(async (ref) => ({ payload: await deps.blobs.read('output', ref), name: ref.at === 'store' ? ref.name : 'inline output' })),
  );
  return payloads.flatMap(({ payload, name }) => decodeStagedOutput(payload, name));
}
