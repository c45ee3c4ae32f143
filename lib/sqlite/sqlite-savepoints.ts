import type { JobRow, NextIncarnation, Savepoint, SavepointStore } from '../ports/epoch-store.ts';
import { fencedWrite, isHeld, rememberTaken, type Store } from './sqlite-held.ts';
import { insertEpoch, readSavepoints, readStoredJob, readStoredSavepoint, writeJob, writeSavepoint } from './sqlite-rows.ts';

export function createSqliteSavepoints(store: Store): SavepointStore {
  const { database } = store;
  return {
    createSavepoint: (savepoint) =>
      database.write('create a savepoint', (db) => {
        const known = readStoredSavepoint(db, savepoint.job, savepoint.name);
        if (known !== undefined) return known.id === savepoint.id ? 'created' : 'exists';
        if (!isKept(readStoredJob(db, savepoint.job)?.row, savepoint)) return 'refused';
        writeSavepoint(db, savepoint);
        return 'created';
      }),
    importSavepoint: (savepoint) =>
      database.write(
        'import a savepoint',
        (db) => {
          const known = readStoredSavepoint(db, savepoint.job, savepoint.name);
          if (known !== undefined) return known.id === savepoint.id ? 'created' : 'exists';
          writeSavepoint(db, savepoint);
          return 'created';
        },
        'creates',
      ),
    moveSavepoint: ({ job, name, id }, to) =>
      database.write('change a savepoint', (db) => {
        const known = readStoredSavepoint(db, job, name);
        const may = known?.id === id && (to === 'deleting' || known.standing !== 'deleting');
        if (!may) return 'gone';
        writeSavepoint(db, { ...known, standing: to });
        return 'moved';
      }),
    deleteSavepoint: ({ job, name, id }) =>
      database.write('delete a savepoint', (db) => {
        const known = readStoredSavepoint(db, job, name);
        if (known?.id === id && known.standing === 'deleting')
          db.prepare('DELETE FROM savepoints WHERE job = ? AND name = ?').run(job, name);
      }),
    readSavepoint: (job, name) => database.read('read a savepoint', (db) => readStoredSavepoint(db, job, name)),
    listSavepoints: (job) => database.read('list savepoints', (db) => readSavepoints(db, job)),
    beginIncarnation: (next) => beginIncarnation(store, next),
    forgetFormer: (job, generation, incarnation) =>
      fencedWrite(store, job, generation, (row) => ({
        ...row,
        former: (row.former ?? []).filter((each) => each.incarnation !== incarnation),
      })),
  };
}

/** Is the epoch one that nothing has been deleted of? */
function isKept(row: JobRow | undefined, { incarnation, epoch }: Pick<Savepoint, 'incarnation' | 'epoch'>): row is JobRow {
  if (row?.incarnation !== incarnation || row.lastCompleted === undefined) return false;
  return row.retiredThrough < epoch && row.lastCommitted >= epoch;
}

function beginIncarnation(store: Store, next: NextIncarnation): ReturnType<SavepointStore['beginIncarnation']> {
  const { job, generation, leaves, incarnation, epoch, decisionId, savepoint, leaseExpiresAtMs } = next;
  const { fingerprint, maxParallelism, startedFrom, former, letsRunAfterStops = -1 } = next;
  return store.database.write('begin an incarnation', (db) => {
    const stored = readStoredJob(db, job);
    // By our own first try, whose answer was lost: nobody else has this random incarnation.
    const isBegun = stored?.row.incarnation === incarnation;
    if (!isBegun) {
      if (!isHeld(store, stored, generation) || stored.row.incarnation !== leaves) return 'superseded';
      const { sentAgain: _, ...row } = stored.row;
      if (row.lastCompleted !== undefined && row.lastCommitted !== row.lastCompleted.epoch) return 'refused';
      if (savepoint === undefined && !isKept(row, { incarnation: leaves, epoch })) return 'refused';
      if (savepoint !== undefined) {
        const pin = readStoredSavepoint(db, job, savepoint.name);
        if (pin?.id !== savepoint.id || pin.standing !== 'complete') return 'refused';
      }
      insertEpoch(db, next);
      const begun = { incarnation, lastCompleted: { epoch, decisionId }, lastCommitted: epoch, retiredThrough: epoch - 1, pool: {} };
      const moved = { ...begun, failure: undefined, desired: (row.stops ?? 0) <= letsRunAfterStops ? 'running' : row.desired } as const;
      writeJob(db, { ...row, ...moved, fingerprint, maxParallelism, leaseExpiresAtMs, startedFrom, former }, stored.claim);
    }
    rememberTaken(store, { job, generation, incarnation });
    return 'written';
  });
}
