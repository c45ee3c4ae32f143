import * as z from 'zod';
import type { Committable } from '../../protocol/committable.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { count, list, ms, name, shapeFault } from '../../protocol/shape.ts';
import { checkConnector } from '../check-connector.ts';

/** Of committables whose token is one of these. */
export const CONNECTOR = 'kafka';

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

const tokenSchema = z
  .object({
    transactionalId: name,
    producerId: z.string().regex(/^-?\d{1,19}$/),
    producerEpoch: z.int().min(-1).max(32_767),
    /** What it wrote; none where `marker` is. */
    written: list(writtenRangeSchema),
    /** Of an epoch that a build decided which kept no evidence (manifests of version 1). */
    marker: commitMarkerSchema.optional(),
  })
  .readonly();

/**
 * The transaction of one sink subtask in one epoch, prepared: any process can commit it, and see in the log of its partitions what
 * became of it.
 */
export type KafkaCommittable = Pick<Committable, 'sink' | 'subtask' | 'epoch'> & z.infer<typeof tokenSchema>;

/** The transaction that a committable is. @throws MalformedError: it is another connector's, or damaged */
export function kafkaCommittable(committable: Committable): KafkaCommittable {
  checkConnector(committable, CONNECTOR);
  const { sink, subtask, epoch, token } = committable;
  const fault = shapeFault(tokenSchema, token);
  if (fault !== undefined)
    throw new MalformedError(`the committable of sink ${sink}, subtask ${subtask}, epoch ${epoch} holds no transaction of Kafka: ${fault}`);
  return { sink, subtask, epoch, ...(token as z.infer<typeof tokenSchema>) };
}

/** As others carry it. */
export function asCommittable({ sink, subtask, epoch, ...token }: KafkaCommittable): Committable {
  return { sink, connector: CONNECTOR, subtask, epoch, token };
}
