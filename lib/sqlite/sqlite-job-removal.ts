import type { JobRemoval } from '../ports/epoch-store.ts';
import type { Database } from './database.ts';
import { readStoredJob, writeJob } from './sqlite-rows.ts';

export function createSqliteJobRemoval({ database }: { readonly database: Database }): JobRemoval {
  return {
    forgetEpochs: ({ job, generation, incarnation: old }, incarnation) =>
      database.write('forget the epochs of a job', (db) => {
        const stored = readStoredJob(db, job);
        const isHeld = stored?.row.generation === generation && [old, incarnation].includes(stored.row.incarnation);
        if (!isHeld || stored.row.desired !== 'stopped') return 'superseded';
        const {
          lastCompleted: _last,
          failure: _failure,
          sentAgain: _sent,
          startedFrom: _from,
          former: _former,
          rescale: _rescale,
          scale: _scale,
          ...row
        } = stored.row;
        writeJob(db, { ...row, incarnation, lastCommitted: 0, retiredThrough: -1, pool: {} }, stored.claim);
        return 'written';
      }),

    deleteEpochs: (job, ownIncarnation) =>
      database.write('delete the epochs of a job', (db) => {
        if (readStoredJob(db, job)?.row.incarnation !== ownIncarnation) return 'superseded';
        return Number(db.prepare('DELETE FROM epochs WHERE job = ? AND incarnation <> ?').run(job, ownIncarnation).changes);
      }),

    deleteJob: ({ job, generation, incarnation }) =>
      database.write('delete a job', (db) => {
        const row = readStoredJob(db, job)?.row;
        if (row === undefined) return 'written';
        if (row.generation !== generation || row.incarnation !== incarnation || row.lastCompleted !== undefined) return 'superseded';
        db.prepare('DELETE FROM jobs WHERE job = ?').run(job);
        return 'written';
      }),
  };
}
