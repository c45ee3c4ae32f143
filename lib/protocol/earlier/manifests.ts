import * as z from 'zod';
import { byName, list, ms, name, text } from '../shape.ts';
import { DELIVERED, upgradedCommittable } from './committables.ts';

/*
 * Manifests of builds before this one, as far as they differ. Version 2: one guarantee for the whole epoch, and Kafka's
 * committables (committables.ts). Version 1: commits were proved by a group offset, of which these fields tell.
 */

export const version2 = {
  version: z.literal(2),
  /** How its output is committed. @default 'exactly-once' */
  delivery: z.enum(['exactly-once', 'at-least-once']).optional(),
  committables: list(z.looseObject({ transactionalId: name }).readonly()),
};

export const version1 = {
  ...version2,
  version: z.literal(1),
  committables: list(z.looseObject({ transactionalId: name, topic: name }).readonly()),
  sinkStartedAtMs: ms,
  previousUseAtMs: z.record(text, ms).readonly(),
};

/** What of them the committables of a manifest depend on, besides the epoch. */
const rest = { epoch: z.number(), outputs: byName(list(list(z.unknown()))) };
type Version1 = z.infer<z.ZodObject<typeof version1 & typeof rest>>;
type Version2 = z.infer<z.ZodObject<typeof version2 & typeof rest>>;

/** The committables as they are now, of a manifest that keeps the schema of its version. */
export function upgradedCommittables(manifest: Version1 | Version2): unknown[] {
  if (manifest.delivery === 'at-least-once') return stagedOf(manifest);
  if (manifest.version === 2) return manifest.committables.map(upgradedCommittable);
  const { sinkStartedAtMs, previousUseAtMs } = manifest;
  return manifest.committables.map(({ topic, ...who }) => {
    const marker = { topic, startedAtMs: sinkStartedAtMs, previousUseAtMs: previousUseAtMs[who.transactionalId] };
    return upgradedCommittable({ ...who, written: [], marker });
  });
}

/** What was decided to be sent was told by the staged output alone. */
function stagedOf({ epoch, outputs }: Version1 | Version2): unknown[] {
  return Object.entries(outputs).flatMap(([sink, subtasks]) =>
    subtasks.flatMap((staged, subtask) => (staged.length === 0 ? [] : [{ sink, connector: DELIVERED, subtask, epoch, token: {} }])),
  );
}
