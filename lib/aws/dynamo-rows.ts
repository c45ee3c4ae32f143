import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { manifestColumns } from '../ports/check-decision.ts';
import type { Decision, EpochRow, JobRow, ManifestRef, Savepoint, UnreadableSavepoint } from '../ports/epoch-store.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { upgradedPool, upgradedSentAgain } from '../protocol/earlier/job-rows.ts';
import { MalformedError } from '../protocol/malformed.ts';
import { parseManifest } from '../protocol/manifest.ts';
import { widened } from '../protocol/pool.ts';
import { epochSummarySchema, jobRowSchema } from '../protocol/rows.ts';
import { savepointSchema } from '../protocol/savepoint.ts';
import { count } from '../protocol/shape.ts';

// The table: pk = the job; sk = `job` for its row, `epoch#<incarnation>#<twelve digits>` for an epoch's, `savepoint#<name>`. The manifest
// is a JSON text, not a map: half the size, and read back exactly as it was.

export type Attributes = Record<string, AttributeValue>;

export const TTL_ATTRIBUTE = 'expiresAt';
export const POOL_ATTRIBUTE = 'sinkPool';

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

export const SAVEPOINT_KEYS = 'savepoint#';

export function savepointKey(job: string, name: string): Attributes {
  return { pk: { S: job }, sk: { S: `${SAVEPOINT_KEYS}${name}` } };
}

/** Absent attributes for undefined values. */
export function attributes(values: Record<string, unknown>): Attributes {
  return marshall(asMaps(values) as Map<string, unknown>, { removeUndefinedValues: true }) as unknown as Attributes;
}

/** Objects as maps: what an object is, the SDK asks its `constructor`, which is a name that a user may have given. */
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([name, held]) => [name, asMaps(held)]));
}

export function encodeJob(row: JobRow): Attributes {
  const { job, pool, ...columns } = row;
  return { ...jobKey(job), ...attributes({ ...columns, [POOL_ATTRIBUTE]: pool }) };
}

/** The epoch's row as its decision writes it: the same Decision gives the same attributes, in the same order. */
export function encodeEpoch(decision: Pick<Decision, 'job' | 'incarnation' | 'epoch' | 'decisionId' | 'summary' | 'manifest'>): Attributes {
  const { job, incarnation, epoch, decisionId, summary } = decision;
  return { ...epochKey(job, incarnation, epoch), ...attributes({ epoch, decisionId, ...manifestColumns(decision), summary }) };
}

/** `holderEndsAtMs` of a holder that does not end by itself. */
export const NO_END = 0;

/** As builds had it that knew no connectors: by sink. */
const earlierPool = {
  pool: z.record(z.string(), count).optional(),
  sinkTopics: z.record(z.string(), z.array(z.string())).optional(),
};

const { job: _job, pool, sentAgain, ...asTheyAre } = jobRowSchema.shape;
const jobColumns = z.object({
  pk: z.string(),
  ...asTheyAre,
  sentAgain: z.unknown().optional(),
  ...earlierPool,
  [POOL_ATTRIBUTE]: pool.optional(),
});

const epochColumns = z.object({
  epoch: count,
  decisionId: z.string(),
  manifest: z.string().optional(),
  manifestBlob: z.string().optional(),
  summary: epochSummarySchema,
  [TTL_ATTRIBUTE]: count.optional(),
});

const { job: _ofKey, name: _inKey, ...ofSavepoint } = savepointSchema.shape;
const savepointColumns = z.object({
  pk: z.string(),
  sk: z.string(),
  ...ofSavepoint,
  manifest: z.string().optional(),
  manifestBlob: z.string().optional(),
});

export function decodeJob(item: Attributes): JobRow {
  const {
    pk,
    pool: subtasks = {},
    sinkTopics = {},
    [POOL_ATTRIBUTE]: own = {},
    holderEndsAtMs = NO_END,
    ...columns
  } = decode(jobColumns, item);
  const { sentAgain, failure, lastCompleted, ...others } = columns;
  return {
    ...others,
    job: pk,
    failure,
    lastCompleted,
    holderEndsAtMs: holderEndsAtMs === NO_END ? undefined : holderEndsAtMs,
    // Both: a build of before may have gone on with the row since this one has widened its own.
    pool: widened(own, upgradedPool(subtasks, sinkTopics)),
    ...(sentAgain !== undefined && { sentAgain: decodeSentAgain(item, sentAgain) }),
  };
}

/** What was sent again by a build that knew no connectors is in the row as it was there. */
function decodeSentAgain(item: Attributes, value: unknown): JobRow['sentAgain'] {
  const parsed = jobRowSchema.shape.sentAgain.safeParse(upgradedSentAgain(value));
  if (!parsed.success) throw foreignRow(item, z.prettifyError(parsed.error));
  return parsed.data;
}

export function decodeEpoch(item: Attributes): EpochRow {
  const { epoch, decisionId, manifest, manifestBlob, summary, [TTL_ATTRIBUTE]: expiresAtSeconds } = decode(epochColumns, item);
  const expiresAtMs = expiresAtSeconds === undefined ? undefined : expiresAtSeconds * 1000;
  return { epoch, decisionId, manifest: decodeManifest(item, manifest, manifestBlob), summary, expiresAtMs };
}

export function encodeSavepoint(savepoint: Savepoint): Attributes {
  const { job, name, manifest: _, ...columns } = savepoint;
  return { ...savepointKey(job, name), ...attributes({ ...columns, ...manifestColumns(savepoint) }) };
}

export function decodeSavepoint(item: Attributes): Savepoint {
  const { pk, sk, manifest, manifestBlob, ...columns } = decode(savepointColumns, item);
  return { ...columns, job: pk, name: sk.slice(SAVEPOINT_KEYS.length), manifest: decodeManifest(item, manifest, manifestBlob) };
}

export function listedSavepoint(item: Attributes): Savepoint | UnreadableSavepoint {
  try {
    return decodeSavepoint(item);
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return {
      job: String(item['pk']?.S),
      name: String(item['sk']?.S).slice(SAVEPOINT_KEYS.length),
      standing: 'unreadable',
      why: error.message,
    };
  }
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
