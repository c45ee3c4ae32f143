import type { DatabaseSync } from 'node:sqlite';

/**
 * `work` in one transaction. `IMMEDIATE`: whoever has it sees the newest rows, and nobody changes them before it ends. `DEFERRED`: all that
 * is read is of one moment, and nobody is waited for.
 */
export function transact<T>(db: DatabaseSync, how: 'IMMEDIATE' | 'DEFERRED', work: () => T): T {
  db.exec(`BEGIN ${how}`);
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
