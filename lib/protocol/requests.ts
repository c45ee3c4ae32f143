import * as z from 'zod';
import { committableSchema } from './committable.ts';
import { sourceTimeAskSchema, stageTimeSchema } from './event-time.ts';
import { parallelismSchema } from './parallelism.ts';
import { commitPermitSchema } from './permit.ts';
import { blobRefSchema, keyGroupRangeSchema, snapshotRefSchema } from './references.ts';
import { byName, count, list, ms, name, own, shapeFault, text } from './shape.ts';

/**
 * Of the words that coordinators and functions exchange. Raised when one that does not know the new words would do harm: commit,
 * resolve, send and abort are also asked of functions of another build. Builds that say none are of version 1: what they ask is
 * understood (`earlier/requests.ts`).
 */
export const PROTOCOL_VERSION = 2;

/**
 * What every request says. A stage function is stateless as far as safety goes: everything it needs is in the request.
 */
const common = {
  /** The build of the coordinator; a stage of another build answers `stale` (never for commit, resolve, send and abort). */
  build: name,
  version: z.literal(PROTOCOL_VERSION),
  job: name,
  incarnation: name,
  epoch: count,
  decisionId: name,
  stage: name,
  subtask: count,
  /** Milliseconds that are left when it is sent. No instant travels: clocks differ, and a function counts from when it came. */
  timeoutMs: ms,
  /** Functions of builds before 0.2 take no request without an instant, and could not say that they are of another build. */
  deadlineMs: z.number().optional(),
  /** Of the epoch. Of what is decided nobody asks how many subtasks there were. */
  parallelism: parallelismSchema,
  /** By sink, what its connector has to know of where it writes to, as the coordinator saw it. */
  sinkFacts: byName(own),
};
const stageRequestSchema = z.object(common).readonly();
export type StageRequest = z.infer<typeof stageRequestSchema>;

/** How many references that a subtask of a stage makes can come together in one request or answer, with those of others. */
const meetingSchema = z
  .object({
    /** Segments of exchanges. */
    exchanges: z.int().min(1),
    /** Staged output, for each sink. */
    staged: z.int().min(1),
    /** Snapshots: after a change of parallelism to one, those of every subtask. */
    snapshots: z.int().min(1),
  })
  .readonly();
export type Meeting = z.infer<typeof meetingSchema>;

/** Offsets `from` … `bound` - 1 of one partition. The stage may stop earlier: the offset it reached is the barrier. */
const sourceRangeSchema = z.object({ topic: name, partition: count, from: count, bound: count }).readonly();
export type SourceRange = z.infer<typeof sourceRangeSchema>;

/** A record of a source's topic. */
const recordPlace = { topic: name, partition: count, offset: count };
export const recordPlaceSchema = z.object(recordPlace).readonly();
export type RecordPlace = z.infer<typeof recordPlaceSchema>;

/** Why a record goes to the dead-letter topic. */
const deadLetterReasonSchema = z
  .object({
    /** The stage that failed. */
    stage: name,
    /** The operator's uid, or what it is and where. */
    operator: text,
    errorClass: text,
    message: text,
    stack: text.optional(),
    /** How often in a row the record failed alone. */
    attempts: count,
  })
  .readonly();
export type DeadLetterReason = z.infer<typeof deadLetterReasonSchema>;

/** A record that is to go to the dead-letter topic in place of being processed. */
const condemnedRecordSchema = z.object({ ...recordPlace, reason: deadLetterReasonSchema }).readonly();
export type CondemnedRecord = z.infer<typeof condemnedRecordSchema>;

/** Records that cannot be processed go to the stage's side output of errors. */
const leavingOutSchema = z
  .object({
    /** One that user code keeps failing at, which goes there at once. */
    condemned: condemnedRecordSchema.optional(),
  })
  .readonly();

/** A blob that came along an edge. */
const edgeInputSchema = z
  .object({
    edge: name,
    /** Which input of the stage it is part of. */
    input: count,
    ref: blobRefSchema,
  })
  .readonly();
export type EdgeInput = z.infer<typeof edgeInputSchema>;

const sourceRequestSchema = z
  .object({
    ...common,
    ask: z.literal('read'),
    ranges: list(sourceRangeSchema),
    maxBytes: z.number().min(1),
    maxDurationMs: ms,
    maxParallelism: z.int().min(1),
    meeting: meetingSchema,
    /** Undefined: a record that cannot be processed stops the job. */
    leavingOut: leavingOutSchema.optional(),
    /** Of a source that has event time. */
    time: sourceTimeAskSchema.optional(),
  })
  .readonly();
