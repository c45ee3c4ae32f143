import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { checkDecision } from '../ports/check-decision.ts';
import type { DecideAnswer, Decision, EpochStore, FencedWrite, JobRow, Rescale, SentAgain } from '../ports/epoch-store.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { widened } from '../protocol/pool.ts';
import { fencedWrite, isHeld, rememberTaken, type Store } from './sqlite-held.ts';
import { decisionIdOf, insertEpoch, readEpochs, readStoredJob, writeJob } from './sqlite-rows.ts';
import { createSqliteSavepoints } from './sqlite-savepoints.ts';

/** Rows that have had their time, and are deleted with one decision: more than it makes, and few enough to take no time. */
const SWEPT_TOGETHER = 100;

/**
 * Jobs and epochs in a file of SQLite: the same promises as DynamoDB's, each kept by one transaction that reads the row, checks, and writes.
 * @param nowMs by which rows of retired epochs are deleted
 */
export function createSqliteEpochStore(of: Pick<Store, 'database' | 'where' | 'nowMs'>): EpochStore {
  const store: Store = { ...of, taken: new Map(), claims: new Map() };
  const { database } = store;
  const fenced = (job: string, generation: number, change: (row: JobRow) => JobRow) => fencedWrite(store, job, generation, change);
  return {
    readJob: (job) => database.read('read a job', (db) => readStoredJob(db, job)?.row),
    createJob: (row) => createJob(store, row),
    raiseGeneration: (job, holder, leaseExpiresAtMs, holderEndsAtMs) =>
      raiseGeneration(store, job, { holder, leaseExpiresAtMs, holderEndsAtMs }),
    reviveGeneration: (job, expected, holder, leaseExpiresAtMs, holderEndsAtMs) =>
      takeGeneration(store, job, { ...expected, said: expected }, { holder, leaseExpiresAtMs, holderEndsAtMs }),
    startGeneration: (job, expected, holder, leaseExpiresAtMs, holderEndsAtMs) =>
      takeGeneration(store, job, expected, { holder, leaseExpiresAtMs, holderEndsAtMs, ...LET_RUN }),
    renewLease: (job, generation, leaseExpiresAtMs, underWay) =>
      fenced(job, generation, (row) => ({ ...row, leaseExpiresAtMs, underWay: underWay ?? row.underWay })),
    releaseLease: (job, generation, { desired, failure }) =>
      fenced(job, generation, (row) => ({
        ...row,
        leaseExpiresAtMs: 0,
        // `running` only leaves the row as it is: a stop that a person asked for meanwhile must not be lost.
        ...(desired === 'stopped' && { desired, stops: (row.stops ?? 0) + 1 }),
        failure: failure ?? row.failure,
      })),
    setDesired: (job, desired, incarnation) => setDesired(store, job, desired, incarnation),
    letRun: (job, generation, afterStops) =>
      fenced(job, generation, (row) => ((row.stops ?? 0) > afterStops || row.leaseExpiresAtMs === 0 ? row : { ...row, ...LET_RUN })),
    askRescale: (job, incarnation, rescale, seen) => askRescale(store, job, incarnation, rescale, seen),
    recordScale: (job, generation, scale) => fenced(job, generation, (row) => ({ ...row, scale })),
    widenPool: (job, generation, pool) => fenced(job, generation, (row) => ({ ...row, pool: widened(row.pool, pool) })),
    setFingerprint: (job, generation, fingerprint) => fenced(job, generation, (row) => ({ ...row, fingerprint })),
    recordNoProgress: (job, generation, noProgress) => fenced(job, generation, (row) => ({ ...row, noProgress })),
    decide: (decision) => decide(store, decision),
    recordSentAgain: (job, generation, sentAgain, seen) => fenced(job, generation, (row) => withSentAgain(row, sentAgain, seen)),
    recordCommitted: (job, generation, epoch) => fenced(job, generation, (row) => withCommitted(row, epoch)),
    readEpoch: (job, incarnation, epoch) => database.read('read an epoch', (db) => readEpochs(db, job, incarnation, [epoch, epoch])[0]),
    listEpochs: (job, incarnation, after) =>
      database.read('list epochs', (db) => readEpochs(db, job, incarnation, [after + 1, Number.MAX_SAFE_INTEGER])),
    retireThrough: (job, generation, epoch) => fenced(job, generation, (row) => withRetired(row, epoch)),
    expireEpoch: (job, incarnation, epoch, expiresAtMs) =>
      database.write('expire an epoch', (db) => {
        const update = 'UPDATE epochs SET expiresAtMs = ? WHERE job = ? AND incarnation = ? AND epoch = ?';
        db.prepare(update).run(Math.ceil(expiresAtMs), job, incarnation, epoch);
      }),
    ...createSqliteSavepoints(store),
  };
}

