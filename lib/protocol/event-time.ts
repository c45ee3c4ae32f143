import * as z from 'zod';
import { byName, count, list, name } from './shape.ts';

/*
 * Time, as it is known at the end of an epoch. Watermarks are event time in milliseconds, of records' timestamps; where there is none it
 * is left out. Processing time is that of epochs.
 */

/** Milliseconds since the Unix epoch, also before it. */
const instant = z.int();

/** A partition of a source's topic. */
const partitionTimeSchema = z
  .object({
    /** The largest that its source's strategy gave. Undefined: none yet. */
    watermarkMs: instant.optional(),
    /** Processing time of the epoch that last brought a record of it, or that was the first to know of it. */
    activeMs: count,
  })
  .readonly();
export type PartitionTime = z.infer<typeof partitionTimeSchema>;

const sourceTimeSchema = z
  .object({
    /** Of its partitions together, as far as it has come. */
    watermarkMs: instant.optional(),
    /** How long a partition brings nothing until it is idle, by its strategy of this epoch. Undefined: none becomes idle. */
    idleAfterMs: count.optional(),
    /** By topic, then partition (the index). */
    partitions: byName(list(partitionTimeSchema)),
  })
  .readonly();
export type SourceTime = z.infer<typeof sourceTimeSchema>;

/** Values that came too late for an operator. */
const lateSchema = z
  .object({
    /** Nobody reads its late values. */
    dropped: count,
    /** Given to who reads them. */
    passedOn: count,
  })
  .readonly();
export type Late = z.infer<typeof lateSchema>;

/** By operator uid, of those that had any. */
export const lateByOperatorSchema = byName(lateSchema);
export type LateByOperator = z.infer<typeof lateByOperatorSchema>;

/** How far time has come in a job that uses it. Nothing of it goes back. */
export const timeSchema = z
  .object({
    processingMs: count,
    /** By source uid, of those that have event time. */
    sources: byName(sourceTimeSchema),
    /** By operator stage, those that have a watermark: it. */
    stages: byName(instant),
    /** In all epochs up to this one. Undefined: nothing was late. */
    late: lateByOperatorSchema.optional(),
  })
  .readonly();
export type Time = z.infer<typeof timeSchema>;

/** The earliest that waits for a time, in each domain. */
export const dueSchema = z.object({ eventMs: instant.optional(), processingMs: instant.optional() }).readonly();
export type Due = z.infer<typeof dueSchema>;

/** What an epoch of a source is told. */
export const sourceTimeAskSchema = z
  .object({
    /** Of the epoch. */
    processingMs: count,
    /** No partition is read further than until its watermark is above this. */
    upToMs: instant.optional(),
  })
  .readonly();
export type SourceTimeAsk = z.infer<typeof sourceTimeAskSchema>;

/** A partition that brought records, and the largest watermark that they gave. */
export const partitionSeenSchema = z.object({ topic: name, partition: count, watermarkMs: instant.optional() }).readonly();
export type PartitionSeen = z.infer<typeof partitionSeenSchema>;

/** Of an operator stage in an epoch. */
export const stageTimeSchema = z
  .object({
    /** Its watermark at the end of the epoch before. */
    beforeMs: instant.optional(),
    /** And at the end of this one. */
    afterMs: instant.optional(),
    /** Of the epoch. */
    processingMs: count,
  })
  .readonly();
export type StageTime = z.infer<typeof stageTimeSchema>;