export type SourceRequest = z.infer<typeof sourceRequestSchema>;

const operatorRequestSchema = z
  .object({
    ...common,
    ask: z.literal('process'),
    keyGroups: keyGroupRangeSchema,
    maxParallelism: z.int().min(1),
    meeting: meetingSchema,
    /** Segments for this subtask, in the order of the plan's edges, then of the upstream subtasks. */
    inputs: list(edgeInputSchema),
    /** By operator uid: the snapshots that together hold this subtask's key groups (several after a rescale). */
    snapshots: byName(list(snapshotRefSchema)),
    /** In a job that uses time. */
    time: stageTimeSchema.optional(),
  })
  .readonly();
export type OperatorRequest = z.infer<typeof operatorRequestSchema>;

/** What every request to a sink says besides. */
const toSink = {
  ...common,
  /** The name of the connector that is to do it. */
  connector: name,
};

/** What the coordinator's half of a connector tells the other. */
const terms = own;

const prepareSinkRequestSchema = z.object({ ...toSink, ask: z.literal('prepare'), terms, staged: list(blobRefSchema) }).readonly();
export type PrepareSinkRequest = z.infer<typeof prepareSinkRequestSchema>;

const commitSinkRequestSchema = z
  .object({
    ...toSink,
    ask: z.literal('commit'),
    permit: commitPermitSchema,
    committables: list(committableSchema),
    terms,
    /** Were they prepared before this coordinator began? */
    isOld: z.boolean(),
  })
  .readonly();
export type CommitSinkRequest = z.infer<typeof commitSinkRequestSchema>;

const sendSinkRequestSchema = z
  .object({
    ...toSink,
    ask: z.literal('send'),
    permit: commitPermitSchema,
    committable: committableSchema,
    staged: list(blobRefSchema),
    /** How far it came before, as the connector has answered it. Who does not know this sends it all. */
    done: own.optional(),
  })
  .readonly();
export type SendSinkRequest = z.infer<typeof sendSinkRequestSchema>;

/** `stop`: a person has to say it. `committed`, `lost`: what that person said. */
const onMissingEvidenceSchema = z.enum(['stop', 'committed', 'lost']);
export type OnMissingEvidence = z.infer<typeof onMissingEvidenceSchema>;

const resolveSinkRequestSchema = z
  .object({
    ...toSink,
    ask: z.literal('resolve'),
    permit: commitPermitSchema,
    /** The newest of its epoch, sink and subtask: the manifest's, or the one that was recorded when it was sent again. */
    committable: committableSchema,
    terms,
    staged: list(blobRefSchema),
    onMissingEvidence: onMissingEvidenceSchema,
    /** What of its evidence has been missing for long enough, as it was answered; `onMissingEvidence` is of that alone. */
    missing: text.optional(),
  })
  .readonly();
export type ResolveSinkRequest = z.infer<typeof resolveSinkRequestSchema>;

const abortSinkRequestSchema = z.object({ ...toSink, ask: z.literal('abort'), committables: list(committableSchema) }).readonly();
export type AbortSinkRequest = z.infer<typeof abortSinkRequestSchema>;

export type SinkRequest = PrepareSinkRequest | CommitSinkRequest | SendSinkRequest | ResolveSinkRequest | AbortSinkRequest;
export type AnyRequest = SourceRequest | OperatorRequest | SinkRequest;

const anyRequestSchema = z.discriminatedUnion('ask', [
  sourceRequestSchema,
  operatorRequestSchema,
  prepareSinkRequestSchema,
  commitSinkRequestSchema,
  sendSinkRequestSchema,
  resolveSinkRequestSchema,
  abortSinkRequestSchema,
]);

/** What is wrong with the payload of an invocation; undefined when it is a request of one of the given kinds. */
export function requestFault(payload: unknown, asks: readonly string[]): string | undefined {
  const fault = shapeFault(anyRequestSchema, payload);
  if (fault !== undefined) return fault;
  const { ask } = payload as AnyRequest;
  return asks.includes(ask) ? undefined : `ask: this function answers ${asks.join(', ')}, not ${ask}`;
}
