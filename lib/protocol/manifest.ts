import * as z from 'zod';
import { committableSchema } from './committable.ts';
import { upgradedCommittables, version1, version2 } from './earlier/manifests.ts';
import { timeSchema } from './event-time.ts';
import { MalformedError } from './malformed.ts';
import { parallelismSchema } from './parallelism.ts';
import { blobRefSchema, snapshotRefSchema } from './references.ts';
import { byName, count, list, name, shapeFault } from './shape.ts';

/** Next offset to read: by source uid, then topic, then partition (the index). */
const sourceOffsetsSchema = byName(byName(list(count)));
export type SourceOffsets = z.infer<typeof sourceOffsetsSchema>;

/** By source uid, then topic. */
const topicIdsSchema = byName(byName(name));
export type TopicIds = z.infer<typeof topicIdsSchema>;

/** What an epoch begins at and ends at: how far the input was read, the state that came of it, and how far time has come. */
const position = {
  offsets: sourceOffsetsSchema,
  /** Of the topics that the offsets are of. Where there is none, it is not known. */
  topicIds: topicIdsSchema.optional(),
  /** Snapshots of keyed state: by operator uid, one for each subtask. */
  state: byName(list(snapshotRefSchema)),
  /** Of a job that uses it. */
  time: timeSchema.optional(),
};
const positionSchema = z.object(position).readonly();
export type Position = z.infer<typeof positionSchema>;

const common = {
  job: name,
  incarnation: name,
  epoch: count,
  decisionId: name,
  /** Undefined for epoch 0. */
  parentDecisionId: name.optional(),
  /** After this epoch. */
  ...position,
  /** Staged output of this epoch: by sink uid, then sink subtask (the index). Kept until the epoch is COMMITTED. */
  outputs: byName(list(list(blobRefSchema))),
  /** How many subtasks the stages had. Earlier builds did not say it. */
  parallelism: parallelismSchema.optional(),
};

const version3 = z
  .object({
    /** 3 since committables say by which connector they are committed; 1 and 2 are still read. */
    version: z.literal(3),
    ...common,
    /** One for each sink subtask that has something to commit, by the connector that its sink had then. */
    committables: list(committableSchema),
  })
  .readonly();

/**
 * The manifest: all that is needed to go on after an epoch. It is written once, by the epoch's decision, and never
 * changed.
 */
export type Manifest = z.infer<typeof version3>;

const earlier = { 1: z.object({ ...common, ...version1 }).readonly(), 2: z.object({ ...common, ...version2 }).readonly() };
const anyVersion = z.discriminatedUnion('version', [earlier[1], earlier[2], version3]);

/**
 * The manifest that `value` holds, in this build's form; `where` says in the error what was read.
 *
 * @throws MalformedError naming the first field that is wrong
 */
export function parseManifest(value: unknown, where: string): Manifest {
  const refuse = (fault: string) => new MalformedError(`${where} is no manifest of version 1, 2 or 3: ${fault}`);
  const fault = shapeFault(anyVersion, value);
  if (fault !== undefined) throw refuse(fault);
  const manifest = value as z.infer<typeof anyVersion>;
  if (manifest.version === 3) return manifest;
  const { delivery: _, ...rest } = manifest;
  const upgraded = { ...rest, version: 3, committables: upgradedCommittables(manifest) };
  const upgradedFault = shapeFault(version3, upgraded);
  if (upgradedFault !== undefined) throw refuse(upgradedFault);
  return version3.parse(upgraded);
}
