import * as z from 'zod';
import { count, name, text } from './shape.ts';

/**
 * `complete`: a job can be started from it. `importing`: its blobs are on their way. `deleting`: nothing starts from it any more, and its
 * blobs are going.
 */
const standingSchema = z.enum(['complete', 'importing', 'deleting']);
export type SavepointStanding = z.infer<typeof standingSchema>;

/** What a savepoint's row says besides its manifest. Nothing of it changes but its standing. */
export const savepointSchema = z.object({
  job: name,
  name,
  /** Random: of two savepoints of one name, one after the other, each is itself. */
  id: name,
  standing: standingSchema,
  createdAtMs: count,
  /** In which incarnation of the job the epoch was decided, and under which its blobs are kept. */
  incarnation: name,
  epoch: count,
  decisionId: name,
  /** Of the job's graph (lib/graph/fingerprint.ts). */
  fingerprint: text,
  maxParallelism: count,
});

/** Where a job was started from another epoch than its last. */
export const startedFromSchema = z
  .object({
    /** Who asks twice under one id is answered once. */
    id: name,
    /** Of the savepoint. Undefined: a retained epoch was named. */
    savepoint: name.optional(),
    incarnation: name,
    epoch: count,
    atMs: count,
    /** The savepoint that ONCEFLOW_START_FROM named then, which this start, a person's, has passed over. */
    over: z.object({ name, id: name }).readonly().optional(),
  })
  .readonly();
export type StartedFrom = z.infer<typeof startedFromSchema>;

/** An incarnation that the job has left and some of whose blobs may still be needed. */
export const formerSchema = z.object({ incarnation: name, leftAtMs: count }).readonly();
export type Former = z.infer<typeof formerSchema>;
