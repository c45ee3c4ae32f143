import * as z from 'zod';
import { committableSchema, transaction } from './committable.ts';
import { MalformedError } from './malformed.ts';
import { blobRefSchema, snapshotRefSchema } from './references.ts';
import { byName, count, list, ms, name, shapeFault, text } from './shape.ts';

/**
 * `exactly-once`: sent in transactions that are prepared before the decision and committed after it. `at-least-once`: sent
 * after the decision without a transaction, and again when a crash or a lost answer leaves unknown what was sent.
 */
export const deliveryGuaranteeSchema = z.enum(['exactly-once', 'at-least-once']);
export type DeliveryGuarantee = z.infer<typeof deliveryGuaranteeSchema>;

/** Next offset to read: by source uid, then topic, then partition (the index). */
const sourceOffsetsSchema = byName(byName(list(count)));
export type SourceOffsets = z.infer<typeof sourceOffsetsSchema>;

/** By source uid, then topic. */
const topicIdsSchema = byName(byName(name));
export type TopicIds = z.infer<typeof topicIdsSchema>;

/** What an epoch begins at and ends at: how far the input was read, and the state that came of it. */
const position = {
  offsets: sourceOffsetsSchema,
  /** Of the topics that the offsets are of. Where there is none, it is not known. */
  topicIds: topicIdsSchema.optional(),
  /** Snapshots of keyed state: by operator uid, one for each subtask. */
  state: byName(list(snapshotRefSchema)),
};
const positionSchema = z.object(position).readonly();
export type Position = z.infer<typeof positionSchema>;

const common = {
  job: name,
  incarnation: name,
  /**
   * How its output is committed, whatever the coordinator is set to that does it.
   * @default 'exactly-once'
   */
  delivery: deliveryGuaranteeSchema.optional(),
  epoch: count,
  decisionId: name,
  /** Undefined for epoch 0. */
  parentDecisionId: name.optional(),
  /** After this epoch. */
  ...position,
  /** Staged output of this epoch: by sink uid, then sink subtask (the index). Kept until the epoch is COMMITTED. */
  outputs: byName(list(list(blobRefSchema))),
};

const version2 = z
  .object({
    /** 2 since committables hold their evidence; 1 is still read. */
    version: z.literal(2),
    ...common,
    /** One for each sink subtask that had output. */
    committables: list(committableSchema),
  })
  .readonly();

/**
 * The manifest: all that is needed to go on after an epoch. It is written once, by the epoch's decision, and never
 * changed.
 */
export type Manifest = z.infer<typeof version2>;

/** Of builds that proved a commit by a group offset. */
const version1 = z
  .object({
    version: z.literal(1),
    ...common,
    committables: list(z.object({ ...transaction, topic: name }).readonly()),
    sinkStartedAtMs: ms,
    previousUseAtMs: z.record(text, ms).readonly(),
  })
  .readonly();

const anyVersion = z.discriminatedUnion('version', [version1, version2]);

/** The manifest that `value` holds; `where` says in the error what was read. @throws MalformedError naming the first field that is wrong. */
export function parseManifest(value: unknown, where: string): Manifest {
  const fault = shapeFault(anyVersion, value);
  if (fault !== undefined) throw new MalformedError(`${where} is no manifest of version 1 or 2: ${fault}`);
  const manifest = value as z.infer<typeof anyVersion>;
  return manifest.version === 2 ? manifest : withMarkers(manifest);
}

function withMarkers({ sinkStartedAtMs, previousUseAtMs, committables, ...rest }: z.infer<typeof version1>): Manifest {
  return {
    ...rest,
    version: 2,
    committables: committables.map(({ topic, ...who }) => ({
      ...who,
      written: [],
      marker: { topic, startedAtMs: sinkStartedAtMs, previousUseAtMs: previousUseAtMs[who.transactionalId] },
    })),
  };
}
