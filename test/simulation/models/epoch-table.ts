import type {
  DecideAnswer,
  Decision,
  FencedWrite,
  HeldJob,
  JobRow,
  NextIncarnation,
  Rescale,
  Savepoint,
  SentAgain,
} from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { EpochRows } from './epoch-rows.ts';
import { SavepointRows } from './savepoint-rows.ts';

/** What the table saw; the checker listens. */
export interface TableObserver {
  /** A decision was applied (not repeated). */
  decided(decision: Decision): void;
  /** The row records everything up to `epoch` as COMMITTED. */
  committed(row: JobRow, epoch: number): void;
  /** Transactions were recorded that take the place of others of the last epoch. */
  sentAgain(row: JobRow, sentAgain: SentAgain): void;
  /** A write of the job's row was accepted; `by` says as whose. */
  written(row: JobRow, by: Held): void;
  /** The job was deleted: nothing of this incarnation counts any more. */
  forgotten(incarnation: string): void;
  /** The rows of its epochs were deleted. */
  epochsDeleted(incarnation: string): void;
  /** The job begins another incarnation, at an epoch of before. */
  begun(next: NextIncarnation): void;
  /** A savepoint of an epoch of the job was made. */
  pinned(savepoint: Savepoint): void;
}

/** The jobs' table: every method is one atomic write or read, as DynamoDB's are. It owns the rows of jobs; what is conditional on them is here too. */
export class EpochTable {
  observer: TableObserver = {
    decided: () => {},
    committed: () => {},
    sentAgain: () => {},
    written: () => {},
    forgotten: () => {},
    epochsDeleted: () => {},
    begun: () => {},
    pinned: () => {},
  };
  readonly epochs = new EpochRows();
  readonly savepoints = new SavepointRows();
  readonly #jobs = new Map<string, JobRow>();
  /** By job: the claim of whoever took the generation. */
  readonly #claims = new Map<string, string | undefined>();
  /** By token: the decision that was sent under it first, and when. */
  readonly #tokens = new Map<string, { readonly text: string; readonly atMs: number }>();
  readonly #nowMs: () => number;
  readonly #tokenLifetimeMs: number;

  /** @param tokenLifetimeMs how long a repeated decision is known by its token; DynamoDB's is ten minutes. */
  constructor(nowMs: () => number, tokenLifetimeMs = 600_000) {
    this.#nowMs = nowMs;
    this.#tokenLifetimeMs = tokenLifetimeMs;
  }

  get nowMs(): number {
    return this.#nowMs();
  }

  row(job: string): JobRow | undefined {
    return this.#jobs.get(job);
  }

  create(row: JobRow): 'created' | 'exists' {
    const known = this.#jobs.get(row.job);
    if (known === undefined) {
      this.#jobs.set(row.job, row);
      this.#claims.delete(row.job);
      return 'created';
    }
    // The row of this call's own first try.
    return known.incarnation === row.incarnation && known.generation === row.generation && known.holder === row.holder
      ? 'created'
      : 'exists';
  }

  /**
   * Raises the generation from `seen`, or from whatever it is; where it is said, of this incarnation, and while the row says this. `claim`:
   * of the try, also when it is repeated.
   */
  raise(
    job: string,
    seen: Partial<Pick<JobRow, 'generation' | 'incarnation'>> & { readonly said?: Pick<JobRow, 'desired' | 'failure'> | undefined },
    change: Partial<JobRow>,
    claim?: string,
  ): JobRow | undefined {
    const row = this.#jobs.get(job);
    // It was carried out before, and its answer was lost.
    if (claim !== undefined && row !== undefined && this.#claims.get(job) === claim) return row;
    if (row === undefined || (seen.generation ?? row.generation) !== row.generation) return undefined;
    if ((seen.incarnation ?? row.incarnation) !== row.incarnation) return undefined;
    if (seen.said !== undefined && (seen.said.desired !== row.desired || seen.said.failure !== row.failure)) return undefined;
    const raised = { ...row, ...change, generation: row.generation + 1 };
    this.#jobs.set(job, raised);
    this.#claims.set(job, claim);
    return raised;
  }

  /** `seen`: how often it had been asked to stop by then. @default nobody looked */
  setDesired(job: string, desired: JobRow['desired'], incarnation?: string, seen?: number): FencedWrite {
    const row = this.#jobs.get(job);
    if (row === undefined) throw new StoreProblem(`there is no job ${job}`, false);
    if ((incarnation ?? row.incarnation) !== row.incarnation) return 'superseded';
    if ((seen ?? row.stops ?? 0) !== (row.stops ?? 0)) return 'written';
    // To run is a new beginning: what the job failed of is forgotten.
    const stops = (row.stops ?? 0) + (desired === 'stopped' ? 1 : 0);
    this.#jobs.set(job, { ...row, desired, failure: desired === 'running' ? undefined : row.failure, ...(stops > 0 && { stops }) });
    return 'written';
  }

  askRescale(job: string, incarnation: string, rescale: Rescale, seen: string | undefined): FencedWrite {
    const row = this.#jobs.get(job);
    if (row === undefined) throw new StoreProblem(`there is no job ${job}`, false);
    if (row.rescale?.id === rescale.id) return 'written';
    if (row.incarnation !== incarnation || row.desired !== 'running' || row.rescale?.id !== seen) return 'superseded';
    this.#jobs.set(job, { ...row, rescale });
    return 'written';
  }

  fenced(held: Held, change: (row: JobRow) => Partial<JobRow>): FencedWrite {
    const row = this.#held(held);
    if (row === undefined) return 'superseded';
    this.observer.written(row, held);
    this.#jobs.set(held.job, { ...row, ...change(row) });
    return 'written';
  }

  /** The row, if the job is held under this generation, in the incarnation in which the generation was taken. */
  #held({ job, generation, incarnation }: Held): JobRow | undefined {
    const row = this.#jobs.get(job);
    return row?.generation === generation && (incarnation === undefined || row.incarnation === incarnation) ? row : undefined;
  }