function createJob(store: Store, row: JobRow): Promise<'created' | 'exists'> {
  return store.database.write(
    'create a job',
    (db) => {
      const existing = readStoredJob(db, row.job)?.row;
      // The row of our own first try, whose answer was lost: nobody else has this random incarnation.
      const isOwn = existing?.incarnation === row.incarnation && existing.generation === row.generation && existing.holder === row.holder;
      if (existing !== undefined && !isOwn) return 'exists';
      if (existing === undefined) writeJob(db, row, null);
      rememberTaken(store, row);
      return 'created';
    },
    'creates',
  );
}

/** What taking a generation writes. */
type Taking = Pick<JobRow, 'holder' | 'leaseExpiresAtMs' | 'holderEndsAtMs'> & Partial<Pick<JobRow, 'desired' | 'failure'>>;

const LET_RUN = { desired: 'running', failure: undefined } as const;

async function raiseGeneration(store: Store, job: string, taking: Taking): Promise<JobRow> {
  const raised = await store.database.write('raise a generation', (db) => {
    const seen = readStoredJob(db, job)?.row;
    return seen === undefined ? undefined : take(db, seen, { ...taking, ...LET_RUN }, null);
  });
  if (raised === undefined) throw noSuchJob(store, job);
  rememberTaken(store, raised);
  return raised;
}

/** What a row has to be, to be taken. */
interface Expected extends Pick<JobRow, 'generation' | 'incarnation'> {
  /** Undefined: whatever people asked for, and why it ended. */
  readonly said?: Pick<JobRow, 'desired' | 'failure'>;
}

function saysSo({ desired, failure }: JobRow, said: Expected['said']): boolean {
  return said === undefined || (desired === said.desired && failure === said.failure);
}

/** A call that is repeated because it had no answer finds by its claim that it had won, and not by the holder's name, which a start that is delivered twice has twice. */
async function takeGeneration(
  store: Store,
  job: string,
  { generation, incarnation, said }: Expected,
  taking: Taking,
): Promise<JobRow | undefined> {
  const trial = JSON.stringify([job, incarnation, generation, taking.holder]);
  const claim = store.claims.get(trial) ?? randomUUID();
  store.claims.set(trial, claim);
  const taken = await store.database.write('take a generation', (db) => {
    const seen = readStoredJob(db, job);
    if (seen?.claim === claim && seen.row.generation === generation + 1) return seen.row;
    const isExpected = seen?.row.generation === generation && seen.row.incarnation === incarnation && saysSo(seen.row, said);
    return isExpected ? take(db, seen.row, taking, claim) : undefined;
  });
  store.claims.delete(trial);
  if (taken !== undefined) rememberTaken(store, taken);
  return taken;
}

function take(db: DatabaseSync, seen: JobRow, taking: Taking, claim: string | null): JobRow {
  const row = { ...seen, ...taking, generation: seen.generation + 1 };
  writeJob(db, row, claim);
  return row;
}

/** A person's request, so the one write that no generation guards. */
async function setDesired(store: Store, job: string, desired: JobRow['desired'], incarnation?: string): Promise<FencedWrite> {
  const written = await store.database.write('write to a job', (db): FencedWrite | undefined => {
    const stored = readStoredJob(db, job);
    if (stored === undefined) return undefined;
    if (incarnation !== undefined && stored.row.incarnation !== incarnation) return 'superseded';
    // What made the job fail is, as far as this person knows, mended.
    const failure = desired === 'running' ? undefined : stored.row.failure;
    const stops = (stored.row.stops ?? 0) + (desired === 'stopped' ? 1 : 0);
    writeJob(db, { ...stored.row, desired, failure, ...(stops > 0 && { stops }) }, stored.claim);
    return 'written';
  });
  if (written === undefined) throw noSuchJob(store, job);
  return written;
}

