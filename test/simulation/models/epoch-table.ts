import type {
  DecideAnswer,
  Decision,
  EpochRow,
  EpochStore,
  FencedWrite,
  HeldJob,
  JobRemoval,
  JobRow,
  NextIncarnation,
  Rescale,
  Savepoint,
  SentAgain,
} from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { widened } from '../../../lib/protocol/pool.ts';
import type { Carry } from './kafka-requests.ts';

interface StoredEpoch {
  readonly epoch: number;
  readonly decisionId: string;
  /** JSON, as a table keeps it: nobody shares an object with it. */
  readonly text: string;
  /** Whole seconds, as a table keeps them. */
  expiresAtSeconds?: number;
}

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

/** The jobs' table: every method is one atomic write or read, as DynamoDB's are. */
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
  readonly #jobs = new Map<string, JobRow>();
  readonly #epochs = new Map<string, StoredEpoch[]>();
  /** By job: the claim of whoever took the generation. */
  readonly #claims = new Map<string, string | undefined>();
  /** By token: the decision that was sent under it first, and when. */
  readonly #tokens = new Map<string, { readonly text: string; readonly atMs: number }>();
  /** By job and name. */
  readonly #savepoints = new Map<string, Savepoint>();
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

  setDesired(job: string, desired: JobRow['desired'], incarnation?: string): FencedWrite {
    const row = this.#jobs.get(job);
    if (row === undefined) throw new StoreProblem(`there is no job ${job}`, false);
    if ((incarnation ?? row.incarnation) !== row.incarnation) return 'superseded';
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
    const epochs = this.#rowsOf(job, incarnation);
    if (row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused';
    if (row.lastCompleted?.decisionId !== parentDecisionId) return 'refused';
    const place = placeOf(epochs, epoch);
    if (epochs[place]?.epoch === epoch) return 'refused';
    this.#rememberToken(token, text);
    epochs.splice(place, 0, { epoch, decisionId, text });
    this.#epochs.set(`${job} ${incarnation}`, epochs);
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

  epochsAfter(job: string, incarnation: string, after: number): EpochRow[] {
    const rows = this.#rowsOf(job, incarnation);
    return rows.slice(placeOf(rows, after + 1)).map(rowOf);
  }

  epoch(job: string, incarnation: string, epoch: number): EpochRow | undefined {
    const rows = this.#rowsOf(job, incarnation);
    const row = rows[placeOf(rows, epoch)];
    return row?.epoch === epoch ? rowOf(row) : undefined;
  }

  expire(job: string, incarnation: string, epoch: number, expiresAtMs: number): void {
    const rows = this.#rowsOf(job, incarnation);
    const row = rows[placeOf(rows, epoch)];
    if (row?.epoch === epoch) row.expiresAtSeconds = Math.ceil(expiresAtMs / 1000);
  }

  /** What the store does by itself, some time after it was due: rows go whose time to live is over. */
  deleteExpired(wallMs: number): void {
    const isOver = ({ expiresAtSeconds }: StoredEpoch) => expiresAtSeconds !== undefined && expiresAtSeconds * 1000 <= wallMs;
    for (const [key, rows] of this.#epochs)
      if (rows.some(isOver))
        this.#epochs.set(
          key,
          rows.filter((row) => !isOver(row)),
        );
  }

  /** Everything that is stored: rows, those of epochs that have no time to live, and their bytes. */
  size(): { readonly rows: number; readonly lasting: number; readonly bytes: number } {
    const epochs = [...this.#epochs.values()].flat();
    const others = [...this.#jobs.values(), ...this.#savepoints.values()].map((row) => JSON.stringify(row).length);
    return {
      rows: epochs.length + others.length,
      lasting: epochs.filter(({ expiresAtSeconds }) => expiresAtSeconds === undefined).length + others.length,
      bytes: epochs.reduce((sum, { text }) => sum + text.length, 0) + others.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  #rowsOf(job: string, incarnation: string): StoredEpoch[] {
    return this.#epochs.get(`${job} ${incarnation}`) ?? [];
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

  /** Incarnations of the job of which there are epochs, but `own`. */
  otherIncarnations(job: string, own: string): string[] {
    return [...this.#epochs.keys()]
      .filter((key) => key.startsWith(`${job} `) && key !== `${job} ${own}`)
      .map((key) => key.slice(job.length + 1));
  }

  deleteEpochs(job: string, incarnations: readonly string[]): number {
    return incarnations.reduce((deleted, incarnation) => {
      const rows = this.#epochs.get(`${job} ${incarnation}`) ?? [];
      this.#epochs.delete(`${job} ${incarnation}`);
      this.observer.epochsDeleted(incarnation);
      return deleted + rows.length;
    }, 0);
  }

  savepointsOf(job: string): Savepoint[] {
    const all = [...this.#savepoints.values()].filter((each) => each.job === job);
    return all.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  savepoint(job: string, name: string): Savepoint | undefined {
    return this.#savepoints.get(`${job} ${name}`);
  }

  createSavepoint(savepoint: Savepoint): 'created' | 'exists' | 'refused' {
    const { job, name, id, incarnation, epoch } = savepoint;
    const known = this.savepoint(job, name);
    if (known !== undefined) return known.id === id ? 'created' : 'exists';
    if (!isKept(this.#jobs.get(job), incarnation, epoch)) return 'refused';
    this.#savepoints.set(`${job} ${name}`, copyOf(savepoint));
    this.observer.pinned(savepoint);
    return 'created';
  }

  importSavepoint(savepoint: Savepoint): 'created' | 'exists' {
    const known = this.savepoint(savepoint.job, savepoint.name);
    if (known !== undefined) return known.id === savepoint.id ? 'created' : 'exists';
    this.#savepoints.set(`${savepoint.job} ${savepoint.name}`, copyOf(savepoint));
    return 'created';
  }

  moveSavepoint({ job, name, id }: Pick<Savepoint, 'job' | 'name' | 'id'>, to: 'complete' | 'deleting'): 'moved' | 'gone' {
    const known = this.savepoint(job, name);
    if (known?.id !== id || (to === 'complete' && known.standing === 'deleting')) return 'gone';
    this.#savepoints.set(`${job} ${name}`, { ...known, standing: to });
    return 'moved';
  }

  deleteSavepoint({ job, name, id }: Pick<Savepoint, 'job' | 'name' | 'id'>): void {
    const known = this.savepoint(job, name);
    if (known?.id === id && known.standing === 'deleting') this.#savepoints.delete(`${job} ${name}`);
  }

  beginIncarnation(held: Held, next: NextIncarnation): FencedWrite | 'refused' {
    const { job, incarnation, epoch, decisionId, savepoint } = next;
    if (this.#jobs.get(job)?.incarnation === incarnation) return 'written';
    const row = this.#held(held);
    if (row === undefined || row.incarnation !== next.leaves) return 'superseded';
    if (row.lastCompleted !== undefined && row.lastCommitted !== row.lastCompleted.epoch) return 'refused';
    if (savepoint === undefined && !isKept(row, next.leaves, epoch)) return 'refused'; // no savepoint
    const pin = savepoint === undefined ? undefined : this.savepoint(job, savepoint.name);
    if (savepoint !== undefined && (pin?.id !== savepoint.id || pin.standing !== 'complete')) return 'refused';
    this.observer.begun(next);
    this.#epochs.set(`${job} ${incarnation}`, [{ epoch, decisionId, text: JSON.stringify(next) }]);
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

/** Of the first row that is not older, in rows that are oldest first. */
function placeOf(rows: readonly StoredEpoch[], epoch: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.epoch ?? epoch) < epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Nothing has been deleted of it. */
function isKept(row: JobRow | undefined, incarnation: string, epoch: number): boolean {
  if (row?.incarnation !== incarnation || row.lastCompleted === undefined) return false;
  return row.retiredThrough < epoch && row.lastCommitted >= epoch;
}

function copyOf(savepoint: Savepoint): Savepoint {
  return JSON.parse(JSON.stringify(savepoint)) as Savepoint;
}

/** Whose write it is: the incarnation is that in which the writing process took its generation, if it did. */
interface Held {
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

function rowOf({ text, expiresAtSeconds }: StoredEpoch): EpochRow {
  const { epoch, decisionId, manifest, summary } = JSON.parse(text) as Decision;
  return { epoch, decisionId, manifest, summary, expiresAtMs: expiresAtSeconds === undefined ? undefined : expiresAtSeconds * 1000 };
}

function noAnswer(): never {
  throw new StoreProblem('the table gave no clear answer', true);
}

/** One request to the table; the store throws when no clear answer came. */
function asking(carry: Carry): <T>(api: string, about: string, execute: () => T) => Promise<T> {
  return (api, about, execute) => carry(api, about, { lost: noAnswer, error: noAnswer }, execute);
}

/** No two tries have the same claim, of whatever process. */
let claimed = 0;

/** The engine's store port on the model, as one process has it. */
export function modelEpochStore(table: EpochTable, carry: Carry): EpochStore {
  const ask = asking(carry);
  /** By job and generation that this process took, the incarnation. */
  const incarnations = new Map<string, string>();
  const held = (job: string, generation: number): Held => ({ job, generation, incarnation: incarnations.get(`${job} ${generation}`) });
  const taken = (row: JobRow): JobRow => {
    incarnations.set(`${row.job} ${row.generation}`, row.incarnation);
    return row;
  };
  /** By what is to be taken: the claim of a try that has not taken it. */
  const claims = new Map<string, string>();
  async function take(
    api: string,
    [job, expected, holder, leaseExpiresAtMs, holderEndsAtMs]: Parameters<EpochStore['startGeneration']>,
    { said, ...change }: Partial<JobRow> & { readonly said?: Pick<JobRow, 'desired' | 'failure'> | undefined },
  ): Promise<JobRow | undefined> {
    const { generation, incarnation } = expected;
    const trial = JSON.stringify([job, generation, incarnation, holder]);
    const claim = claims.get(trial) ?? `${claimed++}`;
    claims.set(trial, claim);
    const row = await ask(api, `${job} from ${generation}`, () =>
      table.raise(job, { generation, incarnation, said }, { holder, leaseExpiresAtMs, holderEndsAtMs, ...change }, claim),
    );
    if (row === undefined) return undefined;
    claims.delete(trial);
    return taken(row);
  }
  return {
    readJob: (job) => ask('readJob', job, () => table.row(job)),
    async createJob(row) {
      const answer = await ask('createJob', row.job, () => table.create(row));
      if (answer === 'created') taken(row);
      return answer;
    },
    // Read, then raised from what was read: a try that comes late deposes nobody.
    async raiseGeneration(job, holder, leaseExpiresAtMs, holderEndsAtMs) {
      for (;;) {
        const seen = await ask('readJob', job, () => table.row(job));
        if (seen === undefined) throw new StoreProblem(`there is no job ${job}`, false);
        const change = { holder, leaseExpiresAtMs, holderEndsAtMs, desired: 'running', failure: undefined } as const;
        const raised = await ask('raiseGeneration', `${job} from ${seen.generation} by ${holder}`, () =>
          table.raise(job, { generation: seen.generation }, change),
        );
        if (raised !== undefined) return taken(raised);
      }
    },
    reviveGeneration: (...of) => take('reviveGeneration', of, { said: { desired: of[1].desired, failure: of[1].failure } }),
    startGeneration: (...of) => take('startGeneration', of, { desired: 'running', failure: undefined }),
    renewLease: (job, generation, leaseExpiresAtMs, underWay) =>
      ask('renewLease', `generation ${generation}`, () =>
        table.fenced(held(job, generation), (row) => ({ leaseExpiresAtMs, underWay: underWay ?? row.underWay })),
      ),
    releaseLease: (job, generation, { desired, failure: why }) =>
      ask('releaseLease', `generation ${generation}`, () =>
        table.fenced(held(job, generation), () => ({
          leaseExpiresAtMs: 0,
          ...(desired === 'as-it-is' ? {} : { desired }),
          ...(why === undefined ? {} : { failure: why }),
        })),
      ),
    setDesired: (job, desired, incarnation) => ask('setDesired', desired, () => table.setDesired(job, desired, incarnation)),
    askRescale: (job, incarnation, rescale, seen) =>
      ask('askRescale', JSON.stringify(rescale.subtasks), () => table.askRescale(job, incarnation, rescale, seen)),
    recordScale: (job, generation, scale) =>
      ask('recordScale', `generation ${generation}`, () => table.fenced(held(job, generation), () => ({ scale }))),
    widenPool: (job, generation, pool) =>
      ask('widenPool', JSON.stringify(pool), () => table.fenced(held(job, generation), (row) => ({ pool: widened(row.pool, pool) }))),
    setFingerprint: (job, generation, fingerprint) =>
      ask('setFingerprint', `generation ${generation}`, () => table.fenced(held(job, generation), () => ({ fingerprint }))),
    recordNoProgress: (job, generation, noProgress) =>
      ask('recordNoProgress', `generation ${generation}`, () => table.fenced(held(job, generation), () => ({ noProgress }))),
    decide: (decision) => {
      const ambiguous = (): DecideAnswer => 'ambiguous';
      return carry(
        'decide',
        `epoch ${decision.epoch} ${decision.decisionId.slice(0, 8)} by generation ${decision.generation}`,
        { lost: ambiguous, error: ambiguous },
        () => table.decide(decision),
      );
    },
    recordSentAgain: (job, generation, sentAgain, seen) =>
      ask('recordSentAgain', sentAgain.decisionId.slice(0, 8), () => table.recordSentAgain(held(job, generation), sentAgain, seen)),
    recordCommitted: (job, generation, epoch) =>
      ask('recordCommitted', `epoch ${epoch}`, () => table.recordCommitted(held(job, generation), epoch)),
    readEpoch: (job, incarnation, epoch) => ask('readEpoch', `epoch ${epoch}`, () => table.epoch(job, incarnation, epoch)),
    listEpochs: (job, incarnation, after) => ask('listEpochs', `after ${after}`, () => table.epochsAfter(job, incarnation, after)),
    retireThrough: (job, generation, epoch) =>
      ask('retireThrough', `epoch ${epoch}`, () => table.retireThrough(held(job, generation), epoch)),
    expireEpoch: (job, incarnation, epoch, expiresAtMs) =>
      ask('expireEpoch', String(epoch), () => table.expire(job, incarnation, epoch, expiresAtMs)),
    createSavepoint: (savepoint) =>
      ask('createSavepoint', `${savepoint.name}, epoch ${savepoint.epoch}`, () => table.createSavepoint(savepoint)),
    importSavepoint: (savepoint) => ask('importSavepoint', savepoint.name, () => table.importSavepoint(savepoint)),
    moveSavepoint: (savepoint, to) => ask('moveSavepoint', `${savepoint.name}, ${to}`, () => table.moveSavepoint(savepoint, to)),
    deleteSavepoint: (savepoint) => ask('deleteSavepoint', savepoint.name, () => table.deleteSavepoint(savepoint)),
    readSavepoint: (job, name) => ask('readSavepoint', name, () => table.savepoint(job, name)),
    listSavepoints: (job) => ask('listSavepoints', job, () => table.savepointsOf(job)),
    async beginIncarnation(next) {
      const { job, generation, incarnation, epoch } = next;
      const begin = () => table.beginIncarnation(held(job, generation), next);
      const answer = await ask('beginIncarnation', `${incarnation}, at epoch ${epoch}`, begin);
      if (answer === 'written') incarnations.set(`${job} ${generation}`, incarnation);
      return answer;
    },
    forgetFormer: (job, generation, incarnation) =>
      ask('forgetFormer', incarnation, () =>
        table.fenced(held(job, generation), (row) => ({ former: row.former?.filter((each) => each.incarnation !== incarnation) })),
      ),
  };
}

/** The removal port on the model. */
export function modelJobRemoval(table: EpochTable, carry: Carry): JobRemoval {
  const ask = asking(carry);
  return {
    forgetEpochs: (held, incarnation) =>
      ask('forgetEpochs', `${held.incarnation}, for ${incarnation}`, () => table.forget(held, incarnation)),
    async deleteEpochs(job, ownIncarnation) {
      const others = await ask('listIncarnations', `not ${ownIncarnation}`, () => table.otherIncarnations(job, ownIncarnation));
      const row = await ask('readJob', job, () => table.row(job));
      if (row?.incarnation !== ownIncarnation) return 'superseded';
      return ask('deleteEpochs', others.join(', '), () => table.deleteEpochs(job, others));
    },
    deleteJob: (held) => ask('deleteJob', `generation ${held.generation}, ${held.incarnation}`, () => table.deleteJob(held)),
  };
}
