import type { DecideAnswer, EpochStore, JobRemoval, JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { widened } from '../../../lib/protocol/pool.ts';
import type { EpochTable, Held } from './epoch-table.ts';
import type { Carry } from './kafka-requests.ts';

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
        table.fenced(held(job, generation), ({ stops = 0 }) => ({
          leaseExpiresAtMs: 0,
          ...(desired === 'as-it-is' ? {} : { desired, stops: stops + 1 }),
          ...(why === undefined ? {} : { failure: why }),
        })),
      ),
    async setDesired(job, desired, incarnation) {
      const { stops = 0 } = (await ask('readJob', job, () => table.row(job))) ?? {};
      return ask('setDesired', desired, () => table.setDesired(job, desired, incarnation, stops));
    },
    letRun: (job, generation, afterStops) =>
      ask('letRun', `generation ${generation}`, () =>
        table.fenced(held(job, generation), ({ stops = 0, leaseExpiresAtMs }) =>
          stops > afterStops || leaseExpiresAtMs === 0 ? {} : { desired: 'running', failure: undefined },
        ),
      ),
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
    readEpoch: (job, incarnation, epoch) => ask('readEpoch', `epoch ${epoch}`, () => table.epochs.at(job, incarnation, epoch)),
    listEpochs: (job, incarnation, after) => ask('listEpochs', `after ${after}`, () => table.epochs.after(job, incarnation, after)),
    retireThrough: (job, generation, epoch) =>
      ask('retireThrough', `epoch ${epoch}`, () => table.retireThrough(held(job, generation), epoch)),
    expireEpoch: (job, incarnation, epoch, expiresAtMs) =>
      ask('expireEpoch', String(epoch), () => table.epochs.expire(job, incarnation, epoch, expiresAtMs)),
    createSavepoint: (savepoint) =>
      ask('createSavepoint', `${savepoint.name}, epoch ${savepoint.epoch}`, () => table.createSavepoint(savepoint)),
    importSavepoint: (savepoint) => ask('importSavepoint', savepoint.name, () => table.savepoints.import(savepoint)),
    moveSavepoint: (savepoint, to) => ask('moveSavepoint', `${savepoint.name}, ${to}`, () => table.savepoints.move(savepoint, to)),
    deleteSavepoint: (savepoint) => ask('deleteSavepoint', savepoint.name, () => table.savepoints.delete(savepoint)),
    readSavepoint: (job, name) => ask('readSavepoint', name, () => table.savepoints.get(job, name)),
    listSavepoints: (job) => ask('listSavepoints', job, () => table.savepoints.of(job)),
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
      const others = await ask('listIncarnations', `not ${ownIncarnation}`, () => table.epochs.otherIncarnations(job, ownIncarnation));
      const row = await ask('readJob', job, () => table.row(job));
      if (row?.incarnation !== ownIncarnation) return 'superseded';
      return ask('deleteEpochs', others.join(', '), () => table.deleteEpochs(job, others));
    },
    deleteJob: (held) => ask('deleteJob', `generation ${held.generation}, ${held.incarnation}`, () => table.deleteJob(held)),
  };
}
