import type { DecideAnswer, Decision, EpochRow, EpochStore, FencedWrite, JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import type { Carry } from './kafka-requests.ts';

interface StoredEpoch {
  readonly epoch: number;
  readonly decisionId: string;
  /** JSON, as a table keeps it: nobody shares an object with it. */
  readonly text: string;
}

/** What the table saw; the checker listens. */
export interface TableObserver {
  /** A decision was applied (not repeated). */
  decided(decision: Decision): void;
  /** The row records everything up to `epoch` as COMMITTED. */
  committed(row: JobRow, epoch: number): void;
}

/** The jobs' table: every method is one atomic write or read, as DynamoDB's are. */
export class EpochTable {
  observer: TableObserver = { decided: () => {}, committed: () => {} };
  readonly #jobs = new Map<string, JobRow>();
  readonly #epochs = new Map<string, StoredEpoch[]>();
  /** By token: the decision that was sent under it first, and when. */
  readonly #tokens = new Map<string, { readonly text: string; readonly atMs: number }>();
  readonly #nowMs: () => number;
  readonly #tokenLifetimeMs: number;

  /** @param tokenLifetimeMs how long a repeated decision is known by its token; DynamoDB's is ten minutes. */
  constructor(nowMs: () => number, tokenLifetimeMs = 600_000) {
    this.#nowMs = nowMs;
    this.#tokenLifetimeMs = tokenLifetimeMs;
  }

  row(job: string): JobRow | undefined {
    return this.#jobs.get(job);
  }

  create(row: JobRow): 'created' | 'exists' {
    const known = this.#jobs.get(row.job);
    if (known === undefined) {
      this.#jobs.set(row.job, row);
      return 'created';
    }
    // The row of this call's own first try.
    return known.incarnation === row.incarnation && known.generation === row.generation && known.holder === row.holder
      ? 'created'
      : 'exists';
  }

  /** Raises the generation from `seen`, or from whatever it is. */
  raise(job: string, seen: number | undefined, change: Partial<JobRow>): JobRow | undefined {
    const row = this.#jobs.get(job);
    if (row === undefined || (seen !== undefined && row.generation !== seen)) return undefined;
    const raised = { ...row, ...change, generation: row.generation + 1 };
    this.#jobs.set(job, raised);
    return raised;
  }

  setDesired(job: string, desired: JobRow['desired']): void {
    const row = this.#jobs.get(job);
    if (row === undefined) throw new StoreProblem(`there is no job ${job}`, false);
    // To run is a new beginning: what the job failed of is forgotten.
    this.#jobs.set(job, { ...row, desired, failure: desired === 'running' ? undefined : row.failure });
  }

  fenced(job: string, generation: number, change: (row: JobRow) => Partial<JobRow>): FencedWrite {
    const row = this.#jobs.get(job);
    if (row?.generation !== generation) return 'superseded';
    this.#jobs.set(job, { ...row, ...change(row) });
    return 'written';
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
    const epochs = this.#epochs.get(`${job} ${incarnation}`) ?? [];
    if (row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused';
    if (row.lastCompleted?.decisionId !== parentDecisionId) return 'refused';
    if (epochs.some((each) => each.epoch === epoch)) return 'refused';
    this.#tokens.set(token, { text, atMs: this.#nowMs() });
    this.#epochs.set(
      `${job} ${incarnation}`,
      [...epochs, { epoch, decisionId, text }].sort((left, right) => left.epoch - right.epoch),
    );
    const moved = { ...row, lastCompleted: { epoch, decisionId }, lastCommitted, leaseExpiresAtMs };
    this.#jobs.set(job, moved);
    this.observer.decided(decision);
    if (lastCommitted > row.lastCommitted) this.observer.committed(moved, lastCommitted);
    return 'decided';
  }

  recordCommitted(job: string, generation: number, epoch: number): FencedWrite {
    const row = this.#jobs.get(job);
    if (row?.generation !== generation) return 'superseded';
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

  retireThrough(job: string, generation: number, epoch: number): FencedWrite {
    const row = this.#jobs.get(job);
    if (row?.generation !== generation) return 'superseded';
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
    return (this.#epochs.get(`${job} ${incarnation}`) ?? [])
      .filter(({ epoch }) => epoch > after)
      .map(({ text }) => rowOf(JSON.parse(text) as Decision));
  }
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

function rowOf({ epoch, decisionId, manifest, summary }: Decision): EpochRow {
  return { epoch, decisionId, manifest, summary };
}

/** The engine's store port on the model. */
export function modelEpochStore(table: EpochTable, carry: Carry): EpochStore {
  const lost = (): never => {
    throw new StoreProblem('the table gave no clear answer', true);
  };
  const failure = { lost, error: lost };
  const ask = <T>(api: string, about: string, execute: () => T): Promise<T> => carry(api, about, failure, execute);
  return {
    readJob: (job) => ask('readJob', job, () => table.row(job)),
    createJob: (row) => ask('createJob', row.job, () => table.create(row)),
    // Read, then raised from what was read: a try that comes late deposes nobody.
    async raiseGeneration(job, holder, leaseExpiresAtMs, holderEndsAtMs) {
      for (;;) {
        const seen = await ask('readJob', job, () => table.row(job));
        if (seen === undefined) throw new StoreProblem(`there is no job ${job}`, false);
        const change = { holder, leaseExpiresAtMs, holderEndsAtMs, desired: 'running', failure: undefined } as const;
        const raised = await ask('raiseGeneration', `${job} from ${seen.generation} by ${holder}`, () =>
          table.raise(job, seen.generation, change),
        );
        if (raised !== undefined) return raised;
      }
    },
    reviveGeneration: (job, expected, holder, leaseExpiresAtMs, holderEndsAtMs) =>
      ask('reviveGeneration', `${job} from ${expected}`, () => table.raise(job, expected, { holder, leaseExpiresAtMs, holderEndsAtMs })),
    renewLease: (job, generation, leaseExpiresAtMs) =>
      ask('renewLease', `generation ${generation}`, () => table.fenced(job, generation, () => ({ leaseExpiresAtMs }))),
    releaseLease: (job, generation, { desired, failure: why }) =>
      ask('releaseLease', `generation ${generation}`, () =>
        table.fenced(job, generation, () => ({
          leaseExpiresAtMs: 0,
          ...(desired === 'stopped' ? { desired } : {}),
          ...(why === undefined ? {} : { failure: why }),
        })),
      ),
    setDesired: (job, desired) => ask('setDesired', desired, () => table.setDesired(job, desired)),
    widenPool: (job, generation, pool) =>
      ask('widenPool', JSON.stringify(pool), () =>
        table.fenced(job, generation, (row) => ({
          pool: { ...row.pool, ...Object.fromEntries(Object.entries(pool).filter(([sink, subtasks]) => subtasks > (row.pool[sink] ?? 0))) },
        })),
      ),
    setFingerprint: (job, generation, fingerprint) =>
      ask('setFingerprint', `generation ${generation}`, () => table.fenced(job, generation, () => ({ fingerprint }))),
    recordNoProgress: (job, generation, noProgress) =>
      ask('recordNoProgress', `generation ${generation}`, () => table.fenced(job, generation, () => ({ noProgress }))),
    decide: (decision) => {
      const ambiguous = (): DecideAnswer => 'ambiguous';
      return carry(
        'decide',
        `epoch ${decision.epoch} ${decision.decisionId.slice(0, 8)} by generation ${decision.generation}`,
        { lost: ambiguous, error: ambiguous },
        () => table.decide(decision),
      );
    },
    recordCommitted: (job, generation, epoch) =>
      ask('recordCommitted', `epoch ${epoch}`, () => table.recordCommitted(job, generation, epoch)),
    readEpoch: (job, incarnation, epoch) =>
      ask('readEpoch', `epoch ${epoch}`, () => table.epochsAfter(job, incarnation, epoch - 1).find((row) => row.epoch === epoch)),
    listEpochs: (job, incarnation, after) => ask('listEpochs', `after ${after}`, () => table.epochsAfter(job, incarnation, after)),
    retireThrough: (job, generation, epoch) => ask('retireThrough', `epoch ${epoch}`, () => table.retireThrough(job, generation, epoch)),
    expireEpochs: (_job, _incarnation, epochs) => ask('expireEpochs', epochs.join(', '), () => {}),
  };
}
