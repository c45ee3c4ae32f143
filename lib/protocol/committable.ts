import * as z from 'zod';
import { MalformedError } from './malformed.ts';
import { count, list, ms, name, shapeFault } from './shape.ts';

/** The records of one transaction in one partition: offsets `first` … `last`, with those of other producers in between. */
const writtenRangeSchema = z.object({ topic: name, partition: count, first: count, last: count }).readonly();
export type WrittenRange = z.infer<typeof writtenRangeSchema>;

/** What a transaction of a manifest of version 1 has in place of evidence: a group offset that was committed with it. */
const commitMarkerSchema = z
  .object({
    /** Where its output went, and the topic that the marker names. */
    topic: name,
    /** When the epoch's sink stage started: its marker is no older. */
    startedAtMs: ms,
    /** When the epoch that used the transactional id before did so; undefined: none did. */
    previousUseAtMs: ms.optional(),
  })
  .readonly();
export type CommitMarker = z.infer<typeof commitMarkerSchema>;

/** The transaction of one sink subtask in one epoch. */
export const transaction = {
  sink: name,
  subtask: count,
  epoch: count,
  transactionalId: name,
  producerId: z.string().regex(/^-?\d{1,19}$/),
  producerEpoch: z.int().min(-1).max(32_767),
};

/** A prepared transaction: any process can commit it, and see in the log of its partitions what became of it. */
export const committableSchema = z
  .object({
    ...transaction,
    /** What it wrote; none where `marker` is. */
    written: list(writtenRangeSchema),
    /** Of an epoch that a build decided which kept no evidence (manifests of version 1). */
    marker: commitMarkerSchema.optional(),
  })
  .readonly();
export type Committable = z.infer<typeof committableSchema>;

const committables = list(committableSchema);

/** A list of committables that was stored by itself. @throws MalformedError */
export function parseCommittables(value: unknown, where: string): readonly Committable[] {
  const fault = shapeFault(committables, value);
  if (fault !== undefined) throw new MalformedError(`${where} is no list of committables: ${fault}`);
  return value as readonly Committable[];
}
