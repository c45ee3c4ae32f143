import type { DatabaseSync } from 'node:sqlite';
import { StoreProblem } from '../ports/store-problem.ts';
import { transact } from './transact.ts';

/** Says in the file's header whose it is: "OFLW". */
const APPLICATION_ID = 0x4f_46_4c_57;
const VERSION = 2;

/** Since version 2. A build that knows version 1 alone would collect what savepoints keep, so it must refuse the file. */
const SAVEPOINTS = `
  CREATE TABLE savepoints (
    job TEXT NOT NULL,
    name TEXT NOT NULL,
    savepoint TEXT NOT NULL,
    manifestBlob TEXT,
    manifest TEXT,
    PRIMARY KEY (job, name)
  ) STRICT;
  PRAGMA user_version = ${VERSION};
`;

/**
 * A job's row is a JSON text: all conditions are checked in the transaction that reads it. `claim` is of the last taking of a generation.
 * The manifest, which is large, comes behind what is read without it.
 */
const TABLES = `
  CREATE TABLE jobs (job TEXT PRIMARY KEY, row TEXT NOT NULL, claim TEXT) STRICT;
  CREATE TABLE epochs (
    job TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    decisionId TEXT NOT NULL,
    summary TEXT NOT NULL,
    expiresAtMs INTEGER,
    manifestBlob TEXT,
    manifest TEXT,
    PRIMARY KEY (job, incarnation, epoch)
  ) STRICT;
  CREATE INDEX expiring ON epochs (expiresAtMs) WHERE expiresAtMs IS NOT NULL;
  PRAGMA application_id = ${APPLICATION_ID};
  ${SAVEPOINTS}
`;

/** Makes the tables in a file that is empty, or what one of an earlier version lacks. @throws StoreProblem: it is somebody else's, or of a newer version */
export function schemaIn(db: DatabaseSync, file: string): void {
  // Of one moment: another process may be making the tables just now.
  if (transact(db, 'DEFERRED', () => lacksIn(db, file)) === '') return;
  transact(db, 'IMMEDIATE', () => {
    db.exec(lacksIn(db, file));
  });
}

/** What makes the file one of this version. */
function lacksIn(db: DatabaseSync, file: string): string {
  const [id, version] = [numberOf(db, 'application_id'), numberOf(db, 'user_version')];
  if (id === APPLICATION_ID && version === VERSION) return '';
  if (id === APPLICATION_ID && version === 1) return SAVEPOINTS;
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
  if (isEmpty && id === 0 && version === 0) return TABLES;
  const what =
    id === APPLICATION_ID
      ? `was written by a newer version of onceflow (its tables are version ${version})`
      : 'is the database of something else';
  throw new StoreProblem(`the file ${file} (ONCEFLOW_TABLE) ${what}: name another`, false);
}

function numberOf(db: DatabaseSync, pragma: 'application_id' | 'user_version'): unknown {
  return db.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
}