  decide(decision: Decision): DecideAnswer {
    checkDecision(decision);
    const text = JSON.stringify(decision);
    const { job, incarnation, generation, epoch, decisionId, parentDecisionId, leaseExpiresAtMs, lastCommitted } = decision;
    const token = `${job} ${incarnation} ${decisionId}`;
    const sent = this.#tokens.get(token);
    if (sent !== undefined && this.#nowMs() - sent.atMs < this.#tokenLifetimeMs) {
      if (sent.text === text) return 'decided';
      throw new StoreProblem(`IdempotentParameterMismatch: decision ${decisionId} was sent with other content under the same token`, false);
    }
    const row = this.#jobs.get(job);
    if (row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused';
    if (row.lastCompleted?.decisionId !== parentDecisionId) return 'refused';
    if (this.epochs.has(job, incarnation, epoch)) return 'refused';
    this.#rememberToken(token, text);
    this.epochs.add(job, incarnation, { epoch, decisionId, text });
    const moved = { ...row, lastCompleted: { epoch, decisionId }, lastCommitted, leaseExpiresAtMs, sentAgain: undefined };
    this.#jobs.set(job, moved);
    this.observer.decided(decision);
    if (lastCommitted > row.lastCommitted) this.observer.committed(moved, lastCommitted);
    return 'decided';
  }

  recordSentAgain(held: Held, sentAgain: SentAgain, seen: string | undefined): FencedWrite {
    const row = this.#held(held); // sent again
    if (row === undefined) return 'superseded';
    if (row.sentAgain?.id === sentAgain.id) return 'written';
    const isLast = row.lastCompleted?.decisionId === sentAgain.decisionId;
    const known = row.sentAgain?.decisionId === sentAgain.decisionId ? row.sentAgain.id : undefined;
    if (!isLast || known !== seen)
      throw new Error(`what was sent again of ${sentAgain.decisionId} is of ${seen}, and the row has ${known}`);
    this.#jobs.set(held.job, { ...row, sentAgain: JSON.parse(JSON.stringify(sentAgain)) as SentAgain });
    this.observer.sentAgain(row, sentAgain);
    return 'written';
  }

  recordCommitted(held: Held, epoch: number): FencedWrite {
    const { job } = held;
    const row = this.#held(held);
    if (row === undefined) return 'superseded';
    if (row.lastCommitted > epoch) return 'written';
    if ((row.lastCompleted?.epoch ?? -1) < epoch)
      throw new Error(
        `epoch ${epoch} of job ${job} cannot be committed: the last that is decided is ${row.lastCompleted?.epoch ?? 'none'}`,
      );
    const moved = { ...row, lastCommitted: epoch };
    this.#jobs.set(job, moved);
    if (epoch > row.lastCommitted) this.observer.committed(moved, epoch);
    return 'written';
  }

  retireThrough(held: Held, epoch: number): FencedWrite {
    const { job } = held;
    const row = this.#held(held);
    if (row === undefined) return 'superseded';
    if (row.retiredThrough > epoch) return 'written';
    if (row.lastCommitted < epoch || (row.lastCompleted?.epoch ?? -1) <= epoch) {
      throw new Error(
        `epoch ${epoch} of job ${job} cannot be retired: epochs up to ${row.lastCommitted} are committed, and the newest is ${row.lastCompleted?.epoch ?? 'none'}`,
      );
    }
    this.#jobs.set(job, { ...row, retiredThrough: epoch });
    return 'written';
  }

  /** Everything that is stored: rows, those that have no time to live, and their bytes. */
  size(): { readonly rows: number; readonly lasting: number; readonly bytes: number } {
    const epochs = this.epochs.size();
    const others = [...this.#jobs.values(), ...this.savepoints.all()].map((row) => JSON.stringify(row).length);
    return {
      rows: epochs.rows + others.length,
      lasting: epochs.lasting + others.length,
      bytes: epochs.bytes + others.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  #rememberToken(token: string, text: string): void {
    this.#tokens.set(token, { text, atMs: this.#nowMs() });
    for (const [oldest, { atMs }] of this.#tokens) {
      if (this.#nowMs() - atMs < this.#tokenLifetimeMs) return;
      this.#tokens.delete(oldest);
    }
  }

  forget({ job, generation, incarnation }: HeldJob, next: string): FencedWrite {
    const row = this.#jobs.get(job);
    if (row?.generation !== generation || ![incarnation, next].includes(row.incarnation)) return 'superseded';
    if (row.desired !== 'stopped') return 'superseded';
    const fresh = {
      lastCompleted: undefined,
      lastCommitted: 0,
      retiredThrough: -1,
      pool: {},
      sentAgain: undefined,
      failure: undefined,
      rescale: undefined,
      scale: undefined,
      startedFrom: undefined,
      former: undefined,
    };
    this.#jobs.set(job, { ...row, ...fresh, incarnation: next });
    this.observer.forgotten(incarnation);
    return 'written';
  }

  deleteEpochs(job: string, incarnations: readonly string[]): number {
    return incarnations.reduce((deleted, incarnation) => {
      const rows = this.epochs.deleteAll(job, incarnation);
      this.observer.epochsDeleted(incarnation);
      return deleted + rows;
    }, 0);
  }

  createSavepoint(savepoint: Savepoint): 'created' | 'exists' | 'refused' {
    const { job, incarnation, epoch } = savepoint;
    const known = this.savepoints.known(savepoint);
    if (known !== undefined) return known;
    if (!isKept(this.#jobs.get(job), incarnation, epoch)) return 'refused';
    this.savepoints.put(savepoint);
    this.observer.pinned(savepoint);
    return 'created';
  }

  beginIncarnation(held: Held, next: NextIncarnation): FencedWrite | 'refused' {
    const { job, incarnation, epoch, decisionId, savepoint } = next;
    if (this.#jobs.get(job)?.incarnation === incarnation) return 'written';
    const row = this.#held(held);
    if (row === undefined || row.incarnation !== next.leaves) return 'superseded';
    if (row.lastCompleted !== undefined && row.lastCommitted !== row.lastCompleted.epoch) return 'refused';
    if (savepoint === undefined && !isKept(row, next.leaves, epoch)) return 'refused'; // no savepoint
    const pin = savepoint === undefined ? undefined : this.savepoints.get(job, savepoint.name);
    if (savepoint !== undefined && (pin?.id !== savepoint.id || pin.standing !== 'complete')) return 'refused';
    this.observer.begun(next);
    this.epochs.begin(job, incarnation, { epoch, decisionId, text: JSON.stringify(next) });
    const { leaseExpiresAtMs, fingerprint, maxParallelism, startedFrom, former } = next;
    this.#jobs.set(job, {
      ...row,
      ...{
        incarnation,
        lastCompleted: { epoch, decisionId },
        lastCommitted: epoch,
        retiredThrough: epoch - 1,
        pool: {},
        sentAgain: undefined,
        failure: undefined,
      },
      ...((row.stops ?? 0) <= (next.letsRunAfterStops ?? -1) && { desired: 'running' as const }),
      ...{ leaseExpiresAtMs, fingerprint, maxParallelism, startedFrom, former },
    });
    return 'written';
  }

  deleteJob({ job, generation, incarnation }: HeldJob): FencedWrite {
    const row = this.#jobs.get(job);
    if (row === undefined) return 'written';
    if (row.generation !== generation || row.incarnation !== incarnation || row.lastCompleted !== undefined) return 'superseded';
    this.#jobs.delete(job);
    return 'written';
  }
}

/** Nothing has been deleted of it. */
function isKept(row: JobRow | undefined, incarnation: string, epoch: number): boolean {
  if (row?.incarnation !== incarnation || row.lastCompleted === undefined) return false;
  return row.retiredThrough < epoch && row.lastCommitted >= epoch;
}

/** Whose write it is: the incarnation is that in which the writing process took its generation, if it did. */
export interface Held {
  readonly job: string;
  readonly generation: number;
  readonly incarnation: string | undefined;
}

const MAX_ROW_BYTES = 350_000;

function checkDecision(decision: Decision): void {
  const { job, incarnation, epoch, decisionId, parentDecisionId, manifest } = decision;
  const wrong: string[] = [];
  if ((epoch === 0) !== (parentDecisionId === undefined)) wrong.push('exactly epoch 0 has no parent');
  if (manifest.at === 'row') {
    const own = manifest.manifest;
    if (own.decisionId !== decisionId || own.epoch !== epoch || own.incarnation !== incarnation)
      wrong.push(`its manifest is of epoch ${own.epoch}`);
    const bytes = Buffer.byteLength(JSON.stringify(own));
    if (bytes > MAX_ROW_BYTES)
      throw new Error(`the manifest of epoch ${epoch} of job ${job} has ${bytes} bytes; a row holds ${MAX_ROW_BYTES}`);
  }
  if (wrong.length > 0) throw new Error(`decision ${decisionId} of job ${job} contradicts itself: ${wrong.join('; ')}`);
}
