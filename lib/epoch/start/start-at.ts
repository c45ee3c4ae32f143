import * as z from 'zod';
import { parseStartingOffsets, type StartingOffsets } from '../../config/starting-offsets.ts';
import { count, list, name } from '../../protocol/shape.ts';

/** Where a job is to start that is not its last epoch. */
const startAtSchema = z
  .object({
    /** A savepoint of the job, by name, or a retained epoch of its present incarnation. */
    at: z.union([z.object({ savepoint: name }).readonly(), z.object({ epoch: count }).readonly()]),
    /** A start under the same id is this one, delivered again. Undefined: the savepoint's id, so that a job starts from it once. */
    once: name.optional(),
    /** Uids of what is left behind: sources with their offsets, operators with their state, sinks. */
    drop: list(name),
    /**
     * Where the sources of the epoch go on, in place of its offsets: its topics are in another cluster, say, where the same records have others.
     * Resolved once, before the job is touched. Undefined: at its offsets.
     */
    sourceOffsets: z.custom<StartingOffsets>((value) => typeof value === 'string' && parseStartingOffsets(value) !== undefined).optional(),
    /** `stop`: not when output was committed since then, which would be written again. */
    onWrittenAgain: z.enum(['stop', 'allow']),
  })
  .readonly();
export type StartAt = z.infer<typeof startAtSchema>;

/** What came with a request. Undefined: it is none. */
export function startAtIn(value: unknown): StartAt | undefined {
  return startAtSchema.safeParse(value).data;
}
