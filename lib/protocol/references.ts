import * as z from 'zod';
import { dueSchema } from './event-time.ts';
import { count, list, name, text } from './shape.ts';

/** Key groups `first` … `last`, both included. */
export const keyGroupRangeSchema = z.object({ first: count, last: count }).readonly();
export type KeyGroupRange = z.infer<typeof keyGroupRangeSchema>;

/** Where a blob's bytes are: in this reference (small blobs), or in the blob store under `name`. */
export const blobRefSchema = z.union([
  z.object({ at: z.literal('inline'), base64: text }).readonly(),
  z.object({ at: z.literal('store'), name, bytes: count }).readonly(),
]);
export type BlobRef = z.infer<typeof blobRefSchema>;

/** A subtask's keyed state after an epoch: a base and the deltas since, oldest first. */
export const snapshotRefSchema = z
  .object({
    /** Names the content: a warm function that holds state under this id need not load anything. `empty` before any. */
    id: name,
    keyGroups: keyGroupRangeSchema,
    base: blobRefSchema.optional(),
    deltas: list(blobRefSchema),
    /** So many of the deltas, the first, are no changes: they are more of the base, which was too large for one blob. @default 0 */
    baseParts: count.optional(),
    /** What of it waits for a time. Undefined: nothing does. */
    due: dueSchema.optional(),
  })
  .readonly();
export type SnapshotRef = z.infer<typeof snapshotRefSchema>;

/** The blobs of a snapshot, the oldest first. */
export function blobsOf({ base, deltas }: Pick<SnapshotRef, 'base' | 'deltas'>): readonly BlobRef[] {
  return base === undefined ? deltas : [base, ...deltas];
}

/** Bytes of the blob, wherever it is. */
export function bytesOf(ref: BlobRef): number {
  return ref.at === 'store' ? ref.bytes : Buffer.byteLength(ref.base64, 'base64');
}
