import * as z from 'zod';
import type { Committable, Manifest } from './manifest.ts';
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

const transaction = {
  sink: text.min(1),
  subtask: count,
  epoch: count,
  transactionalId: text.min(1),
  producerId: text.regex(/^-?\d{1,19}$/),
  producerEpoch: z.int().min(-1).max(32_767),
};

export const committableSchema = z.object({
  ...transaction,
  written: z.array(z.object({ topic: text.min(1), partition: count, first: count, last: count })),
  marker: z.object({ topic: text.min(1), startedAtMs: z.number().min(0), previousUseAtMs: z.number().min(0).optional() }).optional(),
});

const common = {
  job: text.min(1),
  incarnation: text.min(1),
  delivery: z.enum(['exactly-once', 'at-least-once']).optional(),
  epoch: count,
  decisionId: text.min(1),
  parentDecisionId: text.min(1).optional(),
  offsets: z.record(text, z.record(text, z.array(count))),
  topicIds: z.record(text, z.record(text, text.min(1))).optional(),
  state: z.record(text, z.array(snapshotRefSchema)),
  outputs: z.record(text, z.array(z.array(blobRefSchema))),
};

const version2 = z.object({ version: z.literal(2), ...common, committables: z.array(committableSchema) });

/** Of builds that proved a commit by a group offset. */
const version1 = z.object({
  version: z.literal(1),
  ...common,
  committables: z.array(z.object({ ...transaction, topic: text.min(1) })),
  sinkStartedAtMs: z.number().min(0),
  previousUseAtMs: z.record(text, z.number().min(0)),
});

const manifestSchema = z.discriminatedUnion('version', [version1, version2]);

/** The manifest that `value` holds; `where` says in the error what was read. @throws MalformedError naming the first field that is wrong. */
export function parseManifest(value: unknown, where: string): Manifest {
  const fault = faultOf(manifestSchema, value);
  if (fault !== undefined) throw new MalformedError(`${where} is no manifest of version 1 or 2: ${fault}`);
  const manifest = value as Manifest | z.infer<typeof version1>;
  return manifest.version === 2 ? manifest : withMarkers(manifest);
}

function withMarkers({ sinkStartedAtMs, previousUseAtMs, committables, ...rest }: z.infer<typeof version1>): Manifest {
  const { parentDecisionId, ...same } = rest as Omit<Manifest, 'version' | 'committables'>;
  return {
    ...same,
    version: 2,
    parentDecisionId,
    committables: committables.map(({ topic, ...who }) => ({
      ...who,
      written: [],
      marker: { topic, startedAtMs: sinkStartedAtMs, previousUseAtMs: previousUseAtMs[who.transactionalId] },
    })),
  };
}

/** A list of committables that was stored by itself. @throws MalformedError */
export function committablesIn(value: unknown, where: string): readonly Committable[] {
  const fault = faultOf(z.array(committableSchema), value);
  if (fault !== undefined) throw new MalformedError(`${where} is no list of committables: ${fault}`);
  return value as readonly Committable[];
}

/** What is wrong with a value, first thing first; undefined when it keeps the schema. */
export function faultOf(schema: z.ZodType, value: unknown): string | undefined {
  const parsed = schema.safeParse(value);
  return parsed.success ? undefined : issueText(parsed.error);
}

function issueText(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? 'it' : path}: ${issue?.message ?? 'invalid'}`;
}
