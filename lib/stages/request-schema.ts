import * as z from 'zod';
import { blobRefSchema, committableSchema, faultOf, keyGroupRangeSchema, snapshotRefSchema } from '../format/manifest-schema.ts';

const count = z.int().min(0);
const text = z.string().min(1);

const common = {
  build: text,
  job: text,
  incarnation: text,
  epoch: count,
  decisionId: text,
  stage: text,
  subtask: count,
  timeoutMs: z.number().min(0),
  parallelism: z.record(z.string(), z.int().min(1)),
  sinkTopics: z.record(z.string(), z.object({ partitions: z.int().min(1), maxBatchBytes: z.int().min(1), compacted: z.boolean() })),
};
const permit = z.object({ epoch: count, decisionId: text, generation: count, decided: z.literal(true) });
const blobs = z.array(blobRefSchema);
const meeting = z.object({ exchanges: z.int().min(1), staged: z.int().min(1), snapshots: z.int().min(1) });
const condemned = z.object({
  topic: text,
  partition: count,
  offset: count,
  reason: z.object({
    stage: text,
    operator: z.string(),
    errorClass: z.string(),
    message: z.string(),
    stack: z.string().optional(),
    attempts: count,
  }),
});

const requestSchema = z.discriminatedUnion('ask', [
  z.object({
    ...common,
    ask: z.literal('read'),
    ranges: z.array(z.object({ topic: text, partition: count, from: count, bound: count })),
    maxBytes: z.number().min(1),
    maxDurationMs: z.number().min(0),
    meeting,
    deadLetters: z.object({ topic: text, condemned: condemned.optional() }).optional(),
  }),
  z.object({
    ...common,
    ask: z.literal('process'),
    keyGroups: keyGroupRangeSchema,
    meeting,
    inputs: blobs,
    snapshots: z.record(z.string(), z.array(snapshotRefSchema)),
  }),
  z.object({ ...common, ask: z.literal('prepare'), topic: text, transactionTimeoutMs: z.int().min(1), staged: blobs }),
  z.object({
    ...common,
    ask: z.literal('commit'),
    permit,
    committables: z.array(committableSchema),
    compacted: z.array(text),
    isOld: z.boolean(),
  }),
  z.object({ ...common, ask: z.literal('send'), permit, staged: blobs }),
  z.object({
    ...common,
    ask: z.literal('resolve'),
    permit,
    committable: committableSchema,
    transactionTimeoutMs: z.int().min(1),
    staged: blobs,
    compacted: z.array(text),
    onMissingEvidence: z.enum(['stop', 'committed', 'lost']),
  }),
  z.object({ ...common, ask: z.literal('abort'), committables: z.array(committableSchema) }),
]);

/** What is wrong with the payload of an invocation; undefined when it is a request of one of the given kinds. */
export function payloadFault(payload: unknown, asks: readonly string[]): string | undefined {
  const fault = faultOf(requestSchema, payload);
  if (fault !== undefined) return fault;
  const { ask } = payload as { readonly ask: string };
  return asks.includes(ask) ? undefined : `ask: this function answers ${asks.join(', ')}, not ${ask}`;
}
