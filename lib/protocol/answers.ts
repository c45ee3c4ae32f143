import * as z from 'zod';
import { committableSchema } from './committable.ts';
import { lateByOperatorSchema, partitionSeenSchema } from './event-time.ts';
import { blobRefSchema, snapshotRefSchema } from './references.ts';
import { type AnyRequest, recordPlaceSchema } from './requests.ts';
import { byName, count, list, name, own, shapeFault, text } from './shape.ts';

/** Where and why a record could not be processed. */
const recordFaultSchema = z
  .object({
    /** The operator's uid, or what it is and where. */
    operator: text,
    errorClass: text,
    message: text,
    /** Of the user's own error. */
    stack: text.optional(),
    /** In source stages: the record that was worked on. */
    record: recordPlaceSchema.optional(),
  })
  .readonly();
export type RecordFault = z.infer<typeof recordFaultSchema>;

/**
 * An epoch's work failed. Nothing that a reader of committed data can see was left.
 * - `user-code`: the job's own function threw; the attempt is repeated, on ever smaller input.
 * - `record`: one record can never be processed (malformed, too large for the sink): the policy for such records applies.
 * - `transient`: broker, store or function service; the attempt is repeated as it is.
 * - `refused`: broker or store refuse it (access, a limit): repeated until it has lasted, then the job stops with the message.
 * - `fatal`: repeating cannot help (data loss, damaged blob): the job stops with the message.
 */
const stageFailedSchema = z
  .object({
    outcome: z.literal('failed'),
    kind: z.enum(['user-code', 'record', 'transient', 'refused', 'fatal']),
    message: text,
    stack: text.optional(),
    /** Of `user-code` and `record`. */
    fault: recordFaultSchema.optional(),
  })
  .readonly();
export type StageFailed = z.infer<typeof stageFailedSchema>;

/** The function runs another build than the coordinator (an update is under way). */
const stageStaleSchema = z.object({ outcome: z.literal('stale'), build: text }).readonly();
export type StageStale = z.infer<typeof stageStaleSchema>;

/** What went along one edge. */
const edgeWrittenSchema = z
  .object({
    /** By target subtask (the index), or for a sink one for all of them; null = nothing. */
    parts: list(blobRefSchema.nullable()),
    records: count,
  })
  .readonly();

/** What one epoch of one source or operator subtask wrote. */
const written = {
  /** By edge. One that has nothing may be left out. */
  edges: byName(edgeWrittenSchema),
  recordsIn: count,
};
const stageWrittenSchema = z.object(written).readonly();
export type StageWritten = z.infer<typeof stageWrittenSchema>;

/** Where a range ended: the next offset to read. */
const sourceReachedSchema = z.object({ topic: name, partition: count, next: count }).readonly();

const sourceDoneSchema = z
  .object({
    outcome: z.literal('read'),
    ...written,
    /** In the order of the request's ranges. */
    reached: list(sourceReachedSchema),
    bytesIn: count,
    /** The oldest timestamp of the records that were read; undefined when there was none. */
    oldestTimestampMs: z.number().optional(),
    /** Of a source that has event time: the partitions that brought records. */
    seen: list(partitionSeenSchema).optional(),
  })
  .readonly();
export type SourceDone = z.infer<typeof sourceDoneSchema>;

const operatorDoneSchema = z
  .object({
    outcome: z.literal('processed'),
    ...written,
    snapshots: byName(snapshotRefSchema),
    /** Undefined: nothing was late. */
    late: lateByOperatorSchema.optional(),
  })
  .readonly();
export type OperatorDone = z.infer<typeof operatorDoneSchema>;

/** Without a committable when there was nothing to write. */
const preparedSchema = z.object({ outcome: z.literal('prepared'), committable: committableSchema.optional() }).readonly();

const committedSchema = z
  .object({
    outcome: z.literal('committed'),
    /** By subtask, those that cannot be seen to be committed: to be resolved. `refused`: the target said so, and a person has to act if it lasts. */
    doubtful: list(z.object({ subtask: count, why: text, refused: z.literal(true).optional() }).readonly()),
  })
  .readonly();

/**
 * - `committed`: readers have all of it, for ever.
 * - `sent-again`: what was lost was sent again, and is prepared: whoever holds the job checks it, records the new committable, and
 *   commits that. Until then nothing of it may be committed.
 * - `unsettled`: not known yet, or one step nearer; the coordinator checks that it still holds its generation and asks again.
 *   `gone`: what it wrote to is not there at this moment; if that lasts, this is what a person is told.
 *   `missing`: what of its evidence is not there, to be compared: what a person says of missing evidence counts for what has lasted.
 * - `no-evidence`: nothing says what became of it any more; a person has to decide.
 */
const resolvedSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('committed') }).readonly(),
  z.object({ outcome: z.literal('sent-again'), committable: committableSchema }).readonly(),
  z.object({ outcome: z.enum(['unsettled', 'no-evidence']), message: text, gone: text.optional(), missing: text.optional() }).readonly(),
]);
export type Resolved = z.infer<typeof resolvedSchema>;

/** Not all of it: how far it came, in the connector's own words. `failed`: what it met there; otherwise its time was over. */
const sentPartlySchema = z.object({ outcome: z.literal('sent-partly'), done: own, failed: stageFailedSchema.optional() }).readonly();

/** By what is asked, what may be answered. */
const answerSchemas = {
  read: z.discriminatedUnion('outcome', [sourceDoneSchema, stageFailedSchema, stageStaleSchema]),
  process: z.discriminatedUnion('outcome', [operatorDoneSchema, stageFailedSchema, stageStaleSchema]),
  prepare: z.discriminatedUnion('outcome', [preparedSchema, stageFailedSchema, stageStaleSchema]),
  commit: z.discriminatedUnion('outcome', [committedSchema, stageFailedSchema]),
  send: z.discriminatedUnion('outcome', [z.object({ outcome: z.literal('sent') }).readonly(), sentPartlySchema, stageFailedSchema]),
  resolve: z.discriminatedUnion('outcome', [...resolvedSchema.options, stageFailedSchema]),
  abort: z.discriminatedUnion('outcome', [z.object({ outcome: z.literal('aborted') }).readonly(), stageFailedSchema]),
} as const satisfies Record<AnyRequest['ask'], z.ZodType>;

export type AnswerTo<Ask extends AnyRequest['ask']> = z.infer<(typeof answerSchemas)[Ask]>;
export type SourceAnswer = AnswerTo<'read'>;
export type OperatorAnswer = AnswerTo<'process'>;
export type PrepareAnswer = AnswerTo<'prepare'>;
export type CommitAnswer = Exclude<AnswerTo<'commit'>, StageFailed>;
export type SendAnswer = AnswerTo<'send'>;
export type ResolveAnswer = AnswerTo<'resolve'>;
export type AbortAnswer = Exclude<AnswerTo<'abort'>, StageFailed>;

/** What is wrong with the answer to a request of this kind; undefined when it is one. */
export function answerFault(ask: AnyRequest['ask'], answer: unknown): string | undefined {
  return shapeFault(answerSchemas[ask], answer);
}