/** A person's request: of the job that runs, and of the request that was seen. */
async function askRescale(
  store: Store,
  job: string,
  incarnation: string,
  rescale: Rescale,
  seen: string | undefined,
): Promise<FencedWrite> {
  const written = await store.database.write('write to a job', (db): FencedWrite | undefined => {
    const stored = readStoredJob(db, job);
    if (stored === undefined) return undefined;
    const { row } = stored;
    // Of our own first try, whose answer was lost.
    if (row.rescale?.id === rescale.id) return 'written';
    if (row.incarnation !== incarnation || row.desired !== 'running' || row.rescale?.id !== seen) return 'superseded';
    writeJob(db, { ...row, rescale }, stored.claim);
    return 'written';
  });
  if (written === undefined) throw noSuchJob(store, job);
  return written;
}

function withSentAgain(row: JobRow, sentAgain: SentAgain, seen: string | undefined): JobRow {
  const { job, lastCompleted, sentAgain: last } = row;
  const isOfTheLast = lastCompleted?.decisionId === sentAgain.decisionId;
  const isSeen = seen === undefined ? last?.decisionId !== sentAgain.decisionId : last?.id === seen;
  if (isOfTheLast && isSeen) return { ...row, sentAgain };
  // Of our own first try, whose answer was lost.
  if (last?.id === sentAgain.id) return row;
  throw new Error(
    `what was sent again of decision ${sentAgain.decisionId} of job ${job} cannot be recorded: the last decision is ${lastCompleted?.decisionId}, and the last record ${last?.id}, not ${seen}`,
  );
}

function withCommitted(row: JobRow, epoch: number): JobRow {
  const { job, lastCommitted, lastCompleted } = row;
  if (lastCommitted >= epoch) return row;
  if (lastCompleted !== undefined && lastCompleted.epoch >= epoch) return { ...row, lastCommitted: epoch };
  throw new Error(`epoch ${epoch} of job ${job} cannot be committed: the last that is decided is ${lastCompleted?.epoch ?? 'none'}`);
}

/** What is retired may be deleted, so the newest manifest and what is not COMMITTED can never be. */
function withRetired(row: JobRow, epoch: number): JobRow {
  const { job, retiredThrough, lastCommitted, lastCompleted } = row;
  if (retiredThrough >= epoch) return row;
  if (lastCommitted >= epoch && lastCompleted !== undefined && lastCompleted.epoch > epoch) return { ...row, retiredThrough: epoch };
  throw new Error(
    `epoch ${epoch} of job ${job} cannot be retired: epochs up to ${lastCommitted} are committed, and the newest is ${lastCompleted?.epoch ?? 'none'}`,
  );
}

/** The transaction that makes an epoch COMPLETED. Who repeats it finds the row that it has made. */
async function decide(store: Store, decision: Decision): Promise<DecideAnswer> {
  checkDecision(decision);
  try {
    return await store.database.write('decide an epoch', (db) => {
      const decided = decisionIdOf(db, decision);
      if (decided !== undefined) return decided === decision.decisionId ? 'decided' : 'refused';
      const stored = readStoredJob(db, decision.job);
      if (!isHeld(store, stored, decision.generation) || !isParent(stored.row, decision)) return 'refused';
      const { sentAgain: _, ...row } = stored.row;
      const { epoch, decisionId, lastCommitted, leaseExpiresAtMs } = decision;
      insertEpoch(db, decision);
      writeJob(db, { ...row, lastCompleted: { epoch, decisionId }, lastCommitted, leaseExpiresAtMs }, stored.claim);
      deleteExpired(db, store.nowMs());
      return 'decided';
    });
  } catch (error) {
    if (error instanceof StoreProblem && error.retriable) return 'ambiguous';
    throw error;
  }
}

function isParent(row: JobRow, { incarnation, parentDecisionId }: Decision): boolean {
  return row.incarnation === incarnation && row.lastCompleted?.decisionId === parentDecisionId;
}

function deleteExpired(db: DatabaseSync, nowMs: number): void {
  const expired = 'SELECT rowid FROM epochs WHERE expiresAtMs IS NOT NULL AND expiresAtMs <= ? LIMIT ?';
  db.prepare(`DELETE FROM epochs WHERE rowid IN (${expired})`).run(nowMs, SWEPT_TOGETHER);
}

function noSuchJob({ where }: Store, job: string): StoreProblem {
  return new StoreProblem(
    `there is no job ${job} in table ${where} (ONCEFLOW_TABLE): it was never started, or its row was deleted (ONCEFLOW_JOB_NAME)`,
    false,
  );
}
