import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { type Decision, type EpochRow, type JobRow, MAX_ROW_MANIFEST_BYTES, type ManifestRef } from '../ports/epoch-store.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { committableSchema } from '../protocol/committable.ts';
import { MalformedError } from '../protocol/malformed.ts';
import { parseManifest } from '../protocol/manifest.ts';

// The table: pk = the job; sk = `job` for its row, `epoch#<incarnation>#<twelve digits>` for an epoch's. The manifest
// is a JSON text, not a map: half the size, and read back exactly as it was.

export type Attributes = Record<string, AttributeValue>;

export const TTL_ATTRIBUTE = 'expiresAt';

export function jobKey(job: string): Attributes {
  return { pk: { S: job }, sk: { S: 'job' } };
}

export function epochKey(job: string, incarnation: string, epoch: number): Attributes {
  return { pk: { S: job }, sk: { S: epochSortKey(incarnation, epoch) } };
}

export const MAX_EPOCH = 999_999_999_999;

/** Sorts by number: twelve digits are an epoch a millisecond for thirty years. */
export function epochSortKey(incarnation: string, epoch: number): string {
  return `epoch#${incarnation}#${String(epoch).padStart(12, '0')}`;
}

/** Absent attributes for undefined values. */
export function attributes(values: Record<string, unknown>): Attributes {
  return marshall(values, { removeUndefinedValues: true });
}

export function encodeJob(row: JobRow): Attributes {
  const { job, ...columns } = row;
  return { ...jobKey(job), ...attributes(columns) };
}

/** The epoch's row as its decision writes it: the same Decision gives the same attributes, in the same order. */
export function encodeEpoch(decision: Decision): Attributes {
  const { job, incarnation, epoch, decisionId, summary } = decision;
  return { ...epochKey(job, incarnation, epoch), ...attributes({ epoch, decisionId, ...encodeManifest(decision), summary }) };
}

function encodeManifest({ job, epoch, manifest: ref }: Decision): { readonly manifest: string } | { readonly manifestBlob: string } {
  if (ref.at === 'blob') return { manifestBlob: ref.name };
  const manifest = JSON.stringify(ref.manifest);
  const bytes = Buffer.byteLength(manifest);
  if (bytes > MAX_ROW_MANIFEST_BYTES) {
    throw new RangeError(
      `the manifest of job ${job}, epoch ${epoch}, has ${bytes} bytes; a row holds ${MAX_ROW_MANIFEST_BYTES} (DynamoDB's limit is 400 KB): ` +
        'it has to be stored as a blob; ONCEFLOW_INLINE_BLOB_BYTES bounds what travels inside it',
    );
  }
  return { manifest };
}

const count = z.int().min(0);

/** `holderEndsAtMs` of a holder that does not end by itself. */
export const NO_END = 0;

const jobColumns = z.object({
  pk: z.string(),
  incarnation: z.string(),
  generation: count,
  holder: z.string(),
  leaseExpiresAtMs: count,
  holderEndsAtMs: count.optional(),
  desired: z.enum(['running', 'stopped']),
  failure: z.string().optional(),
  noProgress: z.object({ generation: count, sinceMs: count, failuresInARow: count, lastError: z.string().optional() }).optional(),
  lastCompleted: z.object({ epoch: count, decisionId: z.string() }).optional(),
  lastCommitted: count,
  retiredThrough: z.int().min(-1),
  pool: z.record(z.string(), count),
  sinkTopics: z.record(z.string(), z.array(z.string())).optional(),
  sentAgain: z
    .object({
      decisionId: z.string(),
      id: z.string(),
      committables: z.union([
        z.object({ at: z.literal('row'), list: z.array(committableSchema) }),
        z.object({ at: z.literal('blob'), name: z.string() }),
      ]),
    })
    .optional(),
  fingerprint: z.string(),
  maxParallelism: count,
});

const epochColumns = z.object({
  epoch: count,
  decisionId: z.string(),
  manifest: z.string().optional(),
  manifestBlob: z.string().optional(),
  summary: z.object({ plannedAtMs: count, decidedAtMs: count, attempts: count, recordsIn: count, recordsOut: count }),
  [TTL_ATTRIBUTE]: count.optional(),
});

export function decodeJob(item: Attributes): JobRow {
  const { pk: job, failure, lastCompleted, holderEndsAtMs = NO_END, sinkTopics = {}, ...columns } = decode(jobColumns, item);
  return { job, failure, lastCompleted, sinkTopics, holderEndsAtMs: holderEndsAtMs === NO_END ? undefined : holderEndsAtMs, ...columns };
}

export function decodeEpoch(item: Attributes): EpochRow {
  const { epoch, decisionId, manifest, manifestBlob, summary, [TTL_ATTRIBUTE]: expiresAtSeconds } = decode(epochColumns, item);
  const expiresAtMs = expiresAtSeconds === undefined ? undefined : expiresAtSeconds * 1000;
  return { epoch, decisionId, manifest: decodeManifest(item, manifest, manifestBlob), summary, expiresAtMs };
}

function decodeManifest(item: Attributes, json: string | undefined, blob: string | undefined): ManifestRef {
  if (blob !== undefined) return { at: 'blob', name: blob };
  if (json === undefined) throw foreignRow(item, 'it has no manifest');
  try {
    return { at: 'row', manifest: parseManifest(JSON.parse(json), 'it') };
  } catch (error) {
    if (error instanceof MalformedError || error instanceof SyntaxError) throw foreignRow(item, error.message);
    throw error;
  }
}

function decode<T>(columns: z.ZodType<T>, item: Attributes): T {
  const parsed = columns.safeParse(unmarshall(item));
  if (!parsed.success) throw foreignRow(item, z.prettifyError(parsed.error));
  return parsed.data;
}

function foreignRow(item: Attributes, reason: string): StoreProblem {
  return new StoreProblem(
    `the row ${item['pk']?.S} / ${item['sk']?.S} is not one that this build wrote: ${reason}; the table (ONCEFLOW_TABLE) is used by something else, or by a newer version`,
    false,
  );
}
