import type { JobDefinition } from '../graph/job.ts';
import { takesDeadLetters } from '../plan/dead-letters.ts';
import type { AbortAnswer, CommitAnswer, PrepareAnswer, ResolveAnswer, SendAnswer, StageFailed } from '../protocol/answers.ts';
import type { BlobRef } from '../protocol/references.ts';
import type {
  AbortSinkRequest,
  CommitSinkRequest,
  PrepareSinkRequest,
  ResolveSinkRequest,
  SendSinkRequest,
  SinkRequest,
} from '../protocol/requests.ts';
import type { DeliveredServer, PreparedServer, PrepareOutcome, SinkPlace, SinkServer, Staged } from '../sinks/connector.ts';
import { type ServerClients, sinkServer } from '../sinks/connectors.ts';
import type { SinkSpec } from '../sinks/kinds.ts';
import { FatalStageError, failureOf, type StageDeps } from './common.ts';
import type { Received } from './received.ts';

export type SinkDeps = StageDeps &
  Omit<ServerClients, 'specOf'> & {
    /** Undefined: the job's code is not in this process. */
    readonly job?: JobDefinition;
  };

/** One epoch of one sink subtask: brings the staged output to where the commit shows it. */
export async function prepareSink(deps: SinkDeps, request: Received<PrepareSinkRequest>): Promise<PrepareAnswer> {
  try {
    const staged = stagedIn(deps, request.staged);
    const prepared = await preparedBy(deps, request).prepare(untilOf(deps, request), placeOf(request), request.terms, staged);
    if (prepared.outcome === 'prepared') return { outcome: 'prepared', committable: prepared.committable };
    return failureOfPrepare(request.stage, prepared);
  } catch (error) {
    return failureOf(error);
  }
}

/**
 * A record that the target refuses is searched for as one that user code fails at: nobody knows of which input it was made. Not where
 * it is a dead letter: what the dead-letter topic refuses cannot go there.
 */
function failureOfPrepare(sink: string, { retriable, message, ofRecord }: Extract<PrepareOutcome, { outcome: 'failed' }>): StageFailed {
  if (ofRecord !== undefined && !takesDeadLetters(sink))
    return { outcome: 'failed', kind: 'user-code', message, fault: { operator: `sink ${sink}`, errorClass: ofRecord, message } };
  return { outcome: 'failed', kind: retriable && ofRecord === undefined ? 'transient' : 'refused', message };
}

/** Commits what one sink has prepared in a decided epoch, from the committables alone. Answers which are in doubt. */
export async function commitSink(deps: SinkDeps, request: Received<CommitSinkRequest>): Promise<CommitAnswer | StageFailed> {
  try {
    const server = preparedBy(deps, request);
    const doubtful = await Promise.all(
      request.committables.map(async (committable) => {
        const ended = await server.commit(untilOf(deps, request), request.permit, committable, request);
        if (ended.outcome === 'committed') return [];
        return [{ subtask: committable.subtask, why: ended.why, ...(ended.refused === true && { refused: true as const }) }];
      }),
    );
    return { outcome: 'committed', doubtful: doubtful.flat() };
  } catch (error) {
    return failureOf(error);
  }
}

/** Sends the output of one sink subtask in an epoch that was decided to be sent. */
export async function sendSink(deps: SinkDeps, request: Received<SendSinkRequest>): Promise<SendAnswer> {
  try {
    const { permit, committable, done } = request;
    const output = { place: placeOf(request), staged: stagedIn(deps, request.staged), done };
    const sent = await deliveredBy(deps, request).deliver(untilOf(deps, request), permit, committable, output);
    if (sent.outcome === 'delivered') return { outcome: 'sent' };
    if (sent.outcome === 'partly') return { outcome: 'sent-partly', done: sent.done };
    const { kind, message } = sent;
    return { outcome: 'sent-partly', done: sent.done, failed: { outcome: 'failed', kind, message } };
  } catch (error) {
    return failureOf(error);
  }
}

/** Finds out about one doubtful commit, and sends again what of the staged output was lost. */
export async function resolveSink(deps: SinkDeps, request: Received<ResolveSinkRequest>): Promise<ResolveAnswer> {
  try {
    const { permit, committable, staged } = request;
    const server = preparedBy(deps, request);
    const how = { ...request, place: placeOf(request) };
    const resolved = await server.resolve(untilOf(deps, request), permit, committable, how, stagedIn(deps, staged));
    return resolved.outcome === 'refused' ? { outcome: 'failed', kind: 'refused', message: resolved.message } : resolved;
  } catch (error) {
    return failureOf(error);
  }
}

/** Ends what an attempt has prepared that will never be decided, so that readers need not wait for a timeout. */
export async function abortSink(deps: SinkDeps, request: Received<AbortSinkRequest>): Promise<AbortAnswer | StageFailed> {
  try {
    const server = preparedBy(deps, request);
    await Promise.all(request.committables.map((committable) => server.abort(untilOf(deps, request), committable)));
    return { outcome: 'aborted' };
  } catch (error) {
    return failureOf(error);
  }
}

function untilOf({ clock, random }: StageDeps, { deadlineMs }: Received<SinkRequest>) {
  return { clock, random, deadlineMs };
}

function placeOf({ job, incarnation, stage: sink, subtask, epoch }: SinkRequest): SinkPlace {
  return { job, incarnation, sink, subtask, epoch };
}

function preparedBy(deps: SinkDeps, { connector }: SinkRequest): PreparedServer {
  const server = serverOf(deps, connector);
  if (server.how === 'prepared') return server;
  throw new FatalStageError(`connector ${connector} prepares nothing: what it brings is sent after the decision`);
}

function deliveredBy(deps: SinkDeps, { connector }: SinkRequest): DeliveredServer {
  const server = serverOf(deps, connector);
  if (server.how === 'delivered') return server;
  throw new FatalStageError(`connector ${connector} sends nothing by itself: what it brings is prepared, and committed`);
}

function serverOf(deps: SinkDeps, connector: string): SinkServer {
  const server = sinkServer(connector, { ...deps, specOf: (sink) => specIn(deps.job, sink) });
  if (server !== undefined) return server;
  throw new FatalStageError(`this build has no connector ${connector}: the job was run by a newer one`);
}

function specIn(job: JobDefinition | undefined, sink: string): SinkSpec | undefined {
  const node = job?.nodes.find((each) => each.kind === 'sink' && each.uid === sink);
  return node?.kind === 'sink' ? node.to : undefined;
}

function stagedIn(deps: StageDeps, refs: readonly BlobRef[]): Staged {
  return {
    isEmpty: refs.length === 0,
    read: () =>
      Promise.all(
        refs.map(async (ref) => ({ payload: await deps.blobs.read('output', ref), name: ref.at === 'store' ? ref.name : 'inline output' })),
      ),
  };
}
