import * as z from 'zod';
import type { Manifest } from './manifest.ts';
import { MalformedError } from './serde.ts';

const count = z.int().min(0);
const text = z.string();

export const keyGroupRangeSchema = z.object({ first: count, last: count });

export const blobRefSchema = z.union([
  z.object({ at: z.literal('inline'), base64: text }),
  z.object({ at: z.literal('store'), name: text.min(1), bytes: count }),
]);

export const snapshotRefSchema = z.object({
  id: text.min(1),
  keyGroups: keyGroupRangeSchema,
  base: blobRefSchema.optional(),
  deltas: z.array(blobRefSchema),
});

export const committableSchema = z.object({
  sink: text.min(1),
  subtask: count,
  epoch: count,
  topic: text.min(1),
  transactionalId: text.min(1),
  producerId: text.regex(/^-?\d{1,19}$/),
  producerEpoch: z.int().min(-1).max(32_767),
});

const manifestSchema = z.object({
  version: z.literal(1),
  job: text.min(1),
  incarnation: text.min(1),
  delivery: z.enum(['exactly-once', 'at-least-once']).optional(),
  epoch: count,
  decisionId: text.min(1),
  parentDecisionId: text.min(1).optional(),
  offsets: z.record(text, z.record(text, z.array(count))),
  state: z.record(text, z.array(snapshotRefSchema)),
  outputs: z.record(text, z.array(z.array(blobRefSchema))),
  committables: z.array(committableSchema),
  sinkStartedAtMs: z.number().min(0),
  previousUseAtMs: z.record(text, z.number().min(0)),
});

/** The manifest that `value` holds; `where` says in the error what was read. @throws MalformedError naming the first field that is wrong. */
export function parseManifest(value: unknown, where: string): Manifest {
  const fault = faultOf(manifestSchema, value);
  if (fault !== undefined) throw new MalformedError(`${where} is no manifest of version 1: ${fault}`);
  return value as Manifest;
}

/** What is wrong with a value, first thing first; undefined when it keeps the schema. */
export function faultOf(schema: z.ZodType, value: unknown): string | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? 'it' : path}: ${issue?.message ?? 'invalid'}`;
}
