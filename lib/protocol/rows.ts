import * as z from 'zod';
import { committableSchema } from './committable.ts';
import { poolSchema } from './pool.ts';
import { formerSchema, startedFromSchema } from './savepoint.ts';
import { byName, count, list, name, text } from './shape.ts';

/*
 * What is known of a job and of its epochs by everybody who works on it, wherever it is kept. How a table keeps it is that
 * table's business (lib/aws).
 */

/** A coordinator has work to do, and nothing was decided or committed since `sinceMs`. */
const noProgressSchema = z
  .object({
    /** Of the coordinator that says so. */
    generation: count,
    sinceMs: count,
    failuresInARow: count,
    lastError: text.optional(),
  })
  .readonly();
export type NoProgress = z.infer<typeof noProgressSchema>;

/** An attempt that came to nothing. Its texts are cut: a row holds so much. */
const attemptFailureSchema = z
  .object({
    atMs: count,
    epoch: count,
    stage: text,
    /** As a stage answers it, or `stale`. */
    kind: text,
    message: text,
    /** Of the user's own error. */
    stack: text.optional(),
    /** Of one that a record made fail: the input in which that is, as offsets `from` to `bound - 1`. Some of it, where it is much. */
    input: list(z.object({ topic: text, partition: count, from: count, bound: count }).readonly()).optional(),
  })
  .readonly();
export type AttemptFailure = z.infer<typeof attemptFailureSchema>;

/** What a coordinator worked on when it last renewed its lease: each third of it without a decision, and once for what takes long. For people. */
const underWaySchema = z
  .object({
    /** Of the coordinator that says so. */
    generation: count,
    atMs: count,
    /** Planned and not committed, the oldest first. */
    attempts: list(
      z
        .object({
          epoch: count,
          /** 1: none has failed before it. */
          attempt: count,
          plannedAtMs: count,
          /** `working`, `deciding`, `decided`, `committing`. */
          phase: text,
          /** By stage that has begun: how long after the plan, and how long it took. Without that it was at work. */
          stages: byName(z.object({ afterMs: count, ms: count.optional() }).readonly()),
        })
        .readonly(),
    ),
    /** The newest since an epoch was decided, the oldest first. */
    failed: list(attemptFailureSchema),
  })
  .readonly();
export type UnderWay = z.infer<typeof underWaySchema>;

/** What of a decided epoch took the place of committables in its manifest: a decision of its own, before any of it is committed. */
const sentAgainSchema = z
  .object({
    /** Of the epoch. */
    decisionId: text,
    /** Of this record: it replaces the one whose id was seen. */
    id: text,
    /** All that took the place of another, for each sink and subtask the newest; in the row, or in a blob where they are many. */
    committables: z.union([
      z.object({ at: z.literal('row'), list: list(committableSchema) }).readonly(),
      z.object({ at: z.literal('blob'), name: text }).readonly(),
    ]),
  })
  .readonly();
export type SentAgain = z.infer<typeof sentAgainSchema>;

/** What a person wants the subtasks of stages to be, whatever the job would have by itself. A stage that is not named has what it takes. */
const rescaleSchema = z
  .object({
    /** Of this request: it replaces the one whose id was seen. */
    id: text,
    subtasks: byName(z.int().min(1)),
    askedAtMs: count,
  })
  .readonly();
export type Rescale = z.infer<typeof rescaleSchema>;

/** What a coordinator says of the subtasks of a stage. */
const stageScaleSchema = z
  .object({
    /** Of the epoch that was planned last. */
    subtasks: count,
    least: count,
    most: count,
    /** The first epoch with so many since it was another number, and why. Undefined: it has not changed since a coordinator said so. */
    since: z.object({ epoch: count, atMs: count, why: text }).readonly().optional(),
  })
  .readonly();
export type StageScale = z.infer<typeof stageScaleSchema>;

/** The job row: the only truth about a job. Every write is conditional on the generation in it. */
export const jobRowSchema = z.object({
  job: name,
  /** Random id made with the row, new at every restore from an older epoch. */
  incarnation: text,
  /** The coordinator's lease number. */
  generation: count,
  /** Who holds the lease, for people. */
  holder: text,
  leaseExpiresAtMs: count,
  /** When the holder will give the lease up by itself, because a function runs only so long. Undefined: it has no such time. */
  holderEndsAtMs: count.optional(),
  desired: z.enum(['running', 'stopped']),
  /** How often somebody has asked it to stop: so one more, of a job that is stopped, is told from the one before. Undefined: never. */
  stops: count.optional(),
  /** Why the job cannot go on without a person; undefined while it can. */
  failure: text.optional(),
  /** Undefined while there is progress, or nothing to do. For people: it counts while its generation holds the job. */
  noProgress: noProgressSchema.optional(),
  /** It counts while its generation holds the job. Undefined: no lease was renewed yet while there was something. */
  underWay: underWaySchema.optional(),
  /** Undefined until epoch 0 (the starting offsets) is decided. */
  lastCompleted: z.object({ epoch: count, decisionId: text }).readonly().optional(),
  lastCommitted: count,
  /** Manifests of epochs up to this one are RETIRED: nothing starts from them any more. -1: none is. */
  retiredThrough: z.int().min(-1),
  /** What sinks may have left open in this incarnation. */
  pool: poolSchema,
  /** What of the last completed epoch had to be sent again. Of an earlier epoch it says nothing any more. */
  sentAgain: sentAgainSchema.optional(),
  /** Undefined: nobody has asked, and every stage has what it takes. */
  rescale: rescaleSchema.optional(),
  /** By stage, for people and tools. Undefined: no coordinator has said it yet. */
  scale: byName(stageScaleSchema).optional(),
  fingerprint: text,
  maxParallelism: count,
  /** From where the job was started that is not its last epoch, the newest last. Undefined: it never was. */
  startedFrom: list(startedFromSchema).optional(),
  /** Incarnations that it has left for that, and whose blobs its manifests or savepoints may name. Undefined: none. */
  former: list(formerSchema).optional(),
});
export type JobRow = Readonly<z.infer<typeof jobRowSchema>>;

/** For people and tools; no decision reads it. What may be missing, epochs of builds before do not have. */
export const epochSummarySchema = z
  .object({
    plannedAtMs: count,
    /** When its decision began. */
    decidedAtMs: count,
    attempts: count,
    /** The newest of its attempts that failed, the oldest first. Undefined: none did. */
    failed: list(attemptFailureSchema).optional(),
    recordsIn: count,
    recordsOut: count,
    /** By stage: how long after the plan it began, and how long it took. */
    stages: byName(z.object({ afterMs: count, ms: count }).readonly()).optional(),
    /** By edge of the plan: records that went over it. */
    edges: byName(count).optional(),
    /** Of the epoch before, which nobody knew when that one was decided: how long its decision and its commit took. */
    before: z.object({ decisionMs: count, commitMs: count }).readonly().optional(),
    /** Stages that it has other numbers of subtasks of than the epoch before. */
    rescaled: list(z.object({ stage: name, from: count, to: count, why: text }).readonly()).optional(),
  })
  .readonly();
export type EpochSummary = z.infer<typeof epochSummarySchema>;
