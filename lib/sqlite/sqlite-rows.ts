import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import { manifestColumns } from '../ports/check-decision.ts';
import type { Decision, EpochRow, JobRow, ManifestRef, Savepoint, UnreadableSavepoint } from '../ports/epoch-store.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { MalformedError } from '../protocol/malformed.ts';
import { parseManifest } from '../protocol/manifest.ts';
import { epochSummarySchema, jobRowSchema } from '../protocol/rows.ts';
import { savepointSchema } from '../protocol/savepoint.ts';

/** A job's row, and the claim of whoever took its generation last. */
export interface StoredJob {
  readonly row: JobRow;
  readonly claim: string | null;
}

type Columns = Record<string, SQLOutputValue>;

export function readStoredJob(db: DatabaseSync, job: string): StoredJob | undefined {
  const found = db.prepare('SELECT row, claim FROM jobs WHERE job = ?').get(job);
  if (found === undefined) return undefined;
  return { row: decode(jobRowSchema, found['row'], `of job ${job}`), claim: found['claim'] as string | null };
}

/** In place of the one that is there. */
export function writeJob(db: DatabaseSync, row: JobRow, claim: string | null): void {
  db.prepare('INSERT OR REPLACE INTO jobs (job, row, claim) VALUES (?, ?, ?)').run(row.job, JSON.stringify(row), claim);
}

/** The decision that made the row of an epoch. Undefined: there is none. */
export function decisionIdOf(db: DatabaseSync, { job, incarnation, epoch }: Decision): string | undefined {
  const select = 'SELECT decisionId FROM epochs WHERE job = ? AND incarnation = ? AND epoch = ?';
  return db.prepare(select).get(job, incarnation, epoch)?.['decisionId'] as string | undefined;
}

export function insertEpoch(
  db: DatabaseSync,
  decision: Pick<Decision, 'job' | 'incarnation' | 'epoch' | 'decisionId' | 'summary' | 'manifest'>,
): void {
  const { job, incarnation, epoch, decisionId, summary } = decision;
  const { manifest, manifestBlob }: { readonly manifest?: string; readonly manifestBlob?: string } = manifestColumns(decision);
  const insert = 'INSERT INTO epochs (job, incarnation, epoch, decisionId, summary, manifestBlob, manifest) VALUES (?, ?, ?, ?, ?, ?, ?)';
  db.prepare(insert).run(job, incarnation, epoch, decisionId, JSON.stringify(summary), manifestBlob ?? null, manifest ?? null);
}

/** The rows of these epochs, oldest first. */
export function readEpochs(db: DatabaseSync, job: string, incarnation: string, [first, last]: readonly [number, number]): EpochRow[] {
  const select = 'SELECT * FROM epochs WHERE job = ? AND incarnation = ? AND epoch BETWEEN ? AND ? ORDER BY epoch';
  return db.prepare(select).all(job, incarnation, first, last).map(decodeEpoch);
}

function decodeEpoch(columns: Columns): EpochRow {
  const { job, epoch, decisionId, summary, expiresAtMs } = columns;
  const where = `of epoch ${epoch} of job ${job}`;
  return {
    epoch: Number(epoch),
    decisionId: String(decisionId),
    manifest: decodeManifest(columns, where),
    summary: decode(epochSummarySchema, summary, where),
    expiresAtMs: expiresAtMs === null ? undefined : Number(expiresAtMs),
  };
}

export function writeSavepoint(db: DatabaseSync, savepoint: Savepoint): void {
  const { manifest: _, ...columns } = savepoint;
  const { manifest, manifestBlob }: { readonly manifest?: string; readonly manifestBlob?: string } = manifestColumns(savepoint);
  const insert = 'INSERT OR REPLACE INTO savepoints (job, name, savepoint, manifestBlob, manifest) VALUES (?, ?, ?, ?, ?)';
  db.prepare(insert).run(columns.job, columns.name, JSON.stringify(columns), manifestBlob ?? null, manifest ?? null);
}

export function readStoredSavepoint(db: DatabaseSync, job: string, name: string): Savepoint | undefined {
  const found = db.prepare('SELECT * FROM savepoints WHERE job = ? AND name = ?').get(job, name);
  return found === undefined ? undefined : decodeSavepoint(found);
}

export function readSavepoints(db: DatabaseSync, job: string): (Savepoint | UnreadableSavepoint)[] {
  return db.prepare('SELECT * FROM savepoints WHERE job = ? ORDER BY name').all(job).map(listedSavepoint);
}

function listedSavepoint(columns: Columns): Savepoint | UnreadableSavepoint {
  try {
    return decodeSavepoint(columns);
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return { job: String(columns['job']), name: String(columns['name']), standing: 'unreadable', why: error.message };
  }
}

function decodeSavepoint(columns: Columns): Savepoint {
  const where = `of savepoint ${columns['name']} of job ${columns['job']}`;
  return { ...decode(savepointSchema, columns['savepoint'], where), manifest: decodeManifest(columns, where) };
}

function decodeManifest({ manifest, manifestBlob }: Columns, where: string): ManifestRef {
  if (typeof manifestBlob === 'string') return { at: 'blob', name: manifestBlob };
  try {
    return { at: 'row', manifest: parseManifest(JSON.parse(String(manifest)), 'it') };
  } catch (error) {
    if (error instanceof MalformedError || error instanceof SyntaxError) throw foreignRow(where, error.message);
    throw error;
  }
}

function decode<T>(schema: z.ZodType<T>, json: SQLOutputValue | undefined, where: string): T {
  const parsed = schema.safeParse(jsonIn(json, where));
  if (!parsed.success) throw foreignRow(where, z.prettifyError(parsed.error));
  return parsed.data;
}

function jsonIn(json: SQLOutputValue | undefined, where: string): unknown {
  try {
    return JSON.parse(String(json));
  } catch (error) {
    throw foreignRow(where, (error as Error).message);
  }
}

function foreignRow(where: string, reason: string): StoreProblem {
  return new StoreProblem(
    `the row ${where} is not one that this build wrote: ${reason}; the file (ONCEFLOW_TABLE) is used by something else, or by a newer version`,
    false,
  );
}
